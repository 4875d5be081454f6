"""Spend by month as a table: one row a month, one column a kind."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

_MONTH = re.compile(r"(\d{4})-(\d{1,2})(?:-\d{1,2})?")


@dataclass(frozen=True)
class Month:
    first: date
    amounts: dict[tuple[str, str], int]  # (kind, currency) -> minor unit
    people: int  # whose salary is known

    def of(self, kind: str) -> list[tuple[str, int]]:
        """(currency, amount) of a kind; nothing where nothing was noted."""
        return [
            (cur, minor) for (found, cur), minor in sorted(self.amounts.items()) if found == kind
        ]


def table(rows: Iterable[Any], *, most: int) -> list[Month]:
    """Newest first. A month without a row is not there: unknown, not 0."""
    amounts: dict[date, dict[tuple[str, str], int]] = defaultdict(lambda: defaultdict(int))
    people: dict[date, set[int]] = defaultdict(set)
    for row in rows:
        amounts[row.month][row.kind, row.currency] += row.amount_minor
        if row.user_id is not None:
            people[row.month].add(row.user_id)
    newest = sorted(amounts, reverse=True)[:most]
    return [Month(month, dict(amounts[month]), len(people[month])) for month in newest]


def month(text: str) -> date | None:
    """2026-03 to its first day."""
    found = _MONTH.fullmatch(text.strip())
    if not found or not 1 <= int(found[2]) <= 12 or int(found[1]) < 1970:
        return None
    return date(int(found[1]), int(found[2]), 1)
