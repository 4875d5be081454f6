"""What was done with a customer, as facts for the criteria of a journey: "activity:meeting"."""

from collections.abc import Collection, Sequence
from datetime import date

from django.db.models import Max

from gengyun.customers.models import Customer
from gengyun.customers.queries.facts import CHUNK, Fact, FactSource, Values, register
from gengyun.engagement.models import Activity
from gengyun.kernel.days import day_of, start_of

PREFIX = "activity"
SILENT = (Activity.Kind.NOTE, Activity.Kind.SYSTEM)
SINCE = f"{PREFIX}:days_since_touch"
COUNTED = {
    f"{PREFIX}:any": ("本阶段触达次数", "Touches in the stage", None),
    f"{PREFIX}:meeting": ("本阶段会议次数", "Meetings in the stage", {"meeting", "visit"}),
    f"{PREFIX}:call": ("本阶段电话次数", "Calls in the stage", {"call"}),
    f"{PREFIX}:visit": ("本阶段拜访次数", "Visits in the stage", {"visit"}),
}


def _listed() -> Sequence[Fact]:
    counted = [Fact(key, zh, en, group="activity") for key, (zh, en, _) in COUNTED.items()]
    since = Fact(SINCE, "距上次触达天数", "Days since the last touch", "days", "activity")
    return [*counted, since]


def _values(keys: Collection[str], as_of: date, customer_ids: Collection[int] | None) -> Values:
    """Counts are of activities since the customer came into its stage, today's included."""
    found: Values = {key: {} for key in keys}
    touches = Activity.objects.present().exclude(kind__in=SILENT).order_by()
    people = Customer.objects.present().order_by()
    for ids in _chunks(customer_ids):
        here = touches if ids is None else touches.filter(customer_id__in=ids)
        if SINCE in found:
            latest = here.values_list("customer_id").annotate(at=Max("happened_at"))
            found[SINCE].update((pk, max((as_of - day_of(at)).days, 0)) for pk, at in latest)
        counted = [key for key in keys if key in COUNTED]
        if counted:
            mine = people if ids is None else people.filter(pk__in=ids)
            since = {
                pk: start_of(day) if day else None
                for pk, day in mine.values_list("pk", "stage_since")
            }
            _count(found, counted, since, here)
    return found


def _count(found: Values, keys: Sequence[str], since: dict, touches) -> None:  # type: ignore[no-untyped-def, type-arg]
    known = [start for start in since.values() if start is not None]
    for key in keys:
        found[key].update((pk, 0) for pk, start in since.items() if start is not None)
    if not known:
        return
    rows = touches.filter(happened_at__gte=min(known))
    for pk, kind, at in rows.values_list("customer_id", "kind", "happened_at").iterator():
        start = since.get(pk)
        if start is None or at < start:
            continue
        for key in keys:
            kinds = COUNTED[key][2]
            if kinds is None or kind in kinds:
                found[key][pk] += 1


def _chunks(customer_ids: Collection[int] | None) -> list[list[int] | None]:
    if customer_ids is None:
        return [None]
    ids = sorted(customer_ids)
    return [ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK)]


register(FactSource(PREFIX, _listed, _values))
