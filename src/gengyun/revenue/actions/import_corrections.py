"""Rows of a contract file that say otherwise than the line that is there: it is corrected."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from gengyun.customers.actions.import_kinds import Context, Planned
from gengyun.customers.actions.import_lookup import customers_by_id
from gengyun.kernel.errors import Refusal
from gengyun.revenue.actions.book import Book
from gengyun.revenue.actions.corrections import own_rows
from gengyun.revenue.actions.import_common import chunks
from gengyun.revenue.actions.lines import NewLine
from gengyun.revenue.models import Line

CUSTOMERS = 500  # whose ledgers are in memory at once


def corrected(row: Planned, line: Line) -> NewLine:
    """What the file says; where it is silent, what the line said."""
    new: NewLine = row.values["_new"]
    said = set(row.values)
    return replace(
        new,
        group=new.group if "group" in said else line.group,
        edition=new.edition if "edition" in said else line.edition,
        kind=new.kind if "line_kind" in said else line.kind,
        seats=new.seats if "seats" in said else line.seats,
        tax_included=new.tax_included if "tax_included" in said else line.tax_included,
        tax_rate_bp=new.tax_rate_bp if "tax_rate" in said else line.tax_rate_bp,
        list_minor=new.list_minor if "list" in said else line.list_minor,
        discount_bp=new.discount_bp if "discount" in said else line.discount_bp,
        is_trial=new.is_trial if "is_trial" in said else line.is_trial,
        ends_on=new.ends_on if said & {"ends_on", "paid_months"} else line.ends_on,
        note=new.note or line.note,
        external_id=line.external_id or new.external_id,
    )


def refuse_settled(rows: Sequence[Planned], context: Context) -> None:
    """A line that has ended, was renewed or paused is not corrected: the ledger says so when it is
    written, so the dry run asks it the same question."""
    wanted: dict[int, list[Planned]] = defaultdict(list)
    for row in rows:
        if "_changes" in row.values:
            wanted[row.values["_customer"]].append(row)
    for part in chunks(wanted, CUSTOMERS):
        customers = customers_by_id(set(part)).values()
        book = Book(actor=context.actor, now=context.now, customers=customers)
        for row in (row for customer in part for row in wanted[customer]):
            try:
                own_rows(book, row.values["_line"])
            except Refusal as refusal:
                _refuse(row, refusal)


def _refuse(row: Planned, why: Refusal) -> None:
    row.refuse(why.code, "number", **why.params)
    row.flags = [flag for flag in row.flags if flag.code != "line_differs"]
    row.told = {}
