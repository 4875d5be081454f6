"""What the package brings to the common machinery: its part of the day, its kinds of import."""

from datetime import date, datetime

from gengyun.kernel.day import Report, day_step
from gengyun.kernel.days import day_of
from gengyun.revenue.actions import (
    governing,
    import_contracts,
    import_economics,
    import_invoices,
    import_messages,
    import_opportunities,
    import_payments,
    import_rates,
    merging,
)
from gengyun.revenue.actions.day import settle_day
from gengyun.revenue.actions.forecast import record_forecast
from gengyun.revenue.queries.frames import keep_movements

__all__ = [
    "forecast_step",
    "governing",
    "import_contracts",
    "import_economics",
    "import_invoices",
    "import_messages",
    "import_opportunities",
    "import_payments",
    "import_rates",
    "merging",
    "revenue_step",
]


@day_step("revenue", order=60)
def revenue_step(as_of: date, now: datetime, report: Report) -> None:
    """Lines that ran out are renewed or end; a past day changes nothing today. Then the ledger is
    put into columns, which no page shall wait for."""
    if as_of == day_of(now):
        settle_day(as_of=as_of, now=now, report=report)
        keep_movements()


@day_step("forecast", order=950)
def forecast_step(as_of: date, now: datetime, report: Report) -> None:
    """Once a week what is expected of the coming quarters is written down."""
    if as_of == day_of(now):
        record_forecast(as_of=as_of, now=now)
