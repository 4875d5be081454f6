"""Figures over what is not whole: rates that are missing, corrections since, stretches of months."""

from datetime import date
from decimal import Decimal

import pytest
from click.testing import CliRunner
from factories import make_customer
from revenue_rows import add_line, at, make_contract, new_line

from gengyun.cli.revenue import command
from gengyun.revenue.actions.corrections import correct_line
from gengyun.revenue.calc.moves import day_number
from gengyun.revenue.calc.policies import DEFAULT, choose
from gengyun.revenue.calc.spans import Span, spans
from gengyun.revenue.models import ExchangeRate, Spend, SpendKind
from gengyun.revenue.queries import economics, measures
from gengyun.revenue.queries.answers import Question, ask
from gengyun.revenue.queries.book import book
from gengyun.revenue.queries.due_book import due_book

pytestmark = pytest.mark.django_db
YEAR_24, YEAR_25 = (date(2024, 1, 1), date(2024, 12, 31)), (date(2025, 1, 1), date(2025, 12, 31))


def sell(customer, amount, term, *, signed=None, previous=None, currency="CNY", now=None):
    contract = make_contract(
        customer, starts_on=term[0], ends_on=term[1], currency=currency, signed_on=signed
    )
    return add_line(
        contract, amount=amount, starts_on=term[0], ends_on=term[1], previous=previous,
        signed_on=signed, now=now or at(term[0]),
    ).line  # fmt: skip


def renewed(currency):
    customer = make_customer()
    first = sell(customer, 1_000_00, YEAR_24, currency=currency)
    on = date(2024, 12, 20)
    sell(customer, 1_200_00, YEAR_25, signed=on, previous=first, currency=currency, now=at(on))


def test_a_renewal_without_exchange_rate_is_renewed_and_said_to_lack_an_amount():
    renewed("CNY")
    renewed("USD")
    last = date(2024, 12, 31)
    due = due_book(None, as_of=date(2025, 6, 30))
    (found,) = measures.renewal_rates(
        due, spans("quarter", date(2024, 10, 1), last), date(2025, 6, 30), DEFAULT
    )
    assert (found.due_count, found.renewed_count, found.open_count) == (2, 2, 0)
    assert (found.due, found.renewed) == (1_000_00, 1_200_00)
    assert due.without_rate.keys() == {"USD"}
    told = CliRunner().invoke(
        command, ["renewal-rate", "--from", "2024-10", "--to", "2024-12", "--lang", "en"]
    )
    assert "in USD are left out of the amounts" in told.output


def test_commands_say_what_tcv_and_waterfall_leave_out():
    renewed("USD")
    for metric in ("waterfall", "tcv", "nrr", "concentration"):
        asked = [metric, "--from", "2024-01", "--to", "2024-12", "--lang", "en"]
        assert "in USD are left out" in CliRunner().invoke(command, asked).output, metric


def test_what_was_signed_stays_as_it_was_known_after_a_correction():
    line = sell(make_customer(), 1_000_00, YEAR_24)
    span = [Span("year", *YEAR_24)]
    june = date(2024, 6, 30)
    (before,) = economics.signed_value(None, span, june, june)
    right = new_line(amount=1_500_00, starts_on=YEAR_24[0], ends_on=YEAR_24[1])
    correct_line(actor=None, now=at(date(2024, 9, 1)), line=line, new=right, why="抄错金额")
    (after,) = economics.signed_value(None, span, june, june)
    (today,) = economics.signed_value(None, span, date(2024, 9, 2), None)
    assert (before.amount, before.contracts) == (after.amount, after.contracts) == (1_000_00, 1)
    assert (today.amount, today.contracts) == (1_500_00, 1)


def test_a_rate_written_down_later_was_not_known_then():
    renewed("USD")
    ExchangeRate.objects.create(
        currency="USD", base="CNY", on=YEAR_24[0], rate="7", known_at=at(date(2025, 5, 1))
    )
    for known, missing in ((date(2025, 3, 1), {"USD"}), (date(2025, 6, 1), set())):
        assert due_book(None, as_of=known, known=known).without_rate.keys() == missing


def test_a_stretch_of_months_is_set_against_the_spend_of_one_as_long():
    for year, amount in ((2023, 1_000_00), (2024, 500_00)):
        for month in range(1, 13):
            Spend.objects.create(
                month=date(year, month, 1), amount_minor=amount, currency="CNY",
                kind=SpendKind.SALES_MARKETING, known_at=at(YEAR_24[1]),
            )  # fmt: skip
    sell(make_customer(), 6_000_00, YEAR_24)
    of = book(None, as_of=YEAR_24[1], policy=DEFAULT)
    (stretch,) = economics.periods(of, [Span("month", *YEAR_24)], DEFAULT)
    assert (stretch.spend, stretch.spend_before) == (6_000_00, 12_000_00)
    assert economics.cac(stretch)["cac_ratio"].value == Decimal(2)
    (month,) = economics.periods(of, [Span("month", YEAR_24[0], date(2024, 1, 31))], DEFAULT)
    assert month.spend_before == 1_000_00
    assert economics.months_unspent(Span("month", *YEAR_24)) == []
    later = Span("month", date(2024, 11, 1), date(2025, 1, 15))
    assert economics.months_unspent(later) == [date(2025, 1, 1)]


def test_who_came_back_belongs_to_the_cohort_they_began_in():
    customer = make_customer()
    sell(customer, 1_000_00, (date(2023, 1, 1), date(2023, 12, 31)))
    sell(customer, 1_000_00, (date(2024, 9, 1), date(2025, 8, 31)))
    sell(make_customer(), 1_000_00, (date(2024, 9, 1), date(2025, 8, 31)))
    last = date(2024, 12, 31)

    def cohorts(since):
        asked = Question(None, spans("month", since, last), DEFAULT, last)
        return {
            row.values["cohort"]: row.values["size"]
            for row in ask("cohorts", asked)
            if row.values["cohort"] >= "2024-06"
        }

    assert cohorts(date(2024, 6, 1)) == cohorts(date(2023, 1, 1)) == {"2024-09": 1}


def test_losses_of_lines_are_capped_at_rates_of_their_days_too():
    """One line grew, one was lost; a dollar rose in between."""
    customer = make_customer()
    now = at(YEAR_25[1])
    first = sell(customer, 1_000_00, YEAR_24, currency="USD", now=now)
    sell(customer, 600_00, YEAR_24, currency="USD", now=now)
    sell(customer, 1_500_00, YEAR_25, previous=first, currency="USD", now=now)
    for on, rate in ((YEAR_24[0], "7"), (YEAR_25[0], "8")):
        ExchangeRate.objects.create(
            currency="USD", base="CNY", on=on, rate=rate, known_at=at(YEAR_24[0])
        )
    policy = choose({"fx": "reported"})
    of = book(None, as_of=date(2025, 6, 30), policy=policy)
    window = [(day_number(date(2024, 6, 30)), day_number(date(2025, 6, 30)))]
    (whole,) = measures.retention_of(of, window, policy)
    (lines,) = measures.retention_of(of, window, choose({"fx": "reported", "level": "line"}))
    assert (whole.start, whole.end) == (lines.start, lines.end) == (1_600_00 * 7, 1_500_00 * 8)
    assert float(whole.grr.value) == 1
    assert float(lines.grr.value) == pytest.approx(10 / 16)
