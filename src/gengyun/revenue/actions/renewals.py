"""What people say about a renewal: category, amount, reason. Every change is kept."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F

from gengyun.kernel.errors import NotFound, Refusal
from gengyun.kernel.outbox import emit
from gengyun.revenue.actions.checkpoint_views import follow_category
from gengyun.revenue.calc.checkpoints import gap
from gengyun.revenue.models import Renewal, RenewalChange, RenewalState
from gengyun.revenue.models.renewals import Category
from gengyun.team.actions.audit import record
from gengyun.team.models import User
from gengyun.team.queries.access import require

MOST_TIMES = 20  # a forecast of more than that times what comes due is a slip of the unit
CHUNK = 500


class RenewalDecided(Refusal):
    code = "renewal_decided"
    status = 409
    message = "This renewal has its outcome already; a forecast changes nothing any more."


class RenewalNotDecided(Refusal):
    code = "renewal_not_decided"
    status = 409
    message = "This renewal is still open."


class SignedByContract(Refusal):
    code = "renewal_signed_by_contract"
    message = "“Signed” comes from the renewal contract; record that and this follows."


class LossNeedsCause(Refusal):
    code = "renewal_loss_needs_cause"
    message = "A loss needs its cause: record it as the outcome."


class ForecastBad(Refusal):
    code = "renewal_forecast_bad"
    message = "The amount must be 0 or more, and not %(times)s times what comes due."


class AskedBad(Refusal):
    code = "renewal_asked_bad"
    message = "The price asked must be more than 0, and not %(times)s times what comes due."


class CategoryUnknown(Refusal):
    code = "renewal_category_unknown"
    message = "There is no such category."


class ForecastChanged(Refusal):
    code = "renewal_changed_meanwhile"
    status = 409
    message = "Somebody changed this renewal meanwhile: %(category)s, %(amount)s. Look again."


_KEEP: Any = object()


@transaction.atomic
def set_forecast(
    *,
    actor: User | None,
    now: datetime,
    renewal_id: int,
    category: str | None = None,
    forecast_minor: int | None = _KEEP,
    asked_minor: int | None = _KEEP,
    why: str = "",
) -> dict[str, list[Any]]:
    """Category and amount as the CSM sees them, and the ARR asked of the customer for the next
    term; returns {field: [old, new]} of what changed.

    A category without an amount takes what was asked, or else what comes due; "not judged" takes
    the amount away. What is asked is no judgement: it changes nothing else.
    """
    require(actor, "renewal.work")
    renewal = locked(actor, renewal_id)
    if renewal.state != RenewalState.OPEN:
        raise RenewalDecided
    if category is not None and category != renewal.category:
        _must_be_sayable(category)
    wanted = {"category": category or renewal.category, "forecast_minor": renewal.forecast_minor}
    if forecast_minor is not _KEEP:
        wanted["forecast_minor"] = _usable(forecast_minor, renewal)
        if wanted["category"] == Category.UNJUDGED and forecast_minor is not None:
            wanted["category"] = Category.EXPECTED  # who names an amount has judged
    if wanted["category"] == Category.UNJUDGED:
        wanted["forecast_minor"] = None
    elif wanted["forecast_minor"] is None:
        wanted["forecast_minor"] = _usual(renewal, asked_minor)
    if asked_minor is not _KEEP:
        wanted["asked_minor"] = askable(asked_minor, renewal.due_minor)
    told = write(renewal, wanted, actor=actor, now=now, why=why)
    if told:
        follow_category(renewal, actor=actor, now=now)
        record(
            actor=actor,
            now=now,
            action="renewal.forecast",
            obj=renewal,
            changes=told | ({"why": ["", why]} if why else {}),
        )
        tell([renewal], now=now)
    return told


@transaction.atomic
def set_many(
    *,
    actor: User | None,
    now: datetime,
    renewal_ids: Sequence[int],
    category: str,
    why: str = "",
) -> dict[int, dict[str, list[Any]]]:
    """The same category for several, all or none; returns what `put_back` needs."""
    found = {}
    for pk in sorted(set(renewal_ids)):
        told = set_forecast(actor=actor, now=now, renewal_id=pk, category=category, why=why)
        if told:
            found[pk] = told
    return found


@transaction.atomic
def put_back(
    *, actor: User | None, now: datetime, renewal_id: int, told: Mapping[str, Sequence[Any]]
) -> None:
    """Undo of `set_forecast`: the old values return, as a further change that says so."""
    require(actor, "renewal.work")
    renewal = locked(actor, renewal_id)
    if renewal.state != RenewalState.OPEN:
        raise RenewalDecided
    names = [name for name in ("category", "forecast_minor", "asked_minor") if name in told]
    if any(getattr(renewal, name) != told[name][1] for name in names):
        raise ForecastChanged(category=renewal.category, amount=renewal.forecast_minor)
    back = write(renewal, {n: told[n][0] for n in names}, actor=actor, now=now, why="undo")
    if back:
        follow_category(renewal, actor=actor, now=now)
        record(actor=actor, now=now, action="renewal.forecast", obj=renewal, changes=back)
        tell([renewal], now=now)


def _must_be_sayable(category: str) -> None:
    if category not in Category.values:
        raise CategoryUnknown
    if category == Category.SIGNED:
        raise SignedByContract
    if category == Category.LOST:
        raise LossNeedsCause


def _usable(minor: int | None, renewal: Renewal) -> int | None:
    if minor is None:
        return None
    most = MOST_TIMES * max(renewal.due_minor, 1)
    if minor < 0 or (renewal.due_minor > 0 and minor > most):
        raise ForecastBad(times=MOST_TIMES)
    return minor


def _usual(renewal: Renewal, asked_minor: int | None) -> int:
    """What is forecast where a category alone is said."""
    asked = renewal.asked_minor if asked_minor is _KEEP else asked_minor
    return renewal.due_minor if asked is None else asked


def askable(minor: int | None, due_minor: int) -> int | None:
    """A price that may be asked; None takes it back."""
    if minor is not None and (minor <= 0 or minor > MOST_TIMES * max(due_minor, 1)):
        raise AskedBad(times=MOST_TIMES)
    return minor


@transaction.atomic
def follow_owners(*, customer_ids: Sequence[int], now: datetime) -> int:
    """Open renewals go with the customer to its new CSM; decided ones stay with who decided."""
    moved = []
    for start in range(0, len(customer_ids), CHUNK):
        rows = Renewal.objects.filter(
            customer_id__in=customer_ids[start : start + CHUNK], state=RenewalState.OPEN
        ).select_related("customer")
        for row in rows.exclude(owner_id=F("customer__owner_id"), owner_id__isnull=False):
            if row.owner_id != row.customer.owner_id:
                told = {"owner": [row.owner_id, row.customer.owner_id]}
                row.owner_id = row.customer.owner_id
                row.save(update_fields=["owner"])
                keep(row, told, actor=None, now=now)
                moved.append(row)
    return len(moved)


# --- for every action that touches renewals -----------------------------------------------------


def locked(actor: User | None, renewal_id: int) -> Renewal:
    """The row, locked; one that the actor may not see is not there."""
    found: Renewal | None = (
        Renewal.objects.visible_to(actor)
        .exclude(state=RenewalState.MERGED)
        .select_for_update(of=("self",))
        .filter(pk=renewal_id)
        .first()
    )
    if found is None:
        raise NotFound
    return found


def write(
    renewal: Renewal,
    values: Mapping[str, Any],
    *,
    actor: User | None,
    now: datetime,
    why: str = "",
) -> dict[str, list[Any]]:
    """Set fields, keep each change, and keep `gap` in step; returns {field: [old, new]}."""
    told = {
        name: [getattr(renewal, name), value]
        for name, value in values.items()
        if getattr(renewal, name) != value
    }
    if not told:
        return {}
    for name, value in values.items():
        setattr(renewal, name, value)
    if "forecast_minor" in told:
        renewal.amount_updated_at = now
    apart = gap(renewal.category, renewal.signal) if renewal.state == RenewalState.OPEN else 0
    kept = dict(told)
    if apart != renewal.gap:
        kept["gap"] = [renewal.gap, apart]
        renewal.gap = apart
    renewal.save()
    keep(renewal, kept, actor=actor, now=now, why=why)
    return told


def keep(
    renewal: Renewal,
    told: Mapping[str, Sequence[Any]],
    *,
    actor: User | None,
    now: datetime,
    why: str = "",
) -> None:
    RenewalChange.objects.bulk_create(
        [
            RenewalChange(
                renewal=renewal,
                at=now,
                actor=actor,
                field=name,
                old=_plain(old),
                new=_plain(new),
                why=why.strip()[:500],
            )
            for name, (old, new) in told.items()
        ]
    )


def _plain(value: Any) -> Any:
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return getattr(value, "pk", value)


def tell(renewals: Iterable[Renewal], *, now: datetime) -> None:
    """Summaries and whoever else follows renewals."""
    ids = sorted({renewal.customer_id for renewal in renewals})
    for start in range(0, len(ids), CHUNK):
        emit("renewal.changed", {"customer_ids": ids[start : start + CHUNK]}, now=now)
