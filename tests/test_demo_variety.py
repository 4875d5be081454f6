"""The contracts of the demo that are unlike the rest: they stand in the ledger as they should."""

from datetime import date, timedelta

import pytest
from factories import NOW, make_customer

from gengyun.demo.load.books import make_catalogue
from gengyun.demo.load.variety import EXTRAS, add_variety
from gengyun.kernel.days import start_of
from gengyun.revenue.actions.day import settle_day
from gengyun.revenue.models import Contract, ExchangeRate, Line, Movement

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 22)


def test_variety_is_in_the_books_and_the_night_renews_what_renews_itself():
    make_catalogue(now=NOW)
    customers = [make_customer(f"客户{n}") for n in range(len(EXTRAS) + 2)]
    assert add_variety(customers, as_of=TODAY) == len(EXTRAS)
    assert not customers[0].contracts.exists()
    by_number = {row.number: row for row in Contract.objects.all()}
    assert set(by_number) == {extra.number for extra in EXTRAS}
    dollars = by_number["HZ-USD-1"]
    assert (dollars.currency, dollars.lines.get().arr_minor) == ("USD", 480_000)
    dollars.customer.refresh_from_db()
    assert dollars.customer.arr_minor  # in its own currency, by the rate of the day
    assert by_number["HZ-OPEN-1"].ends_on is None
    assert by_number["HZ-OPEN-1"].lines.get().arr_minor == 2_400_000
    trial = by_number["HZ-TRY-1"].lines.get()
    assert (trial.is_trial, trial.arr_minor) == (True, 0)
    assert ExchangeRate.objects.filter(currency="USD", on__lte=TODAY).count() >= 16
    # days of the term and of notice are kept; the first term is over, the second begins
    auto = by_number["HZ-AUTO-1"]
    assert auto.lines.count() == 1
    settle_day(as_of=TODAY, now=start_of(TODAY), report=lambda done, total: None)
    first, second = Line.objects.filter(contract=auto).order_by("pk")
    assert second.starts_on == first.ends_on + timedelta(days=1)
    assert Movement.objects.filter(line=second, kind="renew").count() == 1
    assert by_number["HZ-AUTO-2"].lines.count() == 1
