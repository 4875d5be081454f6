"""People at customers and touches with them, as they were known on each day."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Any

from gengyun.churn.queries.observed_past import Fact, Span, as_day, changes_of, standing
from gengyun.customers.models import Contact
from gengyun.engagement.models import Activity
from gengyun.kernel.days import day_of, start_of

LEFT = {Contact.Part.DECIDER: "decider_left", Contact.Part.CHAMPION: "champion_left"}
PERSON = ("part", "product_user_id", "left_on")
TOUCH = ("kind", "outcome", "happened_at")
FACE_TO_FACE = {Activity.Kind.MEETING, Activity.Kind.VISIT}
OUR_OWN = {Activity.Kind.NOTE, Activity.Kind.SYSTEM}
DELETING = {
    "activity.delete": {"is_deleted": (False, True)},
    "activity.restore": {"is_deleted": (True, False)},
}
Interval = tuple[date, date | None]
KeyUser = tuple[int, str, date, date | None]  # customer, user of the product, known, until


def _people(until: date, fields: set[str]) -> Iterator[tuple[int, int, list[Span]]]:
    """(contact, customer, how it stood). Of a contact that was deleted nothing is left."""
    log = changes_of(Contact, fields)
    rows = Contact.objects.filter(created_at__lt=start_of(until)).order_by("pk")
    for pk, customer_id, created_at, *values in rows.values_list(
        "pk", "customer_id", "created_at", *PERSON
    ):
        now = dict(zip(PERSON, values, strict=True))
        changes = log.get(pk, [])
        if changes or now["part"] in LEFT:
            yield pk, customer_id, list(standing(now, changes, day_of(created_at)))


def departures(until: date) -> Iterator[Fact]:
    """A departure is known since somebody entered it: a late entry was not known before."""
    for _pk, customer_id, spans in _people(until, {"part", "left_on"}):
        for known, over, values in spans:
            left_on = as_day(values["left_on"])
            if left_on is not None and values["part"] in LEFT:
                kind = LEFT[Contact.Part(values["part"])]
                yield Fact(customer_id, kind, left_on, max(known, left_on), over)


def key_users(until: date) -> Iterator[KeyUser]:
    """Deciders and champions whose user of the product is known, while they were there."""
    for _pk, customer_id, spans in _people(until, set(PERSON)):
        for known, over, values in spans:
            user, left_on = values["product_user_id"], as_day(values["left_on"])
            if values["part"] not in LEFT or not user or (left_on and left_on <= known):
                continue
            yield customer_id, user, known, min(filter(None, (left_on, over)), default=None)


def touches(until: date) -> Iterator[Fact]:
    """Touches with the customer, as they were written down; notes to ourselves are none."""
    deciders = _deciders(until)
    log = changes_of(Activity, {*TOUCH, "contacts"}, says=DELETING)
    linked = _linked(deciders)
    rows = Activity.objects.filter(recorded_at__lt=start_of(until))
    rows = rows.exclude(kind=Activity.Kind.SYSTEM).order_by("pk")  # those are never edited
    for pk, customer_id, recorded_at, deleted_at, *values in rows.values_list(
        "pk", "customer_id", "recorded_at", "deleted_at", *TOUCH
    ):
        changes = log.get(pk, [])
        if not changes and (deleted_at is not None or values[0] in OUR_OWN):
            continue
        now = dict(zip(TOUCH, values, strict=True))
        now |= {"is_deleted": deleted_at is not None, "contacts": linked.get(pk, ())}
        for span in standing(now, changes, day_of(recorded_at)):
            yield from _of_touch(customer_id, span, deciders)


def _of_touch(
    customer_id: int, span: Span, deciders: Mapping[int, list[Interval]]
) -> Iterator[Fact]:
    known, over, values = span
    if values["is_deleted"] or values["kind"] in OUR_OWN:
        return
    happened = day_of(_instant(values["happened_at"]))
    yield Fact(customer_id, "touch", happened, known, over)
    if values["kind"] in FACE_TO_FACE:
        yield Fact(customer_id, "meeting", happened, known, over)
    if values["outcome"] == Activity.Outcome.NOT:
        yield Fact(customer_id, "not_solved", happened, known, over)
    present = [one for pk in values["contacts"] for one in deciders.get(pk, ())]
    for since, ended in _within(present, known, over):
        yield Fact(customer_id, "exec_contact", happened, since, ended)


def _deciders(until: date) -> dict[int, list[Interval]]:
    """Contact -> when it was held to be a decider."""
    found: dict[int, list[Interval]] = defaultdict(list)
    for pk, _customer, spans in _people(until, {"part"}):
        for known, over, values in spans:
            if values["part"] == Contact.Part.DECIDER:
                found[pk].append((known, over))
    return found


def _linked(deciders: Iterable[int]) -> dict[int, list[int]]:
    """Activity -> those of its contacts that ever were deciders."""
    found: dict[int, list[int]] = defaultdict(list)
    links = Activity.contacts.through.objects.filter(contact_id__among=list(deciders))
    for activity_id, contact_id in links.order_by("pk").values_list("activity_id", "contact_id"):
        found[activity_id].append(contact_id)
    return found


def _within(present: Iterable[Interval], known: date, over: date | None) -> Iterator[Interval]:
    """The parts of [known, over) that any of `present` covers, each once."""
    last = over or date.max
    cut = sorted((max(since, known), min(ended or date.max, last)) for since, ended in present)
    begun: date | None = None
    stop = date.min
    for since, ended in cut:
        if since >= ended:
            continue
        if begun is not None and since > stop:
            yield begun, stop
            begun = None
        begun, stop = begun or since, max(stop, ended)
    if begun is not None:
        yield begun, None if stop == date.max else stop


def _instant(said: Any) -> datetime:
    return datetime.fromisoformat(said) if isinstance(said, str) else said
