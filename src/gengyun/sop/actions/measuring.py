"""Every night: who entered is enrolled, outcomes whose day has come are read, the effect is said.

Idempotent: what a run is measured by is frozen when it is enrolled, an outcome is read on its day.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from gengyun.churn.queries.settings import current as churn_settings
from gengyun.revenue.models import Renewal
from gengyun.sop.calc.assign import NOT_RANDOMISED
from gengyun.sop.calc.form import Form
from gengyun.sop.models import Effect, Run, RunOutcome, SopVersion
from gengyun.sop.queries.effect import newest, said
from gengyun.sop.queries.effect_outcomes import Read, values_of
from gengyun.sop.queries.forms import form_of

CHUNK = 2_000
RECHECK = timedelta(days=120)  # a signature may be entered late


def measure(*, as_of: date, now: datetime) -> int:
    """Of every version that ever ran and declared an outcome; how many were said."""
    versions = [(version, form_of(version)) for version in measured_versions()]
    for version, form in versions:  # all before any is said: they may overlap
        enrol(version, form, as_of=as_of)
        read_outcomes(version, form, as_of=as_of)
    due = [(version, form) for version, form in versions if _may_change(version, as_of)]
    for version, form in due:
        say(version, form, as_of=as_of, now=now)
    return len(due)


def _may_change(version: SopVersion, as_of: date) -> bool:
    """A retired version whose outcomes were all read before it was last said says the same."""
    last = newest(version)
    if last is None or version.state == SopVersion.State.PUBLISHED or last.as_of >= as_of:
        return True
    since = Q(read_on__isnull=True) | Q(read_on__gt=last.as_of)
    return RunOutcome.objects.filter(since, version_id=version.pk).exists()


def measured_versions() -> Iterator[SopVersion]:
    ran = SopVersion.objects.filter(published_at__isnull=False).select_related("sop")
    for version in ran.order_by("sop", "number"):
        if form_of(version).outcome is not None:
            yield version


def enrol(version: SopVersion, form: Form, *, as_of: date) -> int:
    """A row for each run that has none, with what was known when it entered."""
    runs = Run.objects.filter(version_id=version.pk, entered_on__lte=as_of)
    new = runs.filter(~Exists(RunOutcome.objects.filter(run=OuterRef("pk"))))
    ids = list(new.order_by("pk").values_list("pk", flat=True))
    for part in _parts(ids):
        _enrol(version, form, part)
    return len(ids)


@transaction.atomic
def _enrol(version: SopVersion, form: Form, ids: Sequence[int]) -> None:
    """The customer is the unit of chance and of the outcome: its first run of the version counts,
    the others are told apart."""
    runs = list(Run.objects.filter(pk__in=ids).order_by("pk"))
    customers = {run.customer_id for run in runs}
    earlier = Run.objects.filter(version_id=version.pk, customer_id__in=customers)
    first = dict(earlier.order_by("-pk").values_list("customer_id", "pk"))  # the last of each wins
    renewals = Renewal.objects.in_bulk(
        {pk for run in runs if (pk := run.entry_facts.get("renewal_id")) is not None}
    )
    grace = timedelta(days=churn_settings().grace_days)
    RunOutcome.objects.bulk_create(
        [
            _row(version, form, run, renewals, grace, is_first=first.get(run.customer_id) == run.pk)
            for run in runs
        ],
        ignore_conflicts=True,
    )


def _row(
    version: SopVersion,
    form: Form,
    run: Run,
    renewals: dict[int, Renewal],
    grace: timedelta,
    *,
    is_first: bool,
) -> RunOutcome:
    if form.outcome is None:
        raise ValueError("no outcome is declared")
    facts, kind = run.entry_facts, form.outcome.kind
    renewal = renewals.get(facts.get("renewal_id") or 0)
    row = RunOutcome(
        run=run,
        version=version,
        is_treated=run.arm == Run.Arm.TREAT,
        entered_on=run.entered_on,
        mature_on=run.entered_on + timedelta(days=form.outcome.window_days),
        churn=facts.get("churn"),
        before=facts.get(kind) if kind in {"health", "metric"} else None,
    )
    if kind == "renewed" and renewal is not None:
        row.mature_on = renewal.due_on + grace
        row.renewal_id, row.amount_minor = renewal.pk, renewal.due_minor
        row.currency = renewal.currency
    if not is_first:
        row.reason = RunOutcome.Reason.AGAIN
    elif run.stratum == NOT_RANDOMISED:
        row.reason = RunOutcome.Reason.NOT_RANDOM
    elif kind == "renewed" and renewal is None:
        row.reason = RunOutcome.Reason.NO_RENEWAL
    return row


def read_outcomes(version: SopVersion, form: Form, *, as_of: date) -> int:
    """Of those whose day has come; both arms alike, however early a success was known."""
    if form.outcome is None:
        return 0
    due = RunOutcome.objects.filter(
        version_id=version.pk, read_on__isnull=True, mature_on__lte=as_of
    )
    count = _read(due, form, as_of)
    if form.outcome.kind == "renewed":
        late = RunOutcome.objects.filter(
            version_id=version.pk, value=0, read_on__isnull=False, mature_on__gte=as_of - RECHECK
        )
        _read(late, form, as_of)
    return count


def _read(rows: QuerySet[RunOutcome], form: Form, as_of: date) -> int:
    ids = list(rows.order_by("mature_on", "pk").values_list("pk", flat=True))
    for part in _parts(ids):
        with transaction.atomic():
            found = list(RunOutcome.objects.filter(pk__in=part).select_related("run"))
            values = values_of(form, found)
            for row in found:
                _put(row, values[row.run_id], as_of)
            RunOutcome.objects.bulk_update(found, ["value", "reason", "read_on"])
    return len(ids)


def _put(row: RunOutcome, read: Read, as_of: date) -> None:
    row.value, row.read_on = read, row.read_on or as_of
    if read is None and not row.reason:
        row.reason = RunOutcome.Reason.UNKNOWN


@transaction.atomic
def say(version: SopVersion, form: Form, *, as_of: date, now: datetime) -> Effect:
    found = said(version, form, as_of=as_of)
    effect, _ = Effect.objects.update_or_create(
        version=version, as_of=as_of, defaults={**found, "computed_at": now}
    )
    return effect


def _parts(ids: Sequence[int]) -> Iterable[Sequence[int]]:
    return (ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK))
