"""SOPs and their versions: a draft is worked on, published it runs, and is never edited again."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils.text import slugify

from gengyun.customers.models import TouchModel
from gengyun.kernel.errors import Refusal, filled
from gengyun.portfolio.calc.expressions import All, AnyOf, Expr, Not, fingerprint
from gengyun.sop.actions.migrating import migrate_runs
from gengyun.sop.calc.check import check
from gengyun.sop.calc.form import Problem, read
from gengyun.sop.models import Sop, SopVersion
from gengyun.sop.queries.known import known
from gengyun.team.actions.audit import record
from gengyun.team.models import User
from gengyun.team.queries.access import require

LONGEST_NAME, LONGEST_NOTE = 80, 200
LARGEST_FORM = 400_000  # characters: sixty steps with long letters in two languages


class SopNameMissing(Refusal):
    code = "sop_name_missing"
    message = "An SOP needs a name."


class SopKeyTaken(Refusal):
    code = "sop_key_taken"
    status = 409
    message = "There is an SOP with the key %(key)s already."


class SopFormUnreadable(Refusal):
    code = "sop_form_unreadable"
    message = "This is not the form of an SOP."


class NoSopDraft(Refusal):
    code = "no_sop_draft"
    status = 409
    message = "There is no draft."


class SopStopped(Refusal):
    code = "sop_stopped"
    status = 409
    message = "This SOP was stopped for good; make a new one from it."


class SopHasRun(Refusal):
    code = "sop_has_run"
    status = 409
    message = "An SOP that was published is stopped, not deleted."


class BadSop(Refusal):
    """`problems` lists every fault with its place."""

    code = "bad_sop"
    message = "The SOP cannot be published: %(count)s faults; the first: %(first)s"

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = list(problems)
        first = self.problems[0]
        said = filled(first.msgid, dict(first.params))
        super().__init__(count=len(self.problems), first=f"{first.path}: {said}")


@transaction.atomic
def create_sop(
    *,
    actor: User | None,
    now: datetime,
    name: str,
    form: Mapping[str, Any] | None = None,
    key: str = "",
    touch_model: str = "",
    owner: User | None = None,
    library_key: str = "",
) -> Sop:
    """An SOP with its first draft. It does nothing until it is published."""
    require(actor, "sops.edit")
    sop = Sop(
        key=_free_key(key, name),
        name=_name(name),
        touch_model=touch_model if touch_model in TouchModel.values else "",
        owner=owner or actor,
        library_key=library_key[:60],
        created_at=now,
        changed_at=now,
    )
    sop.save(force_insert=True)
    record(actor=actor, now=now, action="sop.created", obj=sop)
    _draft(sop, form or {}, actor, now)
    return sop


def _name(name: str) -> str:
    name = " ".join(name.split())[:LONGEST_NAME]
    if not name:
        raise SopNameMissing
    return name


def _free_key(wanted: str, name: str) -> str:
    """The key asked for, or one made of the name; Chinese names give a number."""
    if wanted:
        key = slugify(wanted)[:60]
        if not key or Sop.objects.filter(key=key).exists():
            raise SopKeyTaken(key=wanted[:60])
        return key
    base = slugify(name)[:50] or "sop"
    taken = set(Sop.objects.filter(key__startswith=base).values_list("key", flat=True))
    if base != "sop" and base not in taken:
        return base
    return next(key for n in range(1, len(taken) + 2) if (key := f"{base}-{n}") not in taken)


@transaction.atomic
def rename(
    *, actor: User | None, now: datetime, sop: Sop, name: str, touch_model: str | None = None
) -> Sop:
    require(actor, "sops.edit")
    found = _locked(sop)
    changes = {"name": (found.name, _name(name))}
    if touch_model is not None:
        wanted = touch_model if touch_model in TouchModel.values else ""
        changes["touch_model"] = (found.touch_model, wanted)
    changes = {field: pair for field, pair in changes.items() if pair[0] != pair[1]}
    for field, (_old, new) in changes.items():
        setattr(found, field, new)
    if changes:
        found.changed_at = now
        found.save()
        record(actor=actor, now=now, action="sop.renamed", obj=found, changes=changes)
    return found


@transaction.atomic
def save_draft(
    *, actor: User | None, now: datetime, sop: Sop, form: Mapping[str, Any]
) -> SopVersion:
    """Keep what is being worked on; a draft may have faults."""
    require(actor, "sops.edit")
    found = _locked(sop)
    if found.state == Sop.State.STOPPED:
        raise SopStopped
    draft = _draft(found, form, actor, now)
    record(actor=actor, now=now, action="sop.draft_saved", obj=found,
           changes={"version": (None, draft.number)})  # fmt: skip
    return draft


def _draft(sop: Sop, form: Mapping[str, Any], actor: User | None, now: datetime) -> SopVersion:
    _readable(form)
    draft = SopVersion.objects.filter(sop=sop, state=SopVersion.State.DRAFT).first()
    if draft is None:
        last = SopVersion.objects.filter(sop=sop).aggregate(last=Max("number"))["last"] or 0
        draft = SopVersion(sop=sop, number=last + 1, created_at=now)
    draft.form, draft.author, draft.changed_at = dict(form), actor, now
    draft.save()
    return draft


def _readable(form: Mapping[str, Any]) -> None:
    try:
        text = json.dumps(form, ensure_ascii=False, allow_nan=False)
        text.encode()
    except (TypeError, ValueError, RecursionError):
        raise SopFormUnreadable from None
    if not isinstance(form, Mapping) or len(text) > LARGEST_FORM or "\\u0000" in text:
        raise SopFormUnreadable


@transaction.atomic
def discard_draft(*, actor: User | None, now: datetime, sop: Sop) -> dict[str, Any]:
    """Back to the published version; returns the form that went."""
    require(actor, "sops.edit")
    found = _locked(sop)
    draft = SopVersion.objects.filter(sop=found, state=SopVersion.State.DRAFT).first()
    if draft is None or not found.started_at:
        raise NoSopDraft
    form, number = dict(draft.form), draft.number
    draft.delete()
    record(actor=actor, now=now, action="sop.draft_discarded", obj=found,
           changes={"version": (number, None)})  # fmt: skip
    return form


@transaction.atomic
def delete_sop(*, actor: User | None, now: datetime, sop: Sop) -> None:
    """An SOP that never ran leaves nothing behind."""
    require(actor, "sops.edit")
    found = _locked(sop)
    if found.started_at is not None or found.runs.exists():
        raise SopHasRun
    record(actor=actor, now=now, action="sop.deleted", obj=found)
    found.delete()


@transaction.atomic
def publish(
    *, actor: User | None, now: datetime, sop: Sop, note: str = "", migrate: bool = False
) -> SopVersion:
    """The draft runs from now on. Who is under way stays on the version they began with, unless
    `migrate`. The next judgement lets in who fulfils a condition that has changed."""
    require(actor, "sops.edit")
    found = _locked(sop)
    if found.state == Sop.State.STOPPED:
        raise SopStopped
    draft = SopVersion.objects.filter(sop=found, state=SopVersion.State.DRAFT).first()
    if draft is None:
        raise NoSopDraft
    problems = check(draft.form, known())
    if problems:
        raise BadSop(problems)
    before = SopVersion.objects.filter(sop=found, state=SopVersion.State.PUBLISHED).first()
    if before is not None:
        before.state = SopVersion.State.RETIRED
        before.save(update_fields=["state"])
        if _entry(before.form) == _entry(draft.form):  # who was looked at is not looked at again
            draft.evaluated_on, draft.started_on = before.evaluated_on, before.started_on
            draft.started_on = before.started_on
    draft.state, draft.note = SopVersion.State.PUBLISHED, note.strip()[:LONGEST_NOTE]
    draft.published_at, draft.published_by = now, actor
    draft.save()
    if found.state == Sop.State.DRAFT:
        found.state = Sop.State.LIVE
    found.started_at = found.started_at or now
    found.changed_at = now
    found.save()
    moved = migrate_runs(draft, now=now) if migrate else 0
    record(actor=actor, now=now, action="sop.published", obj=found,
           changes={"version": (before.number if before else None, draft.number),
                    "migrated": (None, moved)})  # fmt: skip
    sop.state, sop.started_at = found.state, found.started_at
    return draft


def _entry(form: Mapping[str, Any]) -> Any:
    """What decides whose turn it is, however it is written."""
    entry = read(form)[0].entry
    when = None if entry.when is None else fingerprint(_plain(entry.when))
    return entry.kind, when, entry.event, entry.date, entry.every, form.get("identity", "customer")


def _plain(expr: Expr) -> Expr:
    """Without groups of one, as an editor writes them."""
    if isinstance(expr, Not):
        return Not(_plain(expr.part))
    if not isinstance(expr, All | AnyOf):
        return expr
    parts = tuple(_plain(part) for part in expr.parts)
    return parts[0] if len(parts) == 1 else type(expr)(parts)


def _locked(sop: Sop) -> Sop:
    return Sop.objects.select_for_update().get(pk=sop.pk)
