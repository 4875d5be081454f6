"""The company's conventions of revenue: base currency, grace, policies, capacity, gross margin."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, get_args

from django.db import transaction

from gengyun.kernel.currencies import digits
from gengyun.kernel.errors import Refusal
from gengyun.revenue.calc.normalise import Discounts, Term, Usage
from gengyun.revenue.calc.policies import PolicyUnknown, choose, options
from gengyun.revenue.calc.terms import ChurnDate
from gengyun.revenue.models import RevenueSettings
from gengyun.team.actions.audit import record
from gengyun.team.models import User
from gengyun.team.queries.access import require

LONGEST_GRACE = 365
TWO_PLACES = 2
MOST_CAPACITY = Decimal(1_000)
FIELDS = (
    "base_currency", "policies", "loss_grace_days", "capacity_low", "capacity_high",
    "gross_margin_bp", "tier_weights", "stated_renewal_bp",
)  # fmt: skip
# how the ledger itself is kept; the first choice of each is the product's
LEDGER_POLICIES: dict[str, tuple[str, ...]] = {
    "arr_term": get_args(Term),
    "arr_discounts": get_args(Discounts),
    "arr_usage": get_args(Usage),
    "churn_date": get_args(ChurnDate),
}


class BaseCurrencyBad(Refusal):
    code = "base_currency_bad"
    message = "A currency is three letters, such as CNY or USD."


class BaseCurrencyPlaces(Refusal):
    """Contracts may be in any currency; the tables of figures are written in hundredths."""

    code = "base_currency_places"
    message = (
        "Figures can be told in a currency with two decimals only, not in %(currency)s; contracts "
        "may be in it, and are converted."
    )


class GraceBad(Refusal):
    code = "grace_bad"
    message = "Days of grace are between 0 and %(most)s."


class CapacityBad(Refusal):
    code = "capacity_bad"
    message = "The lower end of the capacity band must be over 0 and below the upper end."


class MarginBad(Refusal):
    code = "margin_bad"
    message = "A gross margin is between 0 and 100 %."


class StatedRenewalBad(Refusal):
    code = "stated_renewal_bad"
    message = "A renewal rate is over 0 and below 100 %%."


class WeightBad(Refusal):
    code = "tier_weight_bad"
    message = "The weight of a tier is a number from 0 to 100."


class PolicyChoiceBad(Refusal):
    code = "policy_choice_bad"
    message = "%(key)s takes one of: %(choices)s."


@transaction.atomic
def edit_settings(
    *, actor: User | None, now: datetime, changes: Mapping[str, Any]
) -> RevenueSettings:
    """`policies` holds every choice that differs from the product's defaults."""
    require(actor, "settings.edit")
    RevenueSettings.objects.get_or_create(pk=1)
    row = RevenueSettings.objects.select_for_update().get(pk=1)
    values = {name: changes[name] for name in FIELDS if name in changes}
    _check(values, row)
    told = {
        name: [_plain(getattr(row, name)), _plain(value)]
        for name, value in values.items()
        if getattr(row, name) != value
    }
    if told:
        for name, value in values.items():
            setattr(row, name, value)
        row.updated_at, row.updated_by = now, actor
        row.save()
        record(actor=actor, now=now, action="revenue.settings", obj=row, changes=told)
    return row


def _check(values: dict[str, Any], row: RevenueSettings) -> None:
    currency = values.get("base_currency", row.base_currency)
    if not (len(currency) == 3 and currency.isascii() and currency.isalpha()):
        raise BaseCurrencyBad
    values["base_currency"] = currency.upper()
    if digits(values["base_currency"]) != TWO_PLACES:
        raise BaseCurrencyPlaces(currency=values["base_currency"])
    if not 0 <= values.get("loss_grace_days", row.loss_grace_days) <= LONGEST_GRACE:
        raise GraceBad(most=LONGEST_GRACE)
    low = values.get("capacity_low", row.capacity_low)
    high = values.get("capacity_high", row.capacity_high)
    if not 0 < low < high <= MOST_CAPACITY:
        raise CapacityBad
    margin = values.get("gross_margin_bp", row.gross_margin_bp)
    if margin is not None and not 0 <= margin <= 10_000:
        raise MarginBad
    stated = values.get("stated_renewal_bp", row.stated_renewal_bp)
    if stated is not None and not 0 < stated < 10_000:
        raise StatedRenewalBad
    for weight in values.get("tier_weights", {}).values():
        if not 0 <= weight <= 100:
            raise WeightBad
    if "policies" in values:
        grace = values.get("loss_grace_days", row.loss_grace_days)
        values["policies"] = _policies(values["policies"], grace)


def _policies(chosen: Mapping[str, str | int], grace_days: int) -> dict[str, str]:
    """What differs from the product's defaults; of the days of grace, from those of the ledger."""
    differs: dict[str, str] = {}
    for key, choices in LEDGER_POLICIES.items():
        value = str(chosen.get(key, choices[0]))
        if value not in choices:
            raise PolicyChoiceBad(key=key, choices=", ".join(choices))
        if value != choices[0]:
            differs[key] = value
    of_metrics = {key: value for key, value in chosen.items() if key not in LEDGER_POLICIES}
    default = choose({"grace_days": grace_days})
    try:
        found = choose(of_metrics, default)
    except PolicyUnknown as unknown:
        raise PolicyChoiceBad(key=unknown.key, choices=", ".join(unknown.choices)) from unknown
    return differs | {
        key: str(getattr(found, key))
        for key in options()
        if getattr(found, key) != getattr(default, key)
    }


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Decimal) else value
