"""Which customers are part of which, and since when that was known.

Rows of the lake stay with the customer they were written for. Whoever counts them as of a day
takes those of `gone` for `kept` if the merge was known before that day, by `joined`.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import Q

from gengyun.customers.models import CustomerMerge
from gengyun.kernel.days import day_of


@dataclass(frozen=True)
class Joined:
    """What is of `gone` counts for `kept` as of every day after `known_on`, up to `undone_on`.

    As of day D: known before D 00:00 is `known_on < D`; taken back before it is `undone_on < D`.
    """

    gone: int
    kept: int
    known_on: date
    undone_on: date | None = None

    def counts(self, as_of: date) -> bool:
        return self.known_on < as_of and (self.undone_on is None or as_of <= self.undone_on)


def joined(as_ofs: Collection[date] | None = None) -> list[Joined]:
    """Every pair that counts as of one of these days (any day for None), chains included.

    a went into b and b into c: a is part of b, and of c from the later of the two days on.
    """
    rows = CustomerMerge.objects.order_by("pk").values_list(
        "gone_id", "kept_id", "merged_at", "undone_at"
    )
    direct = [
        Joined(gone, kept, day_of(merged), day_of(undone) if undone else None)
        for gone, kept, merged, undone in rows
    ]
    found = dict.fromkeys(direct)
    todo = list(direct)
    while todo:
        first = todo.pop()
        for second in direct:
            if second.gone != first.kept or second.kept == first.gone:
                continue
            longer = _chained(first, second)
            if longer is not None and longer not in found:
                found[longer] = None
                todo.append(longer)
    if as_ofs is None:
        return list(found)
    return [pair for pair in found if any(pair.counts(day) for day in as_ofs)]


def _chained(first: Joined, second: Joined) -> Joined | None:
    known_on = max(first.known_on, second.known_on)
    ends = [end for end in (first.undone_on, second.undone_on) if end is not None]
    undone_on = min(ends, default=None)
    if undone_on is not None and undone_on <= known_on:
        return None
    return Joined(first.gone, second.kept, known_on, undone_on)


def kept_as_of(as_of: date) -> dict[int, int]:
    """gone -> the customer that it counts for in the end as of a day."""
    pairs = [pair for pair in joined([as_of]) if pair.counts(as_of)]
    away = {pair.gone for pair in pairs}
    return {pair.gone: pair.kept for pair in pairs if pair.kept not in away}


def same_pairs(as_ofs: Sequence[date]) -> list[tuple[list[date], list[Joined]]]:
    """The days in groups, each with the pairs to put together for it.

    A pair that still stands serves every day by its `known_on`. One that was taken back serves
    only some of the days: they are asked apart from the others.
    """
    pairs = joined(as_ofs)
    if not pairs:
        return [(list(as_ofs), [])]
    standing = [pair for pair in pairs if pair.undone_on is None]
    ended = [pair for pair in pairs if pair.undone_on is not None]
    groups: dict[tuple[Joined, ...], list[date]] = {}
    for day in as_ofs:
        groups.setdefault(tuple(pair for pair in ended if pair.counts(day)), []).append(day)
    return [(days, [*standing, *some]) for some, days in groups.items()]


def kept_by_gone() -> dict[int, int]:
    """gone -> the customer it is part of in the end, as things stand now."""
    direct = dict(
        CustomerMerge.objects.filter(undone_at__isnull=True).values_list("gone_id", "kept_id")
    )
    found = {}
    for gone, into in direct.items():
        kept = into
        while kept in direct:  # no circle: what is kept was no merged customer then
            kept = direct[kept]
        found[gone] = kept
    return found


def present_ids(customer_ids: Iterable[int]) -> list[int]:
    """The customers that stand for these now, each once."""
    kept = kept_by_gone()
    return list(dict.fromkeys(kept.get(pk, pk) for pk in customer_ids))


def ids_of(customer_id: int) -> list[int]:
    """The customer and every one that is part of it now: whose rows of the lake are its own."""
    kept = kept_by_gone()
    return [customer_id, *sorted(gone for gone, into in kept.items() if into == customer_id)]


def merges_of(customer_id: int) -> list[CustomerMerge]:
    """Into this customer and not taken back, the newest first."""
    rows = CustomerMerge.objects.filter(kept_id=customer_id, undone_at__isnull=True)
    return list(rows.select_related("gone", "merged_by"))


def merged_into(customer_id: int) -> CustomerMerge | None:
    """The merge by which this customer became part of another."""
    rows = CustomerMerge.objects.filter(Q(gone_id=customer_id), undone_at__isnull=True)
    return rows.select_related("kept", "merged_by").first()
