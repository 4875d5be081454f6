"""Whose turn it is: who of them enters, in which arm, and why the others do not. Writes nothing,
so that a dry run shows what the evaluation does."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from django.db.models import Count, Max

from gengyun.kernel.days import day_of
from gengyun.portfolio.models import CustomerSummary
from gengyun.sop.calc.assign import Entrant, assign, stratum_of, tercile_places
from gengyun.sop.calc.form import Form
from gengyun.sop.models import Run, SopVersion
from gengyun.sop.queries.participants import Participant, chunks, entry_facts, participants

# why somebody whose turn it was does not enter
RUNNING, BEFORE, TOO_SOON, OTHER_SOP, NO_CONTACT, NO_PRODUCT, GONE, ENTERED_ALREADY = (
    "running", "before", "too_soon", "other_sop", "no_contact", "no_product", "gone",
    "entered_already",
)  # fmt: skip


@dataclass(frozen=True)
class Chance:
    """What the arms of a day are drawn with, worked out once."""

    cuts: tuple[float, float] | None

    @classmethod
    def of_book(cls) -> "Chance":
        """`calc.assign.terciles` of everybody, found along the index: a batch of events asks for
        them within a second, and a million numbers are not read for it."""
        known = CustomerSummary.objects.filter(churn__isnull=False).order_by("churn")
        many = known.count()
        if many < 3:
            return cls(None)
        found = known.values_list("churn", flat=True)
        lower, upper = (found[at] or 0.0 for at in tercile_places(many))
        return cls((lower, upper))


@dataclass
class Verdicts:
    """Who would enter, in which arm, and why the others would not."""

    entering: list[tuple[Participant, str, str]] = field(default_factory=list)  # arm, stratum
    refused: list[tuple[Participant, str, dict[str, Any], date | None]] = field(
        default_factory=list
    )
    facts: dict[int, dict[str, Any]] = field(default_factory=dict)


def judge(
    version: SopVersion,
    form: Form,
    customer_ids: Sequence[int],
    *,
    day: date,
    chance: Chance | None = None,
    is_chosen: bool = False,
    only: Mapping[int, Collection[int]] | None = None,
) -> Verdicts:
    """Writes nothing: a dry run shows what the evaluation does. `is_chosen`: by a person, who is
    not held out. `only`: the contacts whose turn it is, of customers where not all of them are."""
    found = Verdicts()
    people = participants(form, customer_ids, day=day)
    if only:
        people = [one for one in people if _is_named(one, only)]
    _without(found, form, customer_ids, people)
    rest = _after_earlier(found, version, form, people, day)
    rest = _after_others(found, version, form, rest, day)
    found.facts = entry_facts(form, {one.customer_id for one in rest}, day=day)
    here = [one for one in rest if one.customer_id in found.facts]
    found.refused += [(one, GONE, {}, None) for one in rest if one.customer_id not in found.facts]
    found.entering = _arms(version, form, here, found.facts, chance, is_chosen=is_chosen)
    return found


def _is_named(one: Participant, only: Mapping[int, Collection[int]]) -> bool:
    return one.customer_id not in only or one.contact_id in only[one.customer_id]


def _without(
    found: Verdicts, form: Form, customer_ids: Sequence[int], people: Sequence[Participant]
) -> None:
    if form.identity == "customer":
        return
    there = {one.customer_id for one in people}
    reason = NO_CONTACT if form.identity == "contact" else NO_PRODUCT
    found.refused += [
        (Participant(f"c:{pk}", pk), reason, {}, None) for pk in customer_ids if pk not in there
    ]


def _after_earlier(
    found: Verdicts, version: SopVersion, form: Form, people: Sequence[Participant], day: date
) -> list[Participant]:
    """Without whom an earlier run keeps out."""
    rest = []
    active, ended = _earlier(version.sop_id, [one.identity for one in people])
    for one in people:
        last = ended.get(one.identity)
        if one.identity in active:
            found.refused.append((one, RUNNING, {}, None))
        elif last is None or form.reentry.kind == "always":
            rest.append(one)
        elif form.reentry.kind == "never":
            found.refused.append((one, BEFORE, {"ended_on": last.isoformat()}, None))
        else:
            free = last + timedelta(days=form.reentry.days)
            if free <= day:
                rest.append(one)
            else:
                told = {"ended_on": last.isoformat(), "free_on": free.isoformat()}
                found.refused.append((one, TOO_SOON, told, free))
    return rest


def _earlier(sop_id: int, identities: Sequence[str]) -> tuple[set[str], dict[str, date]]:
    runs = Run.objects.filter(sop_id=sop_id, identity_key__among=list(identities)).order_by()
    active = set(runs.active().values_list("identity_key", flat=True))
    last = runs.filter(ended_at__isnull=False).values("identity_key").annotate(last=Max("ended_at"))
    return active, {row["identity_key"]: day_of(row["last"]) for row in last}


def _after_others(
    found: Verdicts, version: SopVersion, form: Form, people: list[Participant], day: date
) -> list[Participant]:
    """Without whom another SOP has in hand; looked at again the next day."""
    if not form.not_while_in or not people:
        return people
    busy: dict[int, str] = {}
    for part in chunks(sorted({one.customer_id for one in people})):
        runs = Run.objects.active().filter(sop__key__in=form.not_while_in, customer_id__among=part)
        busy.update(runs.exclude(sop=version.sop_id).values_list("customer_id", "sop__name"))
    tomorrow = day + timedelta(days=1)
    found.refused += [
        (one, OTHER_SOP, {"sop": busy[one.customer_id]}, tomorrow)
        for one in people
        if one.customer_id in busy
    ]
    return [one for one in people if one.customer_id not in busy]


def _arms(
    version: SopVersion,
    form: Form,
    people: Sequence[Participant],
    facts: Mapping[int, Mapping[str, Any]],
    chance: Chance | None,
    *,
    is_chosen: bool,
) -> list[tuple[Participant, str, str]]:
    if not people:
        return []
    if is_chosen:
        return [(one, Run.Arm.TREAT.value, "") for one in people]
    cuts = (chance or Chance.of_book()).cuts
    strata = [
        stratum_of(facts[one.customer_id]["churn"], cuts=cuts, tier=facts[one.customer_id]["tier"])
        for one in people
    ]
    # outcomes are the customer's: all contacts and products of one are in the same arm
    placed, before = _placed(version, sorted({one.customer_id for one in people}))
    arms = assign(
        [Entrant(f"c:{one.customer_id}", s) for one, s in zip(people, strata, strict=True)],
        salt=f"{version.sop_id}:{version.number}",
        share=form.holdout,
        placed=placed,
        before=before,
    )
    return list(zip(people, arms, strata, strict=True))


def _placed(
    version: SopVersion, customer_ids: Sequence[int]
) -> tuple[dict[str, int], dict[str, str]]:
    """How many customers chance placed in each stratum of this version, and the arms of those who
    come again."""
    runs = Run.objects.filter(version_id=version.pk).exclude(stratum="").order_by()
    counts = runs.values("stratum").annotate(many=Count("customer_id", distinct=True))
    placed = {row["stratum"]: row["many"] for row in counts}
    before: dict[str, str] = {}
    for part in chunks(customer_ids):
        again = runs.filter(customer_id__among=part).values_list("customer_id", "arm")
        before.update((f"c:{pk}", arm) for pk, arm in again)
    return placed, before
