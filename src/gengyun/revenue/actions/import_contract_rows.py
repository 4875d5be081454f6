"""One row of a contract file: read, its terms settled, its rules asked. Writes nothing.

A row is a line and says again what is true of its contract; rows of one number are one contract.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from gengyun.customers.actions.import_kinds import ERROR, Context, Parser, Planned, limited, plain
from gengyun.customers.actions.import_lookup import Book
from gengyun.customers.calc import cells
from gengyun.revenue.actions.import_catalogue import Catalogue
from gengyun.revenue.actions.import_common import (
    choice,
    currency_of,
    minor_of,
    money,
    needed_values,
)
from gengyun.revenue.actions.lines import NewLine, arr_of, as_written, complete
from gengyun.revenue.calc import import_cells, rules
from gengyun.revenue.calc.import_terms import Settled, Stated, disagrees, settled
from gengyun.revenue.calc.normalise import ArrPolicy, without_tax
from gengyun.revenue.calc.terms import rounded
from gengyun.revenue.models import Contract

CONTRACT_KINDS = {
    "fixed": "fixed", "固定": "fixed", "固定期": "fixed", "固定期限": "fixed", "有期限": "fixed",
    "fixed term": "fixed", "termed": "fixed", "open": "open", "无固定期限": "open",
    "不定期": "open", "长期": "open", "evergreen": "open", "open ended": "open",
    "open-ended": "open", "perpetual": "perpetual", "买断": "perpetual", "永久": "perpetual",
    "一次性买断": "perpetual", "bought out": "perpetual",
}  # fmt: skip
LINE_KINDS = {
    "subscription": "subscription", "订阅": "subscription", "年费": "subscription",
    "软件订阅": "subscription", "saas": "subscription", "recurring": "subscription",
    "maintenance": "maintenance", "维保": "maintenance", "维护": "maintenance",
    "运维": "maintenance", "support": "maintenance", "licence": "licence", "license": "licence",
    "许可": "licence", "授权": "licence", "买断": "licence", "买断许可": "licence",
    "perpetual license": "licence", "one_off": "one_off", "一次性": "one_off", "实施": "one_off",
    "实施费": "one_off", "服务": "one_off", "专业服务": "one_off", "培训": "one_off",
    "one off": "one_off", "one-off": "one_off", "one time": "one_off", "one-time": "one_off",
    "services": "one_off", "usage": "usage", "用量": "usage", "按量": "usage", "按用量": "usage",
    "consumption": "usage", "metered": "usage", "usage based": "usage", "usage-based": "usage",
}  # fmt: skip
MONEY = ("amount", "annual", "monthly", "list", "committed", "maintenance_base")
DAY = timedelta(days=1)


def _months(cell: Any, header: str) -> Any:
    """ "合同年限" with a bare 3 means years."""
    found = import_cells.months(cell)
    is_bare = str(cell).strip().replace(".", "", 1).isdigit()
    years = ("年" in header and "月" not in header) or header.casefold().startswith("year")
    return found * 12 if found is not None and is_bare and years else found


def _gift(cell: Any, header: str) -> tuple[int, int] | None:
    """(months, days): a month given free is a month of the calendar, not 30 days."""
    text = cells.text(cell)
    if text is None:
        return None
    is_bare = text.replace(".", "", 1).isdigit()
    if (is_bare and "月" in header) or "月" in text or "month" in text.casefold():
        found = import_cells.months(cell)
        if found is None or found != int(found):
            raise cells.BadCell("not_a_term")
        return int(found), 0
    days = import_cells.days(cell)
    return None if days is None else (0, days)


def _seats(cell: Any, _header: str) -> int | None:
    """Below zero is read, so that the rule that refuses it can be named."""
    text = cells.text(cell)
    if text is not None and text[:1] in "-−－" and text[1:].strip().isdigit():
        return -int(text[1:].strip())
    return cells.count(cell)


PARSERS: Mapping[str, Parser] = {
    "customer": plain(cells.text),
    "number": limited(80, cells.text),
    "name": limited(200, cells.text),
    "contract_kind": choice(CONTRACT_KINDS, "contract_kind_unknown"),
    "signed_on": plain(cells.day),
    "starts_on": plain(cells.day),
    "ends_on": plain(cells.day),
    "is_ended": plain(cells.yes_or_no),
    "cause": limited(60, cells.text),
    "auto_renew": plain(cells.yes_or_no),
    "notice_days": plain(import_cells.days),
    "currency": plain(import_cells.currency),
    "billing": plain(import_cells.interval_months),
    "previous_number": limited(80, cells.text),
    "line_id": limited(200, cells.text),
    "product": plain(cells.text),
    "edition": plain(cells.text),
    "group": limited(80, cells.text),
    "line_kind": choice(LINE_KINDS, "line_kind_unknown"),
    "seats": _seats,
    **{name: money(signed=True) for name in MONEY},
    "discount": plain(import_cells.discount_bp),
    "discount_forever": plain(cells.yes_or_no),
    "tax_included": plain(cells.yes_or_no),
    "tax_rate": plain(import_cells.share_bp),
    "paid_months": _months,
    "gift_days": _gift,
    "is_trial": plain(cells.yes_or_no),
    "renews": limited(200, cells.text),
    "note": limited(500, cells.text),
}


def check_row(
    row: Planned, *, book: Book, catalogue: Catalogue, context: Context, base: str
) -> None:
    """Whose it is and what it is: after this a good row has `_new`, its line to be written."""
    values = row.values
    row.label = values.get("number", "")
    values["_currency"] = currency_of(row, context, *MONEY, default=base)
    wanted = {
        "customer": "customer_missing",
        "number": "number_missing",
        "starts_on": "start_missing",
    }
    needed_values(row, wanted)
    if "customer" in values:
        values["_customer"] = book.find(row, "customer")
    product_name = values.get("product") or context.options.get("product") or ""
    if not product_name:
        row.refuse("product_missing", "product")
    if row.outcome == ERROR:
        return
    product = catalogue.product(row, product_name)
    edition = None
    if product is not None and "edition" in values:
        edition = catalogue.edition(row, product, values["edition"])
    terms = _settle(row, context)
    if row.outcome == ERROR or product is None:
        return
    if terms.amount is None:
        row.refuse("amount_missing", "amount")
        return
    values["_terms"] = terms
    values["_new"] = NewLine(
        product=product,
        edition=edition,
        amount_minor=terms.amount,
        starts_on=values["starts_on"],
        ends_on=terms.ends_on,
        group=values.get("group", ""),
        kind=_kind(row),
        seats=values.get("seats"),
        tax_included=_taxed(row, context),
        tax_rate_bp=values.get("tax_rate", context.options.get("tax_rate")),
        list_minor=values["_minor"].get("list"),
        discount_bp=values.get("discount"),
        discount_is_forever=values.get("discount_forever", True),
        currency=values["_currency"],
        paid_months=terms.paid_months,
        gift_days=terms.gift_days,
        is_trial=values.get("is_trial", False),
        committed_minor=values["_minor"].get("committed"),
        maintenance_base_minor=values["_minor"].get("maintenance_base"),
        yearly_minor=terms.yearly,
        note=values.get("note", ""),
        external_id=values.get("line_id") or values["number"],
    )


def _kind(row: Planned) -> str:
    kind: str = row.values.get("line_kind") or (
        "licence" if row.values.get("contract_kind") == "perpetual" else "subscription"
    )
    return kind


def _taxed(row: Planned, context: Context) -> bool:
    """A rate alone says nothing of whether the amount holds the tax."""
    return bool(row.values.get("tax_included", context.options.get("tax_included", False)))


def _settle(row: Planned, context: Context) -> Settled:
    values = row.values
    minor = {name: minor_of(row, name, values["_currency"]) for name in MONEY if name in values}
    values["_minor"] = minor
    ends_on: date | None = values.get("ends_on")
    if ends_on is not None and context.options.get("end_day") == "after":
        ends_on -= DAY  # the file names the first day that is not covered
    months, days = values.get("gift_days", (0, 0))
    found = settled(
        Stated(
            kind=_kind(row),
            starts_on=values["starts_on"],
            ends_on=ends_on,
            amount=minor.get("amount"),
            annual=minor.get("annual"),
            monthly=minor.get("monthly"),
            list_price=minor.get("list"),
            discount_bp=values.get("discount"),
            committed=minor.get("committed"),
            paid_months=values.get("paid_months"),
            gift_days=days,
            gift_months=months,
            interval_months=values.get("billing"),
            is_open=values.get("contract_kind") == "open",
            is_trial=values.get("is_trial", False),
        )
    )
    if values.get("is_ended") and found.ends_on is None:
        row.refuse("ended_without_day", "is_ended")
    return found


def reckon(row: Planned, contract: Contract, policy: ArrPolicy) -> None:
    """The ARR of a good row and the rule that gave it; every rule of lines that it breaks."""
    values = row.values
    new = complete(values["_new"], contract)
    faults = _rules_of_days(new)
    if not faults:
        counted = arr_of(new, policy)
        values["_counted"] = counted
        row.facts |= {
            "arr_minor": counted.arr_minor,
            "arr": import_cells.major(counted.arr_minor, new.currency),
            "currency": new.currency,
            "rule": counted.rule,
            "how": counted.sentence,
            "amount": import_cells.major(new.amount_minor, new.currency),
            "ends_on": new.ends_on.isoformat() if new.ends_on else None,
        }
        if notes := values["_terms"].notes:
            row.facts["worked_out"] = ", ".join(notes)
        frame = rules.Frame(
            contract.kind, contract.currency, contract.starts_on, contract.ends_on,
            contract.signed_on,
        )  # fmt: skip
        faults = rules.check_line(as_written(new, counted.arr_minor), frame)
        if counted.arr_minor:
            faults += rules.check_length(
                counted.rule, new.starts_on, new.ends_on, gift_days=new.gift_days
            )
        _compare(row, new, counted.arr_minor)
    values["_new"] = new
    note_faults(row, faults)


def _rules_of_days(new: NewLine) -> list[rules.Fault]:
    """Rules without which no ARR can be worked out."""
    faults = []
    if new.ends_on is not None and new.ends_on < new.starts_on:
        params = {"start": new.starts_on.isoformat(), "end": new.ends_on.isoformat()}
        faults.append(rules.Fault("end_before_start", params))
    elif new.ends_on is not None and new.gift_days >= (new.ends_on - new.starts_on).days + 1:
        faults.append(rules.Fault("gift_too_long", {"days": new.gift_days}))
    if new.paid_months is not None and new.paid_months <= 0:
        faults.append(rules.Fault("months_not_positive"))
    return faults


def note_faults(row: Planned, faults: list[rules.Fault]) -> None:
    """Rules of the ledger carry their own names; the column is the one they speak of."""
    for fault in faults:
        column = rules.FIELD_OF.get(fault.rule, "")
        if fault.is_refused:
            row.refuse(fault.rule, column, **fault.params)
        else:
            row.flag(fault.rule, column, **fault.params)


def _compare(row: Planned, new: NewLine, arr_minor: int) -> None:
    """A file that states the ARR too is held against the rule."""
    minor = row.values["_minor"]
    stated = {
        "annual": minor.get("annual"),
        "monthly": minor["monthly"] * 12 if "monthly" in minor else None,
    }
    for name, year in stated.items():
        if year is None or new.is_trial or new.kind in {"licence", "one_off"}:
            continue
        net = rounded(without_tax(year, new.tax_rate_bp)) if new.tax_included else year
        if disagrees(arr_minor, net):
            row.flag(
                "arr_differs", name,
                arr=import_cells.major(arr_minor, new.currency),
                stated=import_cells.major(net, new.currency),
            )  # fmt: skip
