"""Renewals of a period as an actor sees them: rows, totals, and how all of it stood on a past day.

Totals are read from one index (`renewal_totals`) and added up here by month and category, so that
a page costs the same whether it shows ten renewals of a quarter or the first fifty of 25,000.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import Count, QuerySet, Sum

from gengyun.kernel.days import start_of
from gengyun.kernel.errors import NotFound
from gengyun.revenue.calc.fx import Rates
from gengyun.revenue.models import ExchangeRate, Renewal, RenewalChange, RenewalState
from gengyun.revenue.models.renewals import Category
from gengyun.revenue.queries.chances import Calls, apart_of, calls, disagree
from gengyun.revenue.queries.settings import current
from gengyun.team.models import User

CATEGORIES = tuple(Category.values)  # in the order of the page
SORTS = ("due", "gap", "amount", "name")
ONLY = ("", "unjudged", "changed", "gap", "open")
REPLAYED = (
    "category", "forecast_minor", "due_minor", "state", "outcome_minor", "gap", "due_on",
    "asked_minor",
)  # fmt: skip
CHUNK = 500


@dataclass(frozen=True)
class Filters:
    """Nothing set stands for everything the actor may see."""

    owner_id: int | None = None  # of the customer; 0: nobody's
    category: str = ""
    tier_id: int | None = None
    only: str = ""  # unjudged, changed (this week), gap (disagreement), open
    text: str = ""  # in the name of the customer


@dataclass(frozen=True)
class Part:
    """Renewals of one category: how many, what comes due, what is expected of it."""

    count: int = 0
    due_minor: int = 0
    forecast_minor: int = 0

    def plus(self, count: int, due: int, forecast: int) -> "Part":
        return Part(self.count + count, self.due_minor + due, self.forecast_minor + forecast)


@dataclass
class Totals:
    """Sums by (month, category) in the base currency; `without_rate` could not be converted."""

    cells: dict[tuple[date, str], Part] = field(default_factory=dict)
    apart: "Totals | None" = None  # of those with a disagreement; None: not counted
    without_rate: dict[str, int] = field(default_factory=dict)  # currency -> minor due

    @property
    def gaps(self) -> int | None:
        """Renewals with a disagreement; None: not counted."""
        return None if self.apart is None else self.apart.of().count

    def add(self, month: date, category: str, count: int, due: int, forecast: int) -> None:
        key = (month, category)
        self.cells[key] = self.cells.get(key, Part()).plus(count, due, forecast)

    def add_of(
        self, at: tuple[date, str], sums: tuple[int, int, int], currency: str, convert: "Convert"
    ) -> None:
        """Renewals of one month, category and currency: how many, what is due, what is expected."""
        count, due, forecast = sums
        base = self.based(due, currency, convert)
        self.add(*at, count, base, convert(forecast, currency) or 0)

    def based(self, minor: int, currency: str, convert: "Convert") -> int:
        """In the base currency; 0 where it cannot be, and then said in `without_rate`."""
        base = convert(minor, currency)
        if base is None:
            self.without_rate[currency] = self.without_rate.get(currency, 0) + minor
        return base or 0

    def of(self, *, month: date | None = None, categories: Iterable[str] = CATEGORIES) -> Part:
        wanted, found = set(categories), Part()
        for (at, category), cell in self.cells.items():
            if (month is None or at == month) and category in wanted:
                found = found.plus(cell.count, cell.due_minor, cell.forecast_minor)
        return found

    def only(self, categories: Iterable[str]) -> "Totals":
        """The part of these categories; of none, all of it."""
        wanted = set(categories)
        if not wanted:
            return self
        return Totals({key: cell for key, cell in self.cells.items() if key[1] in wanted})

    @property
    def months(self) -> list[date]:
        return sorted({month for month, _ in self.cells})

    @property
    def judged(self) -> Part:
        return self.of(categories=[c for c in CATEGORIES if c != Category.UNJUDGED])


def scoped(actor: User | None, filters: Filters) -> QuerySet[Renewal]:
    """Renewals that stand for themselves; those merged into another are part of it."""
    rows = Renewal.objects.visible_to(actor).exclude(state=RenewalState.MERGED)
    if filters.owner_id is not None:
        rows = rows.filter(customer__owner_id=filters.owner_id or None)
    if filters.category:
        rows = rows.filter(category=filters.category)
    if filters.tier_id is not None:
        rows = rows.filter(customer__tier=filters.tier_id)
    if filters.text:
        rows = rows.filter(customer__name__icontains=filters.text)
    return rows


def within(
    actor: User | None,
    filters: Filters,
    first: date,
    last: date,
    *,
    changed_since: datetime,
    known: Calls | None = None,
) -> QuerySet[Renewal]:
    """Those due first..last (both included) that fit `filters`."""
    rows = scoped(actor, filters).filter(due_on__gte=first, due_on__lte=last)
    if filters.only == "unjudged":
        rows = rows.filter(category=Category.UNJUDGED)
    elif filters.only == "gap":
        rows = rows.filter(disagree(known or calls()))
    elif filters.only == "open":
        rows = rows.filter(state=RenewalState.OPEN)
    elif filters.only == "changed":
        rows = rows.filter(pk__in=_changed(changed_since).values("renewal_id"))
    return rows


def ordered(rows: QuerySet[Renewal], sort: str, known: Calls | None = None) -> QuerySet[Renewal]:
    """By disagreement: first those far from the model, the furthest first, then by the signal."""
    if sort == "gap":
        rows = rows.annotate(apart=apart_of(known or calls()))
    by = {
        "due": ("due_on", "pk"),
        "gap": ("-apart", "-gap", "-due_minor", "pk"),
        "amount": ("-due_minor", "pk"),
        "name": ("customer__name", "pk"),
    }
    return rows.order_by(*by[sort])


def keys_of(rows: QuerySet[Renewal], first: int, count: int) -> list[int]:
    """Keys first..first+count of an ordered query: found and sorted in the index alone, without
    the customers beside them."""
    return list(rows.values_list("pk", flat=True)[first : first + count])


def shown(rows: QuerySet[Renewal]) -> QuerySet[Renewal]:
    """With what a row of the grid says."""
    return rows.select_related("customer__tier", "customer__owner", "product")


def get(actor: User | None, pk: int) -> Renewal:
    found = shown(scoped(actor, Filters())).filter(pk=pk).first()
    if found is None:
        raise NotFound
    return found


# --- totals -------------------------------------------------------------------------------------


Convert = Callable[[int, str], int | None]


def converter(day: date) -> tuple[Convert, str]:
    """(minor, currency) -> minor of the base currency at the newest rate of `day`, and that base.

    None: no rate is known; the amount is told apart and not counted as nothing.
    """
    base = current().base_currency
    known = ExchangeRate.objects.filter(base=base, on__lte=day).order_by("on", "known_at", "pk")
    rates = Rates.of(base, known.values_list("currency", "on", "rate"))

    def convert(minor: int, currency: str) -> int | None:
        return minor if currency == base else rates.converted(minor, currency, day)

    return convert, base


def totals(
    rows: QuerySet[Renewal], convert: Convert, known: Calls | None = None, *, with_gaps: bool = True
) -> Totals:
    """Without `with_gaps` disagreements are not counted (None): that takes as long as the rest."""
    groups = rows.order_by().values_list("due_on", "currency", "category")
    groups = groups.annotate(n=Count("*"), due=Sum("due_minor"), forecast=Sum("forecast_minor"))
    if with_gaps:
        apart = disagree(known or calls())
        groups = groups.annotate(
            gaps=Count("pk", filter=apart),
            gap_due=Sum("due_minor", filter=apart),
            gap_forecast=Sum("forecast_minor", filter=apart),
        )
    # added up by month before anything is converted: a rate holds for all days alike
    parts: dict[tuple[str, str, str], list[int]] = {}
    for due_on, currency, category, n, due, forecast, *apart_ones in _plain_rows(groups):
        held = parts.setdefault((str(due_on)[:7], currency, category), [0] * 6)
        held[0] += n
        held[1] += due
        held[2] += forecast or 0
        if apart_ones and apart_ones[0]:
            for spot, value in enumerate(apart_ones, start=3):
                held[spot] += value or 0
    found = Totals(apart=Totals() if with_gaps else None)
    for (text, currency, category), sums in parts.items():
        month, (n, due, forecast, *gaps) = date.fromisoformat(f"{text}-01"), map(int, sums)
        at = (month, category)
        found.add_of(at, (n, due, forecast), currency, convert)
        if found.apart is not None and gaps[0]:
            found.apart.add_of(at, (gaps[0], gaps[1], gaps[2]), currency, convert)
    return found


def _plain_rows(rows: QuerySet[Any]) -> list[tuple[Any, ...]]:
    """As the database gives them: of the groups of a quarter only the months are wanted, and
    making a date of each day takes as long as reading them. A day is a text or a date."""
    try:
        sql, params = rows.query.sql_with_params()
    except EmptyResultSet:
        return []
    with connections[rows.db].cursor() as cursor:
        cursor.execute(sql, params)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def due_by_month(rows: QuerySet[Renewal], convert: Convert) -> dict[date, tuple[int, int]]:
    """Month -> (how many, what comes due): the tabs."""
    groups = rows.order_by().values_list("due_on", "currency")
    parts: dict[tuple[str, str], list[int]] = {}
    counted = groups.annotate(n=Count("*"), due=Sum("due_minor"))
    for due_on, currency, n, due in _plain_rows(counted):
        held = parts.setdefault((str(due_on)[:7], currency), [0, 0])
        held[0] += n
        held[1] += due
    found: dict[date, tuple[int, int]] = {}
    for (text, currency), (n, due) in parts.items():
        month = date.fromisoformat(f"{text}-01")
        count, amount = found.get(month, (0, 0))
        found[month] = (count + n, amount + (convert(int(due), currency) or 0))
    return found


def by_owner_or_tier(
    rows: QuerySet[Renewal], group: str, convert: Convert
) -> dict[int | None, Part]:
    """Owner or tier of the customer -> sums."""
    key = {"owner": "customer__owner_id", "tier": "customer__tier_id"}[group]
    found: dict[int | None, Part] = {}
    groups = rows.order_by().values_list(key, "currency")
    for pk, currency, n, due, forecast in groups.annotate(
        n=Count("*"), due=Sum("due_minor"), forecast=Sum("forecast_minor")
    ):
        found[pk] = found.get(pk, Part()).plus(
            n, convert(due, currency) or 0, convert(forecast or 0, currency) or 0
        )
    return found


# --- what changed, and what was there before ----------------------------------------------------


def _changed(since: datetime) -> QuerySet[RenewalChange]:
    """By people: what the contracts did to a renewal is no change of opinion."""
    return RenewalChange.objects.filter(
        at__gte=since, field__in=("category", "forecast_minor"), actor__isnull=False
    )


@dataclass(frozen=True)
class Before:
    """Values of a renewal at a moment, where they were different from now."""

    values: Mapping[str, Any] = field(default_factory=dict)

    def get(self, name: str, now: Any) -> Any:
        return self.values.get(name, now)


def before(
    renewal_ids: Sequence[int], moment: datetime, *, by_people: bool = False
) -> dict[int, Before]:
    """Renewal -> what its changes since `moment` found; those without a change are left out."""
    found: dict[int, dict[str, Any]] = defaultdict(dict)
    for start in range(0, len(renewal_ids), CHUNK):
        rows = RenewalChange.objects.filter(
            renewal_id__in=renewal_ids[start : start + CHUNK], at__gte=moment, field__in=REPLAYED
        )
        if by_people:
            rows = rows.filter(actor__isnull=False)
        # the oldest comes last and wins: it says what was there
        for pk, name, old in rows.order_by("-at", "-pk").values_list("renewal_id", "field", "old"):
            found[pk][name] = old
    return {pk: Before(values) for pk, values in found.items()}


@dataclass(frozen=True)
class Week:
    """What people changed of some renewals since a moment."""

    count: int  # of renewals changed
    moved: Mapping[str, int]  # category -> by how much its amount moved
    before: Mapping[int, Before]  # renewal -> what was there


def week_of(rows: QuerySet[Renewal], since: datetime, convert: Convert) -> Week:
    changed = list(
        rows.filter(pk__in=_changed(since).values("renewal_id"))
        .order_by()
        .values_list("pk", "currency", "category", "due_minor", "forecast_minor")
    )
    then = before([row[0] for row in changed], since, by_people=True)
    moved: dict[str, int] = defaultdict(int)
    for pk, currency, category, due, forecast in changed:
        was = then.get(pk, Before())
        moved[category] += convert(amount_of(category, due, forecast), currency) or 0
        old = was.get("category", category)
        then_said = amount_of(old, due, was.get("forecast_minor", forecast))
        moved[old] -= convert(then_said, currency) or 0
    return Week(len(changed), dict(moved), then)


def amount_of(category: str, due: int, forecast: int | None) -> int:
    """What a renewal counts in its category: what is expected, and where nothing is (lost, not
    judged) what comes due."""
    return due if category in {Category.LOST, Category.UNJUDGED} else forecast or 0


def as_of(rows: Iterable[Renewal], day: date) -> list[Renewal]:
    """The same renewals as they stood when `day` began: those not known then left out, every field
    that changed since put back. The rows are copies that must not be saved."""
    moment = start_of(day)
    known = [row for row in rows if row.created_at < moment]
    then = before([row.pk for row in known], moment)
    for row in known:
        for name, value in then.get(row.pk, Before()).values.items():
            old = date.fromisoformat(value) if name == "due_on" and value else value
            setattr(row, name, old)
    return known


def totals_of(rows: Iterable[Renewal], convert: Convert) -> Totals:
    """The totals of rows at hand, as `totals` makes them in the database."""
    apart = Totals()
    found = Totals(apart=apart)
    for row in rows:
        due = found.based(row.due_minor, row.currency, convert)
        forecast = convert(row.forecast_minor or 0, row.currency) or 0
        for to in (found, apart) if row.gap else (found,):
            to.add(row.due_on.replace(day=1), row.category, 1, due, forecast)
    return found


# --- one renewal and its surroundings -----------------------------------------------------------


def changes(actor: User | None, rows: QuerySet[Renewal]) -> QuerySet[RenewalChange]:
    """Who changed what of these renewals, newest first."""
    found = RenewalChange.objects.visible_to(actor).filter(renewal__in=rows.values("pk"))
    return found.select_related("renewal__customer", "actor").order_by("-at", "-pk")


def history(renewal: Renewal) -> list[RenewalChange]:
    return list(
        RenewalChange.objects.filter(renewal=renewal)
        .select_related("actor")
        .order_by("-at", "-pk")[:200]
    )


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())
