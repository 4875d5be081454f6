"""Exchange rates as they were known."""

from datetime import datetime

from gengyun.revenue.calc.fx import Rates
from gengyun.revenue.models import ExchangeRate


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
