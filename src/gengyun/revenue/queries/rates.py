"""Exchange rates as they were known."""

from datetime import date, datetime, timedelta

from gengyun.kernel.days import start_of
from gengyun.revenue.calc.fx import Rates
from gengyun.revenue.models import ExchangeRate
from gengyun.revenue.queries.settings import current


def rates_to(base: str, *, known_by: datetime | None = None) -> Rates:
    """All rates to `base`; of two for one day the one known last, up to `known_by`, holds.

    Where only the other direction is written down, it is turned around.
    """
    rows = ExchangeRate.objects.all()
    if known_by is not None:
        rows = rows.filter(known_at__lte=known_by)
    ordered = rows.order_by("on", "known_at", "pk").values_list("currency", "base", "on", "rate")
    found = list(ordered)
    turned = [(to, on, 1 / rate) for code, to, on, rate in found if code == base and to != base]
    direct = [(code, on, rate) for code, to, on, rate in found if to == base]
    return Rates.of(base, turned + direct)


def rates_known(known: date | None) -> Rates:
    """To the base currency, as known at the end of a day; None: now."""
    after = None if known is None else start_of(known + timedelta(days=1))
    return rates_to(
        current().base_currency,
        known_by=None if after is None else after - timedelta(microseconds=1),
    )
