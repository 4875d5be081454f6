"""Exchange rates written down: a rate that was wrong gets a later row, the old one stays."""

from datetime import date, datetime
from decimal import Decimal

from django.db import transaction

from gengyun.kernel.currencies import is_known
from gengyun.kernel.errors import Refusal
from gengyun.revenue.actions.refusals import refuse
from gengyun.revenue.calc.rules import Fault
from gengyun.revenue.models import ExchangeRate
from gengyun.team.actions.audit import record
from gengyun.team.models import User
from gengyun.team.queries.access import require

PLACES = Decimal("0.00000001")
LARGEST = Decimal(10) ** 9


class RateNotPositive(Refusal):
    code = "rate_not_positive"
    message = "An exchange rate must be more than 0, and be a number that can be."


class RateOfOne(Refusal):
    code = "rate_of_one"
    message = "A currency needs no rate to itself."


@transaction.atomic
def set_rate(
    *,
    actor: User | None,
    now: datetime,
    currency: str,
    base: str,
    on: date,
    rate: Decimal,
    source: str = "",
    known_at: datetime | None = None,
) -> ExchangeRate:
    """1 `currency` = `rate` of `base` from `on` on. The same once more changes nothing."""
    require(actor, "settings.edit")
    currency, base = currency.strip().upper(), base.strip().upper()
    refuse(Fault("currency_unknown", {"currency": c}) for c in (currency, base) if not is_known(c))
    if currency == base:
        raise RateOfOne
    if not rate.is_finite() or not PLACES <= rate <= LARGEST:
        raise RateNotPositive
    rate = rate.quantize(PLACES)
    pair = ExchangeRate.objects.filter(currency=currency, base=base, on=on)
    held = pair.order_by("-known_at", "-pk").first()
    if held is not None and held.rate == rate:
        return held
    row = ExchangeRate.objects.create(
        currency=currency, base=base, on=on, rate=rate, source=source, known_at=known_at or now
    )
    told = {"rate": [str(held.rate) if held else None, str(rate)]}
    record(actor=actor, now=now, action="rate.set", obj=row, changes=told)
    return row
