"""The price asked for the next term, of many renewals at once: a rise of list prices is told to
everybody whose contract ends that year."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from django.db import transaction

from gengyun.kernel.errors import NotFound, Refusal
from gengyun.kernel.rows import insert, update
from gengyun.revenue.actions.renewals import RenewalDecided, askable, tell
from gengyun.revenue.models import Renewal, RenewalChange, RenewalState
from gengyun.team.actions.audit import record_many
from gengyun.team.models import User
from gengyun.team.queries.access import require

MOST_ASKED = 5_000  # renewals at once

Told = dict[int, tuple[int | None, int | None]]  # renewal -> asked before, asked now


class TooManyAsked(Refusal):
    code = "renewal_too_many_asked"
    message = "That are %(count)s renewals; at most %(most)s take a price at once. Narrow the view."


class AskedMeanwhile(Refusal):
    code = "renewal_asked_meanwhile"
    status = 409
    message = "Somebody changed what is asked of %(customer)s meanwhile. Look again."


@transaction.atomic
def ask_more(
    *,
    actor: User | None,
    now: datetime,
    renewal_ids: Sequence[int],
    more: Decimal,
    why: str = "",
) -> Told:
    """What comes due and `more` of it (0.06: six per cent), to the minor unit, of all or of none.

    Returns what was asked before and is asked now, where that changed. Renewals of which nothing
    comes due are left as they are.
    """
    wanted = {}
    for row in _locked(actor, renewal_ids):
        if row.due_minor > 0:
            raised = (row.due_minor * (1 + more)).quantize(Decimal(1), ROUND_HALF_UP)
            wanted[row] = askable(int(raised), row.due_minor)
    return _write(wanted, actor=actor, now=now, why=why)


@transaction.atomic
def put_back_asked(
    *, actor: User | None, now: datetime, told: Mapping[int, Sequence[int | None]]
) -> None:
    """Undo of `ask_more`: nothing of it, where one was changed since."""
    rows = _locked(actor, list(told))
    for row in rows:
        if row.asked_minor != told[row.pk][1]:
            raise AskedMeanwhile(customer=row.customer.name)
    _write({row: told[row.pk][0] for row in rows}, actor=actor, now=now, why="undo")


def _locked(actor: User | None, renewal_ids: Sequence[int]) -> list[Renewal]:
    require(actor, "renewal.work")
    keys = sorted(set(renewal_ids))
    if len(keys) > MOST_ASKED:
        raise TooManyAsked(count=len(keys), most=MOST_ASKED)
    rows = Renewal.objects.visible_to(actor).exclude(state=RenewalState.MERGED)
    locked = rows.select_for_update(of=("self",)).select_related("customer")
    found = list(locked.filter(pk__among=keys).order_by("pk"))
    if len(found) < len(keys):
        raise NotFound
    if any(row.state != RenewalState.OPEN for row in found):
        raise RenewalDecided
    return found


def _write(
    wanted: Mapping[Renewal, int | None], *, actor: User | None, now: datetime, why: str
) -> Told:
    """Each change kept and audited, as if it had been said renewal by renewal."""
    told: Told = {}
    changed: list[Renewal] = []
    for row, minor in wanted.items():
        if row.asked_minor != minor:
            told[row.pk] = (row.asked_minor, minor)
            row.asked_minor = minor
            changed.append(row)
    update(Renewal, changed, ["asked_minor"])
    insert(
        [
            RenewalChange(
                renewal=row, at=now, actor=actor, field="asked_minor",
                old=told[row.pk][0], new=told[row.pk][1], why=why.strip()[:500],
            )
            for row in changed
        ]
    )  # fmt: skip
    reason = {"why": ["", why]} if why else {}
    record_many(
        actor=actor,
        now=now,
        action="renewal.forecast",
        changes=[(row, {"asked_minor": list(told[row.pk])} | reason) for row in changed],
    )
    tell(changed, now=now)
    return told
