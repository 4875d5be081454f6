"""What the rules about contracts and money look at: renewals, unpaid invoices, seats.

All of it as of the judged day, by what was known before it; or as it is now (`Day.is_now`).
"""

from datetime import date, datetime, timedelta

import numpy as np

from gengyun.alerts.calc.commercial_rules import DueRenewal, OverduePayment, Seats
from gengyun.alerts.calc.found import Floats
from gengyun.alerts.queries.day import FEW, Day
from gengyun.alerts.queries.marks import marks_in_force
from gengyun.alerts.queries.odds import WITHIN, forecasts_now, forecasts_on
from gengyun.churn.queries.history import newest_day
from gengyun.customers.queries.as_of import field_values
from gengyun.kernel.days import start_of
from gengyun.revenue.models import Checkpoint, CheckpointState, Movement
from gengyun.revenue.queries.due import open_renewals
from gengyun.revenue.queries.receivables import overdue_as_of

SURE = ("A", "B")  # confidence of a forecast that worries about a renewal
INSTANT = timedelta(microseconds=1)  # what was written at this very moment is known


def moment(day: Day) -> datetime:
    """What was known before this instant counts."""
    return day.now + INSTANT if day.is_now else start_of(day.as_of)


def _asked(day: Day) -> list[int] | None:
    """The customers where only a few are asked for; None: all."""
    ids = day.ids.tolist()
    return ids if len(ids) <= FEW else None


def due_renewals(day: Day, *, within_days: int) -> list[DueRenewal]:
    """Renewals that are open on the day and due within so many days, or past due."""
    today = day.today
    members = set(day.ids.tolist())
    rows = open_renewals(
        today,
        until=today + timedelta(days=within_days),
        moment=moment(day),
        customer_ids=_asked(day),
    )
    rows = [row for row in rows if row.customer_id in members]
    bands = dict(zip(day.ids.tolist(), day.health().band.tolist(), strict=True)) if rows else {}
    disputed = _disputed([row.renewal_id for row in rows], moment(day))
    said = _said(day) if rows else {}
    marks = marks_in_force() if said else {}
    tiers = zip(day.ids.tolist(), day.tier_ids.tolist(), strict=True) if said else ()
    mark_of = {pk: marks.get(tier) for pk, tier in tiers}
    return [
        DueRenewal(
            customer_id=row.customer_id,
            renewal_id=row.renewal_id,
            group=row.group,
            due_on=row.due_on,
            due_minor=row.due_minor,
            currency=row.currency,
            category=row.category,
            band=str(bands.get(row.customer_id, "")),
            disagreement_days=disputed.get(row.renewal_id),
            product_zh=row.product_zh,
            product_en=row.product_en,
            churn=said.get(row.renewal_id),
            churn_mark=mark_of.get(row.customer_id),
        )
        for row in rows
    ]


def _said(day: Day) -> dict[int, float]:
    """Renewal -> churn probability, of forecasts that are sure enough to act on."""
    if day.is_now:
        rows = forecasts_now(day.ids.tolist())
    else:
        newest = newest_day(day.as_of, lake=day.lake, within=WITHIN)
        rows = forecasts_on(newest, lake=day.lake) if newest else []
    return {
        row.renewal_id: row.probability
        for row in rows
        if row.probability is not None and row.grade in SURE
    }


def _disputed(renewal_ids: list[int], known: datetime) -> dict[int, int]:
    """Renewal -> days (180, 90) of the checkpoint at which signal and view differ, undecided."""
    found: dict[int, int] = {}
    for start in range(0, len(renewal_ids), FEW):
        rows = Checkpoint.objects.filter(
            renewal_id__in=renewal_ids[start : start + FEW],
            state=CheckpointState.DISPUTED,
            view_at__lt=known,
        )
        found |= dict(rows.order_by("-days", "pk").values_list("renewal_id", "days"))
    return found


def overdue_payments(day: Day) -> dict[int, OverduePayment | None]:
    rows = overdue_as_of(day.today, moment=moment(day), customer_ids=_asked(day))
    found: dict[int, OverduePayment | None] = {}
    for pk, one in rows.items():
        if one is None:
            found[pk] = None
            continue
        currency, amount = one.main
        found[pk] = OverduePayment(
            customer_id=pk,
            days=one.days,
            number=one.oldest.number,
            due_on=one.oldest.due_on,
            count=one.count,
            amount_minor=amount,
            currency=currency,
        )
    return found


def seats(day: Day, *, days: int) -> Seats:
    """Seats of each customer on the day, `days` before, and those agreed to go afterwards."""
    ids = day.ids.tolist()
    few = _asked(day)
    last = day.today + timedelta(days=1) if day.is_now else day.as_of
    now = field_values(fields=("seats",), as_of=last, customer_ids=few)["seats"]
    first = day.today - timedelta(days=days)
    before = field_values(fields=("seats",), as_of=first, customer_ids=few)["seats"]
    leaving = _leaving(day, few)
    return Seats(
        now=_numbers(ids, now),
        before=_numbers(ids, before),
        leaving=np.array([float(leaving[pk][0]) if pk in leaving else 0.0 for pk in ids]),
        leaves_on=[leaving[pk][1] if pk in leaving else None for pk in ids],
    )


def _numbers(ids: list[int], values: dict[int, int]) -> Floats:
    return np.array([float(values[pk]) if pk in values else np.nan for pk in ids])


def _leaving(day: Day, few: list[int] | None) -> dict[int, tuple[int, date]]:
    """Customer -> seats that movements known by the day take away later, and from when on.

    The end of a whole line is a renewal's matter; here it is the smaller order that was announced.
    """
    rows = Movement.objects.filter(
        kind="downsell",
        seats_delta__lt=0,
        known_at__lt=moment(day),
        effective_on__gt=day.today,
    )
    if few is not None:
        rows = rows.filter(customer_id__in=few)
    found: dict[int, tuple[int, date]] = {}
    for pk, delta, on in rows.order_by("-effective_on", "-pk").values_list(
        "customer_id", "seats_delta", "effective_on"
    ):
        gone = found[pk][0] if pk in found else 0
        found[pk] = (gone - (delta or 0), on)
    return found
