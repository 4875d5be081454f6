"""Import of customers: matched by external id, else by exact name; empty cells change nothing."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction

from gengyun.customers.actions import import_custom
from gengyun.customers.actions.customers import new_external_id
from gengyun.customers.actions.history import Change, Frame, write_changes, write_new
from gengyun.customers.actions.import_customer_rows import PARSERS, find_one, plan_customers
from gengyun.customers.actions.import_kinds import (
    CHANGED,
    CREATED,
    ERROR,
    Context,
    Parser,
    Planned,
    register,
)
from gengyun.customers.actions.import_lookup import Book
from gengyun.customers.actions.tags import write_tags_each
from gengyun.customers.calc.columns import CUSTOMER_COLUMNS, Column
from gengyun.customers.models import Customer
from gengyun.kernel.days import start_of
from gengyun.kernel.outbox import emit
from gengyun.team.models import Role, User

STEP = 1_000


class CustomerImport:
    name = "customers"
    needed: tuple[frozenset[str], ...] = (frozenset({"external_id", "name"}),)

    @property
    def columns(self) -> tuple[Column, ...]:
        """Built-in fields, then the custom ones of this company."""
        return (*CUSTOMER_COLUMNS, *import_custom.columns())

    @property
    def parsers(self) -> Mapping[str, Parser]:
        return {**PARSERS, **import_custom.parsers()}

    def plan(self, planned: Sequence[Planned], context: Context) -> None:
        plan_customers(planned, context)
        import_custom.plan(planned)

    def write(self, planned: Sequence[Planned], context: Context) -> None:
        frame = Frame.load()
        known_at = _known_at(context)
        new = [row for row in planned if row.outcome == CREATED]
        customers = [_customer(row, context, known_at) for row in new]
        write_new(customers, actor=context.actor, now=context.now, frame=frame)
        old = {row.target or 0: row for row in planned if row.outcome == CHANGED}
        rows = list(Customer.objects.select_for_update().filter(pk__in=old).order_by("pk"))
        write_changes(
            [Change(row, old[row.pk].values["columns"], known_at) for row in rows],
            actor=context.actor,
            now=context.now,
            action="customer.import",
            frame=frame,
            quiet=True,
        )
        wanted: dict[int, tuple[list[str], list[str]]] = {
            customer.pk: (row.values.get("tags", []), [])
            for customer, row in [
                *zip(customers, new, strict=True),
                *((row, old[row.pk]) for row in rows),
            ]
        }
        write_tags_each(
            [*customers, *rows], wanted, actor=context.actor, now=context.now, quiet=True
        )
        import_custom.write(
            [*zip(customers, new, strict=True), *((row, old[row.pk]) for row in rows)],
            actor=context.actor,
            now=context.now,
            known_at=known_at,
        )
        if rows:
            ids = [row.pk for row in rows]
            emit("customer.changed", {"customer_ids": ids}, now=context.now)

    def finish(self, planned: Sequence[Planned], context: Context) -> None:
        """Parents last: one may stand below its children in the file."""
        rows = [row for row in planned if "parent" in row.values and row.outcome != ERROR]
        if not rows:
            return
        book = Book.load(context.actor)
        for start in range(0, len(rows), STEP):
            wanted: dict[int, int] = {}
            for row in rows[start : start + STEP]:
                child = find_one(book, row.values.get("external_id"), row.values.get("name"))
                parent = find_one(book, row.values["parent"], row.values["parent"])
                if child is not None and parent is not None and child != parent:
                    wanted[child] = parent
            with transaction.atomic():
                found = Customer.objects.select_for_update().filter(pk__in=wanted)
                write_changes(
                    [Change(c, {"parent_id": wanted[c.pk]}) for c in found.order_by("pk")],
                    actor=context.actor,
                    now=context.now,
                    action="customer.import",
                )


def _customer(row: Planned, context: Context, known_at: datetime | None) -> Customer:
    columns = dict(row.values["columns"])
    if columns.get("owner_id") is None:
        columns["owner_id"] = _default_owner(context.actor)
    return Customer(
        external_id=row.values.get("external_id") or new_external_id(),
        **columns,
        known_at=known_at or context.now,
        created_at=context.now,
        updated_at=context.now,
    )


def _default_owner(actor: User | None) -> int | None:
    """A leader would not see a customer without an owner; see `fields.owner_for_new`."""
    return actor.pk if actor is not None and actor.role == Role.LEADER else None


def _known_at(context: Context) -> datetime | None:
    return start_of(context.known_from) if context.known_from else None


register(CustomerImport())
