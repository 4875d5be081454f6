"""Contracts, money and renewals go with the customer that became part of another, and come back.

Their rows are moved as they are: it always was one company. Two companies that become one on a day
of their history are another matter: `entities.move_lines`.
"""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Exists, OuterRef

from gengyun.customers.actions.merging import Part, follow_merges, register, rows_part
from gengyun.customers.models import Customer
from gengyun.revenue.actions.book import Book
from gengyun.revenue.models import (
    Contract,
    Invoice,
    Line,
    Movement,
    Opportunity,
    Payment,
    Renewal,
    RenewalState,
    WalletBudget,
)
from gengyun.team.models import User

STEP = 900


def _move_renewals(gone: int, kept: int) -> list[int]:
    """A renewal of the same group, day and currency becomes part of that of the other customer."""
    mine = Renewal.objects.filter(customer_id=gone).exclude(state=RenewalState.MERGED)
    same = Renewal.objects.filter(
        customer_id=kept,
        group=OuterRef("group"),
        due_on=OuterRef("due_on"),
        currency=OuterRef("currency"),
    ).exclude(state=RenewalState.MERGED)
    both = [(row, _twin(row, kept)) for row in mine.filter(Exists(same)).order_by("pk")]
    for row, twin in both:
        row.state, row.merged_into = RenewalState.MERGED, twin
        row.save(update_fields=["state", "merged_into"])
    ids = list(mine.order_by("pk").values_list("pk", flat=True))
    _repoint(ids, kept)
    return sorted([*ids, *(row.pk for row, _ in both)])


def _twin(row: Renewal, kept: int) -> Renewal:
    twin: Renewal = Renewal.objects.exclude(state=RenewalState.MERGED).get(
        customer_id=kept, group=row.group, due_on=row.due_on, currency=row.currency
    )
    return twin


def _renewals_back(ids: Sequence[int], gone: int) -> None:
    for start in range(0, len(ids), STEP):
        absorbed = Renewal.objects.filter(
            pk__in=ids[start : start + STEP], customer_id=gone, state=RenewalState.MERGED
        )
        absorbed.update(state=RenewalState.OPEN, merged_into=None)
    _repoint(ids, gone)


def _repoint(ids: Sequence[int], customer_id: int) -> None:
    for start in range(0, len(ids), STEP):
        Renewal.objects.filter(pk__in=ids[start : start + STEP]).update(customer_id=customer_id)


def follow(kept: int, gone: int, actor: User | None, now: datetime) -> None:
    """The fields and the renewals of both customers follow their contracts."""
    Book(actor=actor, now=now, customers=Customer.objects.filter(pk__in=[kept, gone])).close()


for name, model in (
    ("contracts", Contract),
    ("lines", Line),
    ("movements", Movement),
    ("invoices", Invoice),
    ("payments", Payment),
    ("opportunities", Opportunity),
    ("budgets", WalletBudget),
):
    register(rows_part(name, model))
register(
    Part(
        "renewals",
        count=lambda gone: (
            Renewal.objects.filter(customer_id=gone).exclude(state=RenewalState.MERGED).count()
        ),
        move=_move_renewals,
        move_back=_renewals_back,
    )
)
follow_merges(follow)
