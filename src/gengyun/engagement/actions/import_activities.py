"""Import of activities: each is known again by customer, instant, kind and text."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any

from gengyun.customers.actions.import_kinds import (
    CREATED,
    ERROR,
    SAME,
    Context,
    Parser,
    Planned,
    limited,
    plain,
    register,
)
from gengyun.customers.actions.import_lookup import Book, People, folded
from gengyun.customers.calc import cells
from gengyun.customers.calc.columns import ACTIVITY_COLUMNS, Column
from gengyun.customers.models import Contact
from gengyun.engagement.actions.activities import AHEAD, LONGEST
from gengyun.engagement.models import Activity
from gengyun.kernel.days import company_zone
from gengyun.kernel.outbox import emit
from gengyun.team.actions.audit import record_many

BATCH = 1_000
KINDS = {
    "call": "电话 通话 来电 去电 电话沟通 电话跟进 call phone",
    "meeting": "会议 面谈 线上会议 视频会议 腾讯会议 沟通会 meeting event",
    "wecom": "企微 企业微信 微信 微信沟通 wecom wechat im chat",
    "email": "邮件 电子邮件 邮件沟通 email mail",
    "visit": "拜访 上门 上门拜访 现场 实地拜访 外勤 visit onsite",
    "note": "备注 笔记 记录 其他 其它 note other",
}
OUTCOMES = {
    "solved": "已解决 解决 是 solved yes true y",
    "partly": "部分解决 部分 partly partial",
    "not": "未解决 没有解决 没解决 否 not no false n",
}


def _word(table: Mapping[str, str], code: str) -> Parser:
    known = {word: key for key, words in table.items() for word in [key, *words.split()]}

    def parse(cell: Any, header: str) -> str | None:
        found = cells.text(cell)
        if found is None:
            return None
        if folded(found) not in known:
            raise cells.BadCell(code)
        return known[folded(found)]

    return parse


PARSERS: Mapping[str, Parser] = {
    "customer": plain(cells.text),
    "kind": _word(KINDS, "kind_unknown"),
    "happened_at": lambda cell, _: cells.instant(cell, company_zone()),
    "body": limited(LONGEST, cells.long_text),
    "subject": limited(200, cells.text),
    "author": plain(cells.text),
    "contact": plain(cells.words),
    "outcome": _word(OUTCOMES, "outcome_unknown"),
}


class ActivityImport:
    name = "activities"
    columns: tuple[Column, ...] = ACTIVITY_COLUMNS
    parsers = PARSERS
    needed: tuple[frozenset[str], ...] = (
        frozenset({"customer"}),
        frozenset({"happened_at"}),
        frozenset({"body", "subject"}),
    )

    def plan(self, planned: Sequence[Planned], context: Context) -> None:
        book, people = Book.load(context.actor), People.load()
        for row in planned:
            _check(row, book, people, context)
        contacts = _contacts(row.values.get("customer_id") for row in planned)
        for row in planned:
            _find_contacts(row, contacts)
        present = _present_keys([row.values["key"] for row in planned if row.outcome != ERROR])
        for row in planned:
            if row.outcome == ERROR:
                continue
            key = row.values["key"]
            row.outcome = SAME if key in present else CREATED
            present.add(key)  # the same line twice in a file is one activity
            row.told = {"kind": [None, row.values["kind"]], "body": [None, row.label]}

    def write(self, planned: Sequence[Planned], context: Context) -> None:
        actor, now = context.actor, context.now
        rows = [row for row in planned if row.outcome == CREATED]
        activities = [
            Activity(
                customer_id=row.values["customer_id"],
                kind=row.values["kind"],
                body=row.values["text"],
                happened_at=row.values["happened_at"],
                outcome=row.values.get("outcome", ""),
                author=row.values.get("user") or actor,
                recorded_at=now,
                import_key=row.values["key"],
            )
            for row in rows
        ]
        Activity.objects.bulk_create(activities, batch_size=BATCH)
        link = Activity.contacts.through
        link.objects.bulk_create(
            [
                link(activity_id=activity.pk, contact_id=contact_id)
                for activity, row in zip(activities, rows, strict=True)
                for contact_id in row.values["contact_ids"]
            ],
            batch_size=BATCH,
        )
        told = {"file": [None, context.file_name]}
        record_many(
            actor=actor,
            now=now,
            action="activity.import",
            changes=[(activity, told) for activity in activities],
        )
        ids = sorted({activity.customer_id for activity in activities})
        if ids:
            emit("activity.changed", {"customer_ids": ids}, now=now)

    def finish(self, planned: Sequence[Planned], context: Context) -> None:
        """Nothing waits for the last row."""


def _check(row: Planned, book: Book, people: People, context: Context) -> None:
    values = row.values
    values["text"] = "\n".join(part for part in (values.get("subject"), values.get("body")) if part)
    values.setdefault("kind", Activity.Kind.NOTE.value)
    row.label = values["text"].split("\n")[0][:80]
    if "customer" not in values:
        row.refuse("customer_missing")
    elif (customer_id := book.find(row, "customer")) is not None:
        values["customer_id"] = customer_id
    if not values["text"]:
        row.refuse("body_missing")
    if "happened_at" not in values:
        row.refuse("time_missing")
    elif values["happened_at"] > context.now + AHEAD:
        row.refuse("in_future", "happened_at")
    if "author" in values:
        values["user"] = people.find(row, "author")
    if row.outcome != ERROR:
        values["key"] = _key(values)


def _key(values: Mapping[str, Any]) -> str:
    parts = (
        str(values["customer_id"]),
        values["happened_at"].isoformat(),
        values["kind"],
        values["text"],
    )
    return blake2b("\x1f".join(parts).encode(), digest_size=32).hexdigest()


def _contacts(customer_ids: Any) -> dict[tuple[int, str], list[int]]:
    ids = sorted({pk for pk in customer_ids if pk is not None})
    found: dict[tuple[int, str], list[int]] = defaultdict(list)
    for start in range(0, len(ids), 5_000):
        rows = Contact.objects.filter(customer_id__in=ids[start : start + 5_000]).order_by("pk")
        for pk, customer_id, name, email in rows.values_list("pk", "customer_id", "name", "email"):
            found[customer_id, folded(name)].append(pk)
            if email:
                found[customer_id, folded(email)].append(pk)
    return found


def _find_contacts(row: Planned, contacts: Mapping[tuple[int, str], list[int]]) -> None:
    row.values["contact_ids"] = []
    for name in row.values.get("contact", ()):
        found = contacts.get((row.values.get("customer_id", 0), folded(name)))
        if found:
            row.values["contact_ids"].append(found[0])
        elif row.outcome != ERROR:
            row.refuse("contact_unknown", "contact")
    row.values["contact_ids"] = sorted(set(row.values["contact_ids"]))


def _present_keys(keys: Sequence[str]) -> set[str]:
    present: set[str] = set()
    for start in range(0, len(keys), 5_000):
        rows = Activity.objects.filter(import_key__in=keys[start : start + 5_000])
        present.update(key for key in rows.values_list("import_key", flat=True) if key)
    return present


register(ActivityImport())
