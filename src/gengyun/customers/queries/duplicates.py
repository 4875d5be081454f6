"""Customers that may be one company: the same credit code, or names with the same brand."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations

from django.db.models import Count, Q

from gengyun.customers.calc.company_names import SUGGESTED, likeness, name_key
from gengyun.customers.models import Customer, NotDuplicate
from gengyun.team.models import User

MOST_GROUPS = 400
LARGEST_GROUP = 20  # a brand that more customers share says nothing
SAME_CODE = 1.0


@dataclass(frozen=True)
class Pair:
    """`reason`: same_code, or one of `calc.company_names.Reason`; `first` is proposed to stay."""

    first: Customer
    second: Customer
    reason: str
    score: float


def duplicate_pairs(actor: User | None, *, limit: int = 100) -> list[Pair]:
    """Pairs worth a person's look, the surest first; those judged different are left out."""
    told = set(NotDuplicate.objects.values_list("first_id", "second_id"))
    found: dict[tuple[int, int], Pair] = {}
    for pair in [*_by_code(actor), *_by_name(actor)]:
        low, high = sorted((pair.first.pk, pair.second.pk))
        if (low, high) not in told and (low, high) not in found:
            found[low, high] = pair
    ordered = sorted(found.values(), key=lambda p: (-p.score, -_amount(p), p.first.pk, p.second.pk))
    return ordered[:limit]


def alike(
    actor: User | None, *, name: str, uscc: str = "", besides: int | None = None, limit: int = 5
) -> list[Pair]:
    """Present customers that a new or renamed one may be; `first` is the present one twice over."""
    key = name_key(name)
    same = Q(name_key=key) if key else Q(pk__isnull=True)
    if uscc:
        same |= Q(uscc=uscc)
    rows = _present(actor).filter(same).exclude(pk=besides or 0).order_by("pk")[:LARGEST_GROUP]
    told = _told_apart(besides)
    found = []
    for row in rows:
        if row.pk in told:
            continue
        if uscc and row.uscc == uscc:
            found.append(Pair(row, row, "same_code", SAME_CODE))
        elif (like := likeness(name, row.name)) is not None and like.score >= SUGGESTED:
            found.append(Pair(row, row, like.reason, like.score))
    return sorted(found, key=lambda pair: (-pair.score, pair.first.pk))[:limit]


def _told_apart(pk: int | None) -> set[int]:
    if pk is None:
        return set()
    rows = NotDuplicate.objects.filter(Q(first_id=pk) | Q(second_id=pk))
    return {one for pair in rows.values_list("first_id", "second_id") for one in pair} - {pk}


def _present(actor: User | None):  # type: ignore[no-untyped-def]
    return Customer.objects.visible_to(actor).present().select_related("owner", "tier")


def _by_code(actor: User | None) -> Iterator[Pair]:
    for group in _groups(actor, "uscc"):
        for one, other in combinations(group, 2):
            yield _pair(one, other, "same_code", SAME_CODE)


def _by_name(actor: User | None) -> Iterator[Pair]:
    for group in _groups(actor, "name_key"):
        for one, other in combinations(group, 2):
            if one.uscc and other.uscc and one.uscc != other.uscc:
                continue  # two registered companies
            like = likeness(one.name, other.name)
            if like is not None and like.score >= SUGGESTED:
                yield _pair(one, other, like.reason, like.score)


def _groups(actor: User | None, column: str) -> Iterable[list[Customer]]:
    rows = Customer.objects.visible_to(actor).present().exclude(**{column: ""}).order_by()
    shared = rows.values(column).annotate(n=Count("pk")).filter(n__gt=1, n__lte=LARGEST_GROUP)
    values = list(shared.order_by(column).values_list(column, flat=True)[:MOST_GROUPS])
    groups: dict[str, list[Customer]] = defaultdict(list)
    for row in _present(actor).filter(**{f"{column}__in": values}).order_by("pk"):
        groups[getattr(row, column)].append(row)
    return groups.values()


def _pair(one: Customer, other: Customer, reason: str, score: float) -> Pair:
    """Who pays more, or was there first, is proposed to stay."""
    first, second = sorted((one, other), key=lambda row: (-(row.arr_minor or 0), row.pk))
    return Pair(first, second, reason, score)


def _amount(pair: Pair) -> int:
    return (pair.first.arr_minor or 0) + (pair.second.arr_minor or 0)
