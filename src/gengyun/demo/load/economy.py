"""What the demo company spends, what its customers could spend, the deals its people work on."""

from datetime import date, datetime, timedelta

import numpy as np
from django.db import transaction

from gengyun.customers.models import Customer
from gengyun.demo.load.books import Books
from gengyun.demo.world.accounts import add_months
from gengyun.demo.world.deals import CARE, COLLAB, CONNECT, INSIGHT, SERVICE
from gengyun.demo.world.shapes import Account, World
from gengyun.kernel.days import start_of
from gengyun.kernel.outbox import unheard
from gengyun.revenue.actions import opportunity_stages
from gengyun.revenue.actions.economics import record_spend
from gengyun.revenue.actions.opportunities import (
    create_opportunity,
    lose_opportunity,
    move_opportunity,
    win_opportunity,
)
from gengyun.revenue.actions.settings import edit_settings
from gengyun.revenue.actions.wallet import record_budget
from gengyun.revenue.models import Line, OpportunityKind, OpportunityStage, SpendKind
from gengyun.team.models import User

YUAN = 100
MONTHS = 48
# yearly cost of a CSM's work place, by key; leaders and others are not in the capacity
SALARY_YUAN = {
    "linxiao": 26_500, "hejia": 25_000, "zhoumu": 24_000, "chenyuan": 17_500,
    "xuzhixia": 14_500, "shenyifan": 14_000,
}  # fmt: skip
GROSS_MARGIN_BP = 7_900
BUDGET_SHARE = {"standard": 0.08, "key": 0.4, "strategic": 0.8}  # of customers, who told us
DEALS = 46


def set_conventions(*, actor: User, now: datetime) -> None:
    changes = {
        "gross_margin_bp": GROSS_MARGIN_BP,
        "tier_weights": {"strategic": 6.0, "key": 2.0, "standard": 0.5},
    }
    edit_settings(actor=actor, now=now, changes=changes)
    opportunity_stages.install_defaults(now=now)


def note_spend(people: dict[str, User], *, as_of: date, seed: int) -> int:
    """Four years of monthly spend, growing with the company; the running month is not closed."""
    rng = np.random.default_rng([seed, 81])
    count = 0
    first = add_months(as_of.replace(day=1), -MONTHS)
    with unheard(), transaction.atomic():
        for k in range(MONTHS):
            month = add_months(first, k)
            now = start_of(add_months(month, 1)) + timedelta(days=4, hours=10)
            if now >= start_of(as_of):
                break
            grown = 1.026**k
            season = 1.25 if month.month in {3, 9, 11, 12} else 0.95
            amounts = {
                SpendKind.SALES_MARKETING: 118_000 * grown * season * rng.lognormal(0, 0.06),
                SpendKind.CS: 9_000 * grown * rng.lognormal(0, 0.08),
                SpendKind.COGS: 98_000 * grown * rng.lognormal(0, 0.03),
            }
            for kind, yuan in amounts.items():
                minor = round(yuan / 100) * 100 * YUAN
                record_spend(actor=None, now=now, kind=kind, month=month, amount_minor=minor)
                count += 1
            for key, yuan in SALARY_YUAN.items():
                raised = round(yuan * 1.05 ** (k / 12 - MONTHS / 12) / 100) * 100 * YUAN
                record_spend(
                    actor=None, now=now, kind=SpendKind.SALARY, month=month,
                    amount_minor=raised, user=people[key],
                )  # fmt: skip
                count += 1
    return count


def note_budgets(world: World, customers: list[Customer], *, seed: int) -> int:
    """What customers said they spend a year on the category: our share of it is a few tenths."""
    rng = np.random.default_rng([seed, 82])
    count = 0
    with unheard(), transaction.atomic():
        for account, customer in zip(world.accounts, customers, strict=True):
            told = rng.random() < BUDGET_SHARE[account.size]
            if not told or account.owner is None or account.situation == "churned":
                continue
            share = float(rng.beta(3, 5)) * 0.8 + 0.08
            said_on = world.as_of - timedelta(days=int(rng.integers(10, 300)))
            if said_on <= account.started_on:
                continue
            decider = next((p for p in account.persons if p.part == "decider"), account.persons[0])
            record_budget(
                actor=customer.owner,
                now=start_of(said_on) + timedelta(hours=16),
                customer=customer,
                category="",
                year=said_on.year,
                amount_minor=round(account.arr_yuan / share / 1_000) * 1_000 * YUAN,
                currency="CNY",
                said_by=f"{decider.name}（{decider.title}）",
                said_on=said_on,
            )
            count += 1
    return count


KINDS = {
    COLLAB: (OpportunityKind.UPSELL, "加购席位", "问清楚新增的是哪个部门，谁出预算"),
    INSIGHT: (OpportunityKind.CROSS_SELL, "禾舟洞察", "约数据主管看一次演示"),
    CONNECT: (OpportunityKind.CROSS_SELL, "禾舟连接", "要一份他们系统的接口清单"),
    CARE: (OpportunityKind.CROSS_SELL, "私有化部署", "和信息部一起看安全要求"),
    SERVICE: (OpportunityKind.SERVICE, "深化实施与培训", "发实施方案，确认培训人数"),
}
REASONS = ("预算推到明年", "集团统一采购别家", "先把现有的用好再说", "价格高于他们的预期")


def seed_deals(books: Books, world: World, customers: list[Customer], *, seed: int) -> int:
    """Opportunities of the last half year: most are open, a few were won or lost."""
    rng = np.random.default_rng([seed, 83])
    stages = {stage.key: stage for stage in OpportunityStage.objects.all()}
    able = [
        (account, customer)
        for account, customer in zip(world.accounts, customers, strict=True)
        if account.owner is not None and account.situation in {"usual", "new"}
    ]
    weights = np.array([account.arr_yuan**0.5 for account, _ in able])
    chosen = rng.choice(
        len(able), size=min(DEALS, len(able)), replace=False, p=weights / weights.sum()
    )
    with unheard(), transaction.atomic():
        for n, place in enumerate(chosen):
            _deal(rng, books, world, *able[int(place)], stages=stages, rank=n / len(chosen))
    return len(chosen)


def _deal(
    rng: np.random.Generator,
    books: Books,
    world: World,
    account: Account,
    customer: Customer,
    *,
    stages: dict[str, OpportunityStage],
    rank: float,
) -> None:
    """`rank` from 0 to 1 spreads the deals over how far they are."""
    held = set(books.held.get(account.index, {}))
    free = [key for key in (INSIGHT, CONNECT) if key not in held]
    key = str(rng.choice([COLLAB, SERVICE, *free])) if free else COLLAB
    kind, name, step = KINDS[key]
    born = world.as_of - timedelta(days=int(rng.integers(12, 170)))
    born = max(born, account.started_on + timedelta(days=3))
    now = min(start_of(born) + timedelta(hours=15), start_of(world.as_of) - timedelta(hours=9))
    share = {COLLAB: 0.2, SERVICE: 0.12}.get(key, 0.14) * float(rng.lognormal(0, 0.3))
    expected = world.as_of + timedelta(days=int(rng.integers(-10, 150)))
    row = create_opportunity(
        actor=customer.owner,
        now=now,
        customer=customer,
        values={
            "name": name,
            "kind": kind,
            "product": books.products[key],
            "amount_minor": max(10, round(account.arr_yuan * share / 100)) * 100 * YUAN,
            "expected_on": expected,
            "next_step": step,
            "next_step_on": world.as_of + timedelta(days=int(rng.integers(-3, 21))),
        },
    )
    far = ("found", "qualified", "proposal", "negotiation")[min(3, int(rank * 4.6))]
    moves = ("qualified", "proposal", "negotiation")
    later = now
    for stage in moves[: moves.index(far) + 1] if far in moves else ():
        later = min(later + timedelta(days=int(rng.integers(5, 30))), _last(world))
        row = move_opportunity(
            actor=customer.owner, now=later, opportunity=row, stage=stages[stage]
        )
    if rank > 0.93:
        _win(books, world, account, customer, row, now=later)
    elif rank > 0.84:
        reason = str(rng.choice(REASONS))
        lose_opportunity(actor=customer.owner, now=_last(world), opportunity=row, reason=reason)


def _win(books, world, account, customer, row, *, now) -> None:
    """Won with the line that came of it where there is one, else on somebody's word."""
    line = (
        Line.objects.filter(customer=customer, product=row.product, voided_at__isnull=True)
        .order_by("-starts_on", "-pk")
        .first()
    )
    since = world.as_of - timedelta(days=120)
    fits = line is not None and line.known_at >= start_of(since)
    win_opportunity(
        actor=customer.owner, now=_last(world), opportunity=row, line=line if fits else None
    )


def _last(world: World) -> datetime:
    return start_of(world.as_of) - timedelta(hours=8)
