"""Opportunities as a board and as a list, as an actor sees them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import F, Max, Q, QuerySet

from gengyun.kernel.days import day_of
from gengyun.kernel.errors import NotFound
from gengyun.revenue.calc.opportunities import Warnings, Worth, warnings, worth
from gengyun.revenue.models import Line, Opportunity, OpportunityChange, OpportunityStage
from gengyun.team.models import User

CARDS = 30  # shown per column; the list has the others
CLOSED_DAYS = 90  # won and lost ones stay on the board this long
PERIODS = ("month", "quarter", "next_quarter", "late", "none")
SORTS: dict[str, tuple[Any, ...]] = {
    "expected": (F("expected_on").asc(nulls_last=True), "pk"),
    "amount": (F("amount_minor").desc(nulls_last=True), "pk"),
    "updated": ("-updated_at", "-pk"),
    "customer": ("customer__name", "expected_on", "pk"),
    "stage": ("stage__position", F("expected_on").asc(nulls_last=True), "pk"),
}
STATES = ("open", "won", "lost", "all")


@dataclass(frozen=True)
class Filters:
    """What is asked for; empty means any."""

    owner_id: int | None = None
    kind: str = ""
    product_id: int | None = None
    stage_id: int | None = None
    period: str = ""
    text: str = ""
    state: str = "open"


@dataclass(frozen=True)
class Card:
    opportunity: Opportunity
    warnings: Warnings


@dataclass(frozen=True)
class Column:
    stage: OpportunityStage
    cards: list[Card]
    worth: Worth  # of all that fit, shown or not

    @property
    def more(self) -> int:
        return self.worth.count - len(self.cards)


def stages() -> list[OpportunityStage]:
    return list(OpportunityStage.objects.all())


def found(actor: User | None, filters: Filters, *, today: date) -> QuerySet[Any]:
    """Those of present customers that fit, in no order; `state` is not applied."""
    rows = Opportunity.objects.visible_to(actor).filter(customer__archived_at__isnull=True)
    if filters.owner_id is not None:
        rows = rows.filter(owner_id=filters.owner_id)
    if filters.kind:
        rows = rows.filter(kind=filters.kind)
    if filters.product_id is not None:
        rows = rows.filter(product_id=filters.product_id)
    if filters.stage_id is not None:
        rows = rows.filter(stage_id=filters.stage_id)
    if filters.text:
        rows = rows.filter(
            Q(name__icontains=filters.text) | Q(customer__name__icontains=filters.text)
        )
    if filters.period in PERIODS:
        rows = rows.filter(_period(filters.period, today))
    return rows.order_by()


def _period(period: str, today: date) -> Q:
    if period == "late":
        return Q(expected_on__lt=today)
    if period == "none":
        return Q(expected_on__isnull=True)
    first, last = bounds(period, today)
    return Q(expected_on__gte=first, expected_on__lt=last)


def bounds(period: str, today: date) -> tuple[date, date]:
    """First day, and first day after: this month, this quarter, the next quarter."""
    if period == "month":
        first = today.replace(day=1)
        return first, (first + timedelta(days=32)).replace(day=1)
    quarter = today.replace(month=3 * ((today.month - 1) // 3) + 1, day=1)
    following = (quarter + timedelta(days=95)).replace(day=1)
    if period == "quarter":
        return quarter, following
    return following, (following + timedelta(days=95)).replace(day=1)


def in_state(rows: QuerySet[Any], state: str) -> QuerySet[Any]:
    if state == "open":
        return rows.filter(stage__is_won=False, stage__is_lost=False)
    if state == "won":
        return rows.filter(stage__is_won=True)
    return rows.filter(stage__is_lost=True) if state == "lost" else rows


def board(actor: User | None, filters: Filters, *, today: date) -> list[Column]:
    """One column per stage; of won and lost ones those of the last 90 days."""
    rows = found(actor, filters, today=today)
    since = today - timedelta(days=CLOSED_DAYS)
    columns = []
    for stage in stages():
        here = rows.filter(stage=stage)
        if stage.is_won or stage.is_lost:
            here = here.filter(closed_on__gte=since).order_by("-closed_on", "-pk")
        else:
            here = here.order_by(*SORTS["expected"])
        shown = list(here.select_related("customer", "owner", "product", "stage")[:CARDS])
        columns.append(Column(stage, cards(shown, today=today), worth_of(here)))
    return columns


def cards(rows: Sequence[Opportunity], *, today: date) -> list[Card]:
    since = stage_since([row.pk for row in rows])
    return [
        Card(
            row,
            Warnings()
            if row.stage.is_won or row.stage.is_lost
            else warnings(
                today=today,
                expected_on=row.expected_on,
                amount_minor=row.amount_minor,
                next_step=row.next_step,
                next_step_on=row.next_step_on,
                stage_since=since.get(row.pk),
            ),
        )
        for row in rows
    ]


def stage_since(pks: Sequence[int]) -> dict[int, date]:
    """The day on which each came into its stage."""
    rows = OpportunityChange.objects.filter(opportunity__in=pks, field="stage").order_by()
    newest = rows.values_list("opportunity_id").annotate(at=Max("at"))
    return {pk: day_of(at) for pk, at in newest}


def worth_of(rows: QuerySet[Any]) -> Worth:
    values = rows.order_by().values_list("currency", "amount_minor", "stage__probability_bp")
    return worth(values.iterator(chunk_size=5_000))


def listing(
    actor: User | None, filters: Filters, *, today: date, sort: str = "expected"
) -> QuerySet[Any]:
    """The rows of the list, in order, with what a row shows."""
    rows = in_state(found(actor, filters, today=today), filters.state)
    rows = rows.order_by(*SORTS.get(sort, SORTS["expected"]))
    return rows.select_related("customer", "owner", "product", "stage", "won_line__contract")


def get(actor: User | None, pk: int) -> Opportunity:
    rows = Opportunity.objects.visible_to(actor).select_related(
        "customer__owner", "customer__tier", "owner", "product", "stage", "won_line__contract",
        "created_by",
    )  # fmt: skip
    row = rows.filter(pk=pk).first()
    if row is None:
        raise NotFound
    assert isinstance(row, Opportunity)  # noqa: S101 - the query set is shared by several models
    return row


def history(row: Opportunity) -> list[OpportunityChange]:
    """Every change, newest first."""
    rows = OpportunityChange.objects.filter(opportunity=row).select_related("actor")
    return list(rows.order_by("-at", "-pk"))


def of_customer(actor: User | None, customer_id: int, *, today: date) -> list[Card]:
    """Open ones by expected day, then the closed ones, newest first."""
    rows = Opportunity.objects.visible_to(actor).filter(customer_id=customer_id)
    rows = rows.select_related("customer", "owner", "product", "stage", "won_line__contract")
    is_open = Q(stage__is_won=False, stage__is_lost=False)
    ordered = [
        *rows.filter(is_open).order_by(*SORTS["expected"]),
        *rows.exclude(is_open).order_by(F("closed_on").desc(nulls_last=True), "-pk")[:10],
    ]
    return cards(ordered, today=today)


def free_lines(row: Opportunity) -> list[Line]:
    """Lines of the customer that no opportunity has claimed, newest first: one may be its own."""
    claimed = Opportunity.objects.filter(won_line__isnull=False, customer_id=row.customer_id)
    rows = Line.objects.filter(customer_id=row.customer_id, voided_at__isnull=True)
    rows = rows.exclude(pk__in=claimed.values("won_line")).select_related("contract", "product")
    return list(rows.order_by("-known_at", "-pk")[:20])
