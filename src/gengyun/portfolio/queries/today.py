"""The morning page: what the portfolio holds, who needs a person and why, what moved."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum

from gengyun.customers.models import Tier
from gengyun.portfolio.calc.needs import GROUPS, RENEWAL_DAYS, Need
from gengyun.portfolio.models import CustomerSummary, SeenCounters, Snooze
from gengyun.revenue.queries.receivables import due_invoices
from gengyun.team.models import User

READ_AHEAD = 400  # customers looked through for the list of needs
SHOWN_NEEDS = 50
MOVED_POINTS = 3.0
SHOWN_MOVES = 5


@dataclass(frozen=True)
class Figure:
    """One figure above the list; `change` is against what was seen at the last visit."""

    code: str  # customers, arr, risk, renewals, needs
    value: int
    change: int | None  # None: there was no visit before
    extra: int | None = None  # arr: customers with unknown ARR; renewals: their ARR; needs: urgent


@dataclass(frozen=True)
class NeedItem:
    """One customer that needs a person: the worst need, and the others as further facts."""

    summary: CustomerSummary
    need: Need
    others: list[Need]

    @property
    def group(self) -> str:
        return GROUPS.get(self.need["code"], "alert")


@dataclass(frozen=True)
class NeedList:
    items: list[NeedItem]
    total: int  # customers that need a person, capped at READ_AHEAD
    groups: dict[str, int]  # alert, task, renewal, payment
    put_off: int  # needs hidden for now


def in_scope(actor: User, scope: str) -> QuerySet[CustomerSummary]:
    """Rows of the actor's own customers ("mine"), or of all they may see ("team")."""
    rows = CustomerSummary.objects.visible_to(actor)
    return rows.filter(owner=actor) if scope == "mine" else rows


def default_scope(actor: User) -> str:
    """One's own customers where there are any, else everything one may see."""
    return "mine" if CustomerSummary.objects.filter(owner=actor).exists() else "team"


def counters(actor: User, *, scope: str, today: date, needs_total: int) -> list[Figure]:
    """Five figures of the portfolio; call `note_seen` to keep them for the next visit."""
    rows = in_scope(actor, scope)
    renewing = Q(renews_on__gte=today, renews_on__lte=today + timedelta(days=RENEWAL_DAYS))
    sums = rows.aggregate(
        customers=Count("pk"),
        arr=Sum("arr_minor"),
        known=Count("arr_minor"),
        risk=Count("pk", filter=Q(band="D")),
        renewals=Count("pk", filter=renewing),
        renewing_arr=Sum("arr_minor", filter=renewing),
    )
    extras = {
        "arr": sums["customers"] - sums["known"],
        "renewals": sums["renewing_arr"] or 0,
    }
    values = {
        "customers": sums["customers"],
        "arr": sums["arr"] or 0,
        "risk": sums["risk"],
        "renewals": sums["renewals"],
        "needs": needs_total,
    }
    before = seen_before(actor, scope)
    return [
        Figure(
            code=code,
            value=value,
            change=value - before[code] if code in before else None,
            extra=extras.get(code),
        )
        for code, value in values.items()
    ]


def seen_before(actor: User, scope: str) -> Mapping[str, int]:
    """The counters as they stood at the end of the visit before the present one."""
    seen = SeenCounters.objects.filter(user=actor, scope=scope).first()
    if seen is None:
        return {}
    return seen.before if seen.visit_at == actor.visit_at else seen.values


def need_list(
    actor: User, *, scope: str, today: date, group: str | None = None, limit: int = SHOWN_NEEDS
) -> NeedList:
    """Customers that need a person, most urgent and then largest first; put-off needs left out."""
    rows = list(
        _to_look_after(actor, scope, today)
        .filter(need_rank__gt=0)
        .order_by("-need_rank", "-pk")
        .values_list("pk", "arr_minor", "needs")[:READ_AHEAD]
    )
    snoozes = _snoozes([pk for pk, _, _ in rows])
    found: list[tuple[int, int, list[Need]]] = []
    put_off = 0
    for pk, arr, needs in rows:
        open_needs = [n for n in needs if not _is_put_off(n, snoozes[pk], today)]
        put_off += len(needs) - len(open_needs)
        if open_needs:
            found.append((pk, arr or 0, open_needs))
    # again after put-off needs are gone: time limit first, then amount
    found.sort(key=lambda one: (one[2][0]["severity"], -one[1], one[0]))
    counted = Counter(GROUPS.get(needs[0]["code"], "alert") for _, _, needs in found)
    groups = {name: counted[name] for name in ("alert", "task", "renewal", "payment")}
    chosen = [
        (pk, needs)
        for pk, _, needs in found
        if group is None or GROUPS.get(needs[0]["code"], "alert") == group
    ][:limit]
    whole = CustomerSummary.objects.select_related("tier", "owner").in_bulk(
        [pk for pk, _ in chosen]
    )
    items = [NeedItem(whole[pk], needs[0], needs[1:]) for pk, needs in chosen if pk in whole]
    return NeedList(items, len(found), groups, put_off)


def _to_look_after(actor: User, scope: str, today: date) -> QuerySet[CustomerSummary]:
    """Those of the scope; of one's own also what colleagues on leave look after otherwise."""
    covered = actor.covered_ids(today)
    if scope != "mine" or not covered:
        return in_scope(actor, scope)
    return CustomerSummary.objects.visible_to(actor).filter(owner_id__in=[actor.pk, *covered])


def _snoozes(customer_ids: Iterable[int]) -> dict[int, list[Snooze]]:
    found: dict[int, list[Snooze]] = defaultdict(list)
    for snooze in Snooze.objects.filter(customer_id__in=list(customer_ids)):
        found[snooze.customer_id].append(snooze)
    return found


def _is_put_off(need: Mapping[str, Any], snoozes: Iterable[Snooze], today: date) -> bool:
    """Hidden while it is the same occurrence, no more urgent than then, and before its day."""
    return any(
        snooze.code == need["code"]
        and snooze.since.isoformat() == need["since"]
        and need["severity"] >= snooze.severity
        and (snooze.until is None or today < snooze.until)
        for snooze in snoozes
    )


def open_needs_of(row: CustomerSummary, *, today: date) -> list[Need]:
    """The needs of one customer that are not put off."""
    snoozes = _snoozes([row.pk])[row.pk]
    return [Need(**need) for need in row.needs if not _is_put_off(need, snoozes, today)]


def score_moves(actor: User, *, scope: str, limit: int = SHOWN_MOVES) -> list[CustomerSummary]:
    """The largest changes of health against a week before, falls first; `movers` holds causes."""
    rows = in_scope(actor, scope).select_related("tier")
    falls = rows.filter(change_week__lte=-MOVED_POINTS).order_by("change_week", "pk")[:limit]
    rises = rows.filter(change_week__gte=MOVED_POINTS).order_by("-change_week", "pk")[:limit]
    fallen = list(falls)
    return fallen + list(rises)[: max(2, limit - len(fallen))]


def distribution(actor: User, *, scope: str) -> list[tuple[Tier | None, dict[str, int]]]:
    """Tier -> how many customers in each band, in the order of the tiers; no tier at the end."""
    found: dict[int | None, dict[str, int]] = {}
    groups = in_scope(actor, scope).order_by().values_list("tier_id", "band").annotate(n=Count("*"))
    for tier_id, band, n in groups:
        found.setdefault(tier_id, dict.fromkeys("ABCDN", 0))[band] = n
    rows: list[tuple[Tier | None, dict[str, int]]] = [
        (tier, found[tier.pk]) for tier in Tier.objects.all() if tier.pk in found
    ]
    return rows + ([(None, found[None])] if None in found else [])


def calendar(actor: User, *, scope: str, first: date, last: date) -> list[dict[str, Any]]:
    """Next steps and renewals of the days first..last (both included), by day and name."""
    rows = in_scope(actor, scope).only("name", "next_step", "next_step_on", "renews_on")
    entries = [
        {"day": row.next_step_on, "kind": "next_step", "text": row.next_step, "summary": row}
        for row in rows.filter(next_step_on__gte=first, next_step_on__lte=last)[:200]
    ]
    entries += [
        {"day": row.renews_on, "kind": "renewal", "text": "", "summary": row}
        for row in rows.filter(renews_on__gte=first, renews_on__lte=last)[:200]
    ]
    entries += _payments(actor, scope, first, last)
    return sorted(entries, key=lambda entry: (entry["day"], entry["summary"].name))


def _payments(actor: User, scope: str, first: date, last: date) -> list[dict[str, Any]]:
    """Unpaid invoices whose due day lies in first..last; their customer stands for its summary."""
    rows = due_invoices(actor, first=first, last=last)
    if scope == "mine":
        rows = rows.filter(customer__owner=actor)
    return [
        {"day": row.due_on, "kind": "payment", "text": row.number, "summary": row.customer}
        for row in rows.order_by("due_on", "pk")[:200]
    ]
