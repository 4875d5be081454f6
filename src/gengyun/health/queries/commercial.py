"""Contracts, payments and surveys as inputs of a score, by what was known before a day (or at a
moment)."""

from collections.abc import Collection, Mapping
from datetime import date, datetime

from gengyun.customers.queries.as_of import field_values
from gengyun.engagement.queries.survey_facts import survey_inputs
from gengyun.health.calc import commercial
from gengyun.kernel.days import day_of, start_of
from gengyun.revenue.queries import standing

Inputs = dict[int, dict[str, float | None]]
YEAR_DAYS = 365


def commercial_inputs(
    as_of: date,
    metrics: Collection[str],
    *,
    customer_ids: Collection[int] | None = None,
    moment: datetime | None = None,
) -> Inputs:
    """Customer -> the inputs among `metrics` that are known of it; only what is asked is read."""
    wanted = commercial.KEYS & set(metrics)
    if not wanted:
        return {}
    known = moment or start_of(as_of)
    found: Inputs = {}

    def put(key: str, values: Mapping[int, float]) -> None:
        if key in wanted:
            for pk, value in values.items():
                found.setdefault(pk, {})[key] = value

    if wanted & {"days_overdue", "overdue_share"}:
        days, shares = standing.overdue(as_of, moment=known, customer_ids=customer_ids)
        put("days_overdue", days)
        put("overdue_share", shares)
    if "discount_share" in wanted:
        put("discount_share", standing.discounts(as_of, moment=known, customer_ids=customer_ids))
    if "arr_change_12m" in wanted:
        put("arr_change_12m", standing.arr_change(as_of, moment=known, customer_ids=customer_ids))
    if "ending_share" in wanted:
        put("ending_share", standing.ending(as_of, moment=known, customer_ids=customer_ids))
    if "seat_change_12m" in wanted:
        put("seat_change_12m", _seat_change(as_of, known, customer_ids))
    return _with_surveys(found, survey_inputs(known, wanted, customer_ids=customer_ids))


def _with_surveys(found: Inputs, said: Mapping[int, Mapping[str, float]]) -> Inputs:
    for pk, values in said.items():
        found.setdefault(pk, {}).update(values)
    return found


def _seat_change(
    as_of: date, known: datetime, customer_ids: Collection[int] | None
) -> dict[int, float]:
    """The customer's field keeps its history, of customers without contracts too."""
    last = as_of if known <= start_of(as_of) else date.fromordinal(day_of(known).toordinal() + 1)
    before = date.fromordinal(as_of.toordinal() - YEAR_DAYS)
    now = field_values(fields=("seats",), as_of=last, customer_ids=customer_ids)["seats"]
    then = field_values(fields=("seats",), as_of=before, customer_ids=customer_ids)["seats"]
    return {pk: (now[pk] - seats) / seats for pk, seats in then.items() if seats and pk in now}
