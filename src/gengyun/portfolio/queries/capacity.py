"""What every CSM carries, beside the salary cost, as an actor sees it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.db.models import Count

from gengyun.alerts.models import Alert
from gengyun.customers.models import Tier
from gengyun.portfolio.calc.capacity import Band, Held, Load, Plan, loads, rebalance
from gengyun.portfolio.models import CustomerSummary
from gengyun.revenue.models import Spend, SpendKind
from gengyun.revenue.queries.rates import rates_to
from gengyun.revenue.queries.settings import current
from gengyun.team.models import Role, User
from gengyun.team.queries.access import require
from gengyun.team.queries.people import members_below

YEAR = 12
MOST_MOVES = 200


@dataclass(frozen=True)
class Carried:
    user: User
    load: Load
    open_alerts: int
    renewals: int  # that come due within the days asked for


@dataclass(frozen=True)
class Capacity:
    rows: list[Carried]
    band: Band
    currency: str
    held: list[Held]
    salaries: Mapping[int, int | None]
    unowned: int  # customers in nobody's hands
    unowned_minor: int
    without_rate: int  # customers whose currency has no rate: they count 0


def capacity(actor: User, *, today: date, keep_days: int = 90, keep_top: bool = True) -> Capacity:
    """`keep_days`: who renews within so many days stays where they are in a rebalancing;
    `keep_top`: so do customers of the first tier."""
    require(actor, "economics.read")
    settings = current()
    band = Band(Decimal(settings.capacity_low), Decimal(settings.capacity_high))
    people = {
        one.pk: one
        for one in members_below(actor).filter(is_active=True, role__in=(Role.CSM, Role.LEADER))
    }
    held, unowned, missing = _held(actor, today, keep_days, keep_top=keep_top)
    people = {pk: one for pk, one in people.items() if one.role == Role.CSM or _has(held, pk)}
    salaries = _salaries(people, today, settings.base_currency)
    found = loads(held, salaries, band)
    alerts = dict(
        Alert.objects.visible_to(actor)
        .open()
        .filter(owner__in=people)
        .order_by()
        .values_list("owner_id")
        .annotate(Count("pk"))
    )
    horizon = today + timedelta(days=keep_days)
    rows = CustomerSummary.objects.visible_to(actor).filter(
        renews_on__gte=today, renews_on__lte=horizon
    )
    near = dict(rows.order_by().values_list("owner_id").annotate(Count("pk")))
    carried = [Carried(people[pk], found[pk], alerts.get(pk, 0), near.get(pk, 0)) for pk in people]
    carried.sort(key=lambda one: (-(one.load.ratio or -1), -one.load.arr_minor, one.user.name))
    return Capacity(
        carried, band, settings.base_currency, held, salaries, *unowned, without_rate=missing
    )


def _has(held: Sequence[Held], owner: int) -> bool:
    return any(one.owner == owner for one in held)


def _held(
    actor: User, today: date, keep_days: int, *, keep_top: bool
) -> tuple[list[Held], tuple[int, int], int]:
    settings = current()
    rates = rates_to(settings.base_currency)
    weights = {
        tier.pk: Decimal(str(settings.tier_weights.get(tier.key, 1))) for tier in Tier.objects.all()
    }
    top = Tier.objects.order_by("position", "pk").values_list("pk", flat=True).first()
    horizon = today + timedelta(days=keep_days)
    found, nobody, nobodys, missing = [], 0, 0, 0
    rows = CustomerSummary.objects.visible_to(actor).order_by("pk")
    for pk, owner, tier, arr, currency, renews_on in rows.values_list(
        "pk", "owner_id", "tier_id", "arr_minor", "currency", "renews_on"
    ):
        value = rates.converted(arr or 0, currency, today)
        missing += value is None
        if owner is None:
            nobody, nobodys = nobody + 1, nobodys + (value or 0)
            continue
        is_near = renews_on is not None and today <= renews_on <= horizon
        is_fixed = is_near or (keep_top and tier is not None and tier == top)
        found.append(Held(pk, owner, value or 0, weights.get(tier, Decimal(1)), is_fixed))
    return found, (nobody, nobodys), missing


def _salaries(people: Mapping[int, User], today: date, base: str) -> dict[int, int | None]:
    """Yearly salary cost: the mean of the months entered in the last twelve, times twelve."""
    rates = rates_to(base)
    months: dict[int, dict[date, int]] = defaultdict(lambda: defaultdict(int))
    first = date(today.year - 1, today.month, 1)
    rows = Spend.objects.filter(
        kind=SpendKind.SALARY, user__in=people, month__gt=first, month__lte=today
    )
    for user, month, amount, code in rows.values_list(
        "user_id", "month", "amount_minor", "currency"
    ):
        value = rates.converted(amount, code, month)
        if value is not None and user is not None:
            months[user][month] += value
    return {
        pk: sum(paid.values()) * YEAR // len(paid) if (paid := months.get(pk)) else None
        for pk in people
    }


def plan_of(found: Capacity) -> Plan:
    """Who would have to change hands so that everybody carries a normal load."""
    return rebalance(found.held, found.salaries, found.band, most=MOST_MOVES)
