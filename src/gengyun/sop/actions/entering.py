"""From customers whose turn it is to runs: re-entry, other SOPs, hold-out."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction

from gengyun.kernel import rows as written
from gengyun.kernel.days import start_of
from gengyun.portfolio.models import CustomerSummary
from gengyun.sop.calc.assign import HOLDOUT
from gengyun.sop.calc.form import Form
from gengyun.sop.models import Decision, Run, SopVersion
from gengyun.sop.queries.forms import form_of
from gengyun.sop.queries.judging import ENTERED_ALREADY, GONE, Chance, Verdicts, judge
from gengyun.sop.queries.participants import Participant, chunks
from gengyun.team.models import User

BATCH = 1_000


@transaction.atomic
def enter(
    version: SopVersion,
    customer_ids: Sequence[int],
    *,
    now: datetime,
    day: date,
    marks: Mapping[int | str, str] | Mapping[int, str] | None = None,
    chance: Chance | None = None,
    only: Mapping[int, Collection[int]] | None = None,
    actor: User | None = None,
    found: Verdicts | None = None,
) -> Counter[str]:
    """Runs for these customers, once each: `marks` says by what (default: the day), for a customer
    or an identity ("k:7"), and the same mark never lets the same participant in twice. `only`: the
    contacts of a customer whose turn it is, where it is not all of them. `found`: the verdicts, for
    who has asked for them in the same transaction. Returns outcome -> how
    many."""
    form = form_of(version)
    if found is None:
        found = judge(version, form, customer_ids, day=day, chance=chance, only=only)
    by: dict[Any, str] = dict(marks or {})
    keys = {
        f"{version.sop_id}:{one.identity}:"
        f"{by.get(one.identity) or by.get(one.customer_id, day.isoformat())}":
        (one, arm, stratum)
        for one, arm, stratum in found.entering
    }  # fmt: skip
    there = _used(list(keys))
    rows = [
        _run(version, form, who, key=key, facts=found.facts[who[0].customer_id], now=now, day=day)
        for key, who in keys.items()
        if key not in there
    ]
    for row in rows:
        row.entered_by_id = actor.pk if actor is not None else None
    _write(rows)
    again = [keys[key][0] for key in keys if key in there]
    found.refused += [(one, ENTERED_ALREADY, {}, None) for one in again]
    _note(version, found, day=day)
    done: Counter[str] = Counter(row.arm for row in rows)
    done.update(reason for _, reason, _, _ in found.refused)
    return done


def _used(keys: Sequence[str]) -> set[str]:
    rows = Run.objects.filter(entry_key__among=list(keys)).order_by()
    return set(rows.values_list("entry_key", flat=True))


def _write(rows: Sequence[Run]) -> None:
    try:
        with transaction.atomic():
            written.insert(rows)
    except IntegrityError:
        # another worker let some of them in at the same moment: those stay as they are
        for row in rows:
            row.pk = None
        Run.objects.bulk_create(rows, batch_size=BATCH, ignore_conflicts=True)


def _run(
    version: SopVersion,
    form: Form,
    who: tuple[Participant, str, str],
    *,
    key: str,
    facts: dict[str, Any],
    now: datetime,
    day: date,
) -> Run:
    one, arm, stratum = who
    is_held = arm == HOLDOUT
    window = form.outcome.window_days if form.outcome else 1
    return Run(
        sop_id=version.sop_id,
        version_id=version.pk,
        customer_id=one.customer_id,
        contact_id=one.contact_id,
        product_key=one.product_key,
        identity_key=one.identity,
        entry_key=key,
        arm=arm,
        # nothing is done with who is held out; the place is taken until the outcome is known
        state=Run.State.WAITING if is_held else Run.State.RUNNING,
        entered_at=now,
        entered_on=day,
        entry_facts=facts,
        stratum=stratum,
        step_key="" if is_held else form.first,
        step_since=now,
        due_at=start_of(day + timedelta(days=window)) if is_held else now,
    )


def _note(version: SopVersion, found: Verdicts, *, day: date) -> None:
    """Why not, for those whose turn it was. Said once a day, however often it is evaluated."""
    rows = [
        Decision(
            version_id=version.pk,
            customer_id=one.customer_id,
            identity_key=one.identity,
            on=day,
            outcome="not_entered",
            reason=reason,
            told=told,
            retry_on=retry,
        )
        for one, reason, told, retry in found.refused
        if reason not in {GONE, ENTERED_ALREADY}
    ]
    there = set(
        CustomerSummary.objects.filter(pk__in={row.customer_id for row in rows}).values_list(
            "pk", flat=True
        )
    ) if len(rows) <= BATCH else None  # fmt: skip
    kept = [row for row in rows if there is None or row.customer_id in there]
    Decision.objects.bulk_create(kept, batch_size=BATCH, ignore_conflicts=True)


def retried(version: SopVersion, *, day: date) -> set[int]:
    """Customers kept out for a time that is over: their turn comes again if they still fit."""
    due = Decision.objects.filter(version=version, retry_on__lte=day).order_by()
    return set(due.values_list("customer_id", flat=True))


def settle_retries(version: SopVersion, customer_ids: Collection[int], *, day: date) -> None:
    for part in chunks(sorted(customer_ids)):
        Decision.objects.filter(
            version=version, retry_on__lte=day, on__lt=day, customer_id__among=part
        ).update(retry_on=None)
