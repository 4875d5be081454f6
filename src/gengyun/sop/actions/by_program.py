"""Started by a program of the company's own: customers named by the ids that it knows them by.

The program's call is the entry of such an SOP, as an event is of others: its further condition and
the hold-out count. Chance draws the hold-out, so what the program is told of it is the truth, but
not a reason to treat those customers otherwise.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import uuid4

from django.db import transaction

from gengyun.customers.models import Customer
from gengyun.customers.queries.merges import kept_by_gone
from gengyun.kernel.days import day_of
from gengyun.kernel.errors import NotFound, Refusal
from gengyun.portfolio.calc.expressions import Expr, Not
from gengyun.portfolio.models import CustomerSummary
from gengyun.portfolio.queries.expressions import to_q
from gengyun.sop.actions.by_hand import SopDoesNotRun, TooManyAtOnce
from gengyun.sop.actions.entering import enter
from gengyun.sop.models import Run, Sop, SopVersion
from gengyun.sop.queries.forms import form_of
from gengyun.sop.queries.judging import judge
from gengyun.team.actions.audit import record
from gengyun.team.actions.tokens import answer_once
from gengyun.team.calc.tokens import scope_of
from gengyun.team.models import ApiToken

MOST = 1_000
LONGEST_ID = 200
ACCEPTED, REFUSED = "accepted", "refused"
# reasons of this way of coming in; the others are those of `queries.judging`
NOT_FOUND, NOT_READY, NOT_FITTING, UNKNOWN = "not_found", "not_ready", "not_fitting", "unknown"


class NotByProgram(Refusal):
    code = "sop_not_by_program"
    status = 409
    message = "This SOP is not entered by programs: its published version says otherwise."


class CustomersUnreadable(Refusal):
    code = "customers_unreadable"
    message = "“customers” is a list of 1 to %(most)s ids of customers, as texts."


@dataclass
class _Asked:
    """What is known of the ids so far."""

    customers: dict[str, int] = field(default_factory=dict)  # id -> customer
    refused: dict[str, str] = field(default_factory=dict)  # id -> reason


def enter_by_program(
    *, now: datetime, token: ApiToken, sop_key: str, external_ids: Any, key: str = ""
) -> tuple[dict[str, Any], bool]:
    """(one answer for each id, whether it is the answer to an earlier request of the same `key`)

    Each answer: {"id", "outcome": accepted or refused, "reason", "runs", "held_out"}. Without a
    `key` every request is a time of its own and only the SOP's re-entry keeps a customer out.
    """
    sop = Sop.objects.filter(key=sop_key).first()
    if sop is None or token.scope != scope_of("sops.enter", sop.pk):
        raise NotFound
    ids = _read(external_ids)
    if not key:
        return _entered(now, token, sop, ids, uuid4().hex), False
    # the mark outlives the kept answer: the same key never lets the same participant in twice
    mark = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return answer_once(
        now=now, token=token, key=key, asked=[sop.pk, ids],
        do=lambda: _entered(now, token, sop, ids, mark),
    )  # fmt: skip


def _read(raw: Any) -> list[str]:
    """In their order, each once."""
    if not isinstance(raw, list) or not raw:
        raise CustomersUnreadable(most=MOST)
    if len(raw) > MOST:
        raise TooManyAtOnce(most=MOST)
    for one in raw:
        if not isinstance(one, str) or not 0 < len(one.strip()) <= LONGEST_ID or "\x00" in one:
            raise CustomersUnreadable(most=MOST)
    return list(dict.fromkeys(one.strip().encode("utf-8", "replace").decode() for one in raw))


@transaction.atomic
def _entered(
    now: datetime, token: ApiToken, sop: Sop, ids: Sequence[str], mark: str
) -> dict[str, Any]:
    found = Sop.objects.select_for_update().get(pk=sop.pk)
    version = SopVersion.objects.filter(sop=found, state=SopVersion.State.PUBLISHED).first()
    if version is None or found.state != Sop.State.LIVE:
        raise SopDoesNotRun
    form = form_of(version)
    if form.entry.kind != "api":
        raise NotByProgram
    day = day_of(now)
    asked = _known(ids)
    _fit(asked, form.entry.when, day)
    turn = sorted(set(asked.customers.values()))
    verdicts = judge(version, form, turn, day=day)
    mark = f"api:{mark}"
    if turn:
        marks = dict.fromkeys(turn, mark)
        enter(version, turn, now=now, day=day, marks=marks, found=verdicts)
    made = _made(found, turn, mark)
    record(actor=None, now=now, action="sop.entered_by_program", obj=found,
           changes={"token": (None, str(token)), "asked": (None, len(ids)),
                    "runs": (None, sum(len(arms) for arms in made.values()))})  # fmt: skip
    why: dict[int, tuple[str, Mapping[str, Any]]] = {}
    for who, reason, facts, _ in verdicts.refused:
        why.setdefault(who.customer_id, (reason, facts))
    answers = [_answer(one, asked, made, why) for one in ids]
    accepted = sum(answer["outcome"] == ACCEPTED for answer in answers)
    return {"sop": found.key, "version": version.number, "accepted": accepted,
            "refused": len(answers) - accepted, "customers": answers}  # fmt: skip


def _known(ids: Sequence[str]) -> _Asked:
    """Who was merged is answered for by whom it is part of now; who was archived stays away."""
    rows = Customer.objects.filter(external_id__among=list(ids)).order_by()
    found = dict(rows.values_list("external_id", "pk"))
    kept = kept_by_gone() if found else {}
    into = {one: kept.get(pk, pk) for one, pk in found.items()}
    present = Customer.objects.present().filter(pk__among=sorted(set(into.values()))).order_by()
    there = set(present.values_list("pk", flat=True))
    asked = _Asked()
    for one in ids:
        if into.get(one) in there:
            asked.customers[one] = into[one]
        else:
            asked.refused[one] = NOT_FOUND
    return asked


def _fit(asked: _Asked, when: Expr | None, day: date) -> None:
    """Without those that the entry's own condition keeps out, or about whom nothing is known."""
    rows = CustomerSummary.objects.filter(pk__among=sorted(set(asked.customers.values())))
    keys = rows.order_by().values_list("pk", flat=True)
    ready = set(keys)
    fitting, unfit = ready, set[int]()
    if when is not None:
        fitting = set(keys.filter(to_q(when, None, day)))
        unfit = set(keys.filter(to_q(Not(when), None, day)))
    for external_id, pk in list(asked.customers.items()):
        reason = ""
        if pk not in ready:
            reason = NOT_READY  # so new that its figures are not there yet
        elif pk not in fitting:
            reason = NOT_FITTING if pk in unfit else UNKNOWN
        if reason:
            asked.refused[external_id] = reason
            del asked.customers[external_id]


def _made(sop: Sop, turn: Sequence[int], mark: str) -> dict[int, list[str]]:
    """Arms of the runs that this request, or an earlier one of the same key, began."""
    found: dict[int, list[str]] = {}
    rows = Run.objects.filter(sop=sop, customer_id__among=turn, entry_key__endswith=f":{mark}")
    for pk, arm in rows.order_by("pk").values_list("customer_id", "arm"):
        found.setdefault(pk, []).append(arm)
    return found


def _answer(
    one: str,
    asked: _Asked,
    made: Mapping[int, list[str]],
    why: Mapping[int, tuple[str, Mapping[str, Any]]],
) -> dict[str, Any]:
    if one in asked.refused:
        return {"id": one, "outcome": REFUSED, "reason": asked.refused[one]}
    pk = asked.customers[one]
    if arms := made.get(pk):
        held = all(arm == Run.Arm.HOLDOUT for arm in arms)
        return {"id": one, "outcome": ACCEPTED, "runs": len(arms), "held_out": held}
    reason, told = why.get(pk, ("gone", {}))
    more = {name: told[name] for name in ("free_on", "ended_on", "sop") if name in told}
    return {"id": one, "outcome": REFUSED, "reason": reason, **more}
