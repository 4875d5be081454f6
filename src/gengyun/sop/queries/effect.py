"""The measured effect of SOPs: worked out from frozen outcomes, read for pages."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from django.db.models import Avg, Count, Exists, F, Min, OuterRef, Q, QuerySet

from gengyun.sop.calc.form import Form
from gengyun.sop.calc.measured import Declared, Flow, Rows, Told, from_json, measured
from gengyun.sop.models import Effect, RunOutcome, SopVersion
from gengyun.sop.queries.effect_observed import observed
from gengyun.sop.queries.forms import form_of

PACE = 90  # days of late that tell how many enter


def said(version: SopVersion, form: Form, *, as_of: date) -> dict[str, Any]:
    """The columns of `Effect` as of a day: with the versions before it that declared the same."""
    together = same_before(version, form)
    rows = RunOutcome.objects.filter(version__in=together, entered_on__lte=as_of)
    counting = rows.filter(reason__in=("", RunOutcome.Reason.UNKNOWN))
    told = measured(
        rows_of(together, as_of=as_of),
        _declared(form, counting),
        _flow(counting, as_of),
        today=as_of,
    )
    is_compared = told.verdict == "not_randomised"
    return {
        "first_number": together[0].number,
        "verdict": told.verdict,
        "told": told.to_json(),
        "beside": _beside(rows, counting, version),
        "observed": _observed(version, together, form, as_of) if is_compared else {},
    }


def _observed(
    version: SopVersion, together: Sequence[SopVersion], form: Form, as_of: date
) -> dict[str, Any]:
    """Made of weeks, and of many days of the lake: anew once a week."""
    last = Effect.objects.filter(
        version=version, as_of__lt=as_of, as_of__gt=as_of - timedelta(days=7)
    )
    for kept in last.order_by("-as_of").values_list("observed", flat=True):
        if kept and date.fromisoformat(kept["of"]) > as_of - timedelta(days=7):
            return dict(kept)
    found = observed(together, form, as_of=as_of)
    return {**found, "of": as_of.isoformat()} if found else {}


def same_before(version: SopVersion, form: Form) -> list[SopVersion]:
    """The version with those right before it that declared the same outcome and share, ascending:
    what they do differs, what is asked of them does not."""
    found = [version]
    earlier = SopVersion.objects.filter(
        sop=version.sop_id, number__lt=version.number, published_at__isnull=False
    )
    for one in earlier.select_related("sop").order_by("-number"):
        before = form_of(one)
        if (before.outcome, before.holdout) != (form.outcome, form.holdout):
            break
        found.insert(0, one)
    return found


def rows_of(versions: Sequence[SopVersion], *, as_of: date) -> Rows:
    """Known outcomes as columns; each version is a stratum of its own."""
    found = RunOutcome.objects.filter(
        version__in=versions, reason="", value__isnull=False, mature_on__lte=as_of
    )
    names = ("is_treated", "value", "churn", "before", "amount_minor", "currency", "version_id")
    table = list(found.order_by("pk").values_list(*names).iterator(chunk_size=20_000))
    columns = list(zip(*table, strict=True)) if table else [()] * len(names)
    version = np.array(columns[6], np.int64)
    of_version = [(version == one.pk).astype(np.float64) for one in versions[1:]]
    return Rows(
        treated=np.array(columns[0], np.bool_),
        y=np.array(columns[1], np.float64),
        before=np.column_stack([_numbers(columns[2]), _numbers(columns[3]), *of_version]),
        amount_minor=_numbers(columns[4]),
        currency=np.array(columns[5], np.str_),
    )


def _numbers(values: Sequence[float | None]) -> Any:
    return np.array([np.nan if value is None else value for value in values], np.float64)


def _declared(form: Form, counting: Any) -> Declared:
    if form.outcome is None:
        raise ValueError("no outcome is declared")
    wait = form.outcome.window_days
    if form.outcome.kind == "renewed":
        mean = counting.aggregate(mean=Avg(F("mature_on") - F("entered_on")))["mean"]
        wait = wait if mean is None else max(1, mean.days)
    return Declared(
        kind=form.outcome.kind,
        share=form.holdout,
        higher_is_better=form.outcome.higher_is_better,
        wait_days=wait,
        cost_minor=form.cost_minor,
    )


def _flow(counting: Any, as_of: date) -> Flow:
    is_waiting = Q(mature_on__gt=as_of)
    is_unknown = Q(mature_on__lte=as_of, value__isnull=True)
    arms = {
        row["is_treated"]: row
        for row in counting.order_by()
        .values("is_treated")
        .annotate(waiting=Count("pk", filter=is_waiting), unknown=Count("pk", filter=is_unknown))
    }

    def pair(name: str) -> tuple[int, int]:
        return arms.get(True, {}).get(name, 0), arms.get(False, {}).get(name, 0)

    first = counting.aggregate(first=Min("entered_on"))["first"]
    days = min(PACE, (as_of - first).days + 1) if first else 1
    recent = counting.filter(entered_on__gt=as_of - timedelta(days=days)).count()
    return Flow(waiting=pair("waiting"), unknown=pair("unknown"), per_day=recent / days)


def _beside(rows: Any, counting: Any, version: SopVersion) -> dict[str, int]:
    """Who is not counted, by reason; `overlap`: counted, and meanwhile placed by chance in another
    SOP too, so that each disturbs what the other measures."""
    told = dict.fromkeys(("again", "not_random", "no_renewal"), 0)
    by_reason = rows.exclude(reason="").order_by().values("reason").annotate(many=Count("pk"))
    told.update({row["reason"]: row["many"] for row in by_reason})
    other = RunOutcome.objects.filter(
        run__customer=OuterRef("run__customer"),
        reason="",
        entered_on__lte=OuterRef("mature_on"),
        mature_on__gte=OuterRef("entered_on"),
    ).exclude(version__sop=version.sop_id)
    told["overlap"] = counting.filter(Exists(other)).count()
    return told


@dataclass(frozen=True)
class Verdict:
    """For lists: what is said of an SOP, `daily` the interval that may be looked at every day."""

    sop_id: int
    kind: str
    verdict: str
    as_of: date
    treat: int
    holdout: int
    value: float | None
    daily: tuple[float, float, float] | None
    higher_is_better: bool


def verdicts(sop_ids: Collection[int]) -> dict[int, Verdict]:
    """sop -> what its newest measured version came to; SOPs not measured yet are absent."""
    found = newest_of_all().filter(version__sop__in=list(sop_ids))
    return {one.sop_id: one for one in map(_verdict, found)}


def newest_of_all() -> QuerySet[Effect]:
    """Of each measured SOP what was said last, of its newest version."""
    last = Effect.objects.filter(version__sop=OuterRef("version__sop")).order_by(
        "-version__number", "-as_of"
    )
    found = Effect.objects.filter(pk=last.values("pk")[:1])
    return found.select_related("version__sop").order_by("version__sop")


def _verdict(effect: Effect) -> Verdict:
    told, form = from_json(effect.told), form_of(effect.version)
    outcome = form.outcome
    return Verdict(
        sop_id=effect.version.sop_id,
        kind=outcome.kind if outcome else "",
        verdict=effect.verdict,
        as_of=effect.as_of,
        treat=told.treat.known,
        holdout=told.holdout.known,
        value=told.exact[0] if told.exact else None,
        daily=told.daily,
        higher_is_better=outcome.higher_is_better if outcome else True,
    )


def newest(version: SopVersion) -> Effect | None:
    return Effect.objects.filter(version=version).order_by("-as_of").first()


def past(version: SopVersion) -> Iterator[tuple[date, Told]]:
    """What was said on earlier days, oldest first: the interval as it narrowed."""
    for effect in Effect.objects.filter(version=version).order_by("as_of"):
        yield effect.as_of, from_json(effect.told)
