"""What the demo company's CSMs said about coming renewals, week by week, and leaders decided."""

from datetime import datetime, timedelta
from decimal import Decimal

import numpy as np
from django.db import transaction

from gengyun.demo.load.books import Books
from gengyun.demo.world.shapes import Account, World
from gengyun.kernel.days import day_of, start_of
from gengyun.kernel.outbox import unheard
from gengyun.revenue.actions.asking import ask_more
from gengyun.revenue.actions.checkpoints import decide, give_view
from gengyun.revenue.actions.renewals import set_forecast
from gengyun.revenue.models import Category, Checkpoint, CheckpointState, Renewal, RenewalState
from gengyun.team.models import Role, User

LOOKS_AHEAD = 150  # days
JUDGED_A_WEEK = 0.16  # of what is not judged yet
CHANGED_A_WEEK = 0.04
PRICE_RISE, PRICE_WHY = Decimal("0.05"), "新价目表，统一上调 5%"
PRICE_TOLD, PRICES_SAID = timedelta(days=120), timedelta(weeks=6)
WHY = {
    Category.COMMIT: ("决策人口头确认", "采购流程已经启动", "预算已经批下来"),
    Category.EXPECTED: ("用得稳，还没谈价格", "拥护者说没问题，决策人还没见", "按去年的节奏走"),
    Category.AT_RISK: ("有部门在看别家", "预算要砍，可能减席位", "新负责人还没有表态"),
}


class Forecasters:
    def __init__(self, world: World, books: Books) -> None:
        self.accounts: dict[int, Account] = {
            customer.pk: account
            for customer, account in zip(
                books.customers, [*world.accounts, *world.former], strict=True
            )
        }
        self.rng = np.random.default_rng([world.seed, 84])
        leading = User.objects.filter(role=Role.LEADER, is_active=True)
        self.leaders = {user.team_id: user for user in leading.order_by("-pk")}
        self.prices_rise_on = (world.as_of + timedelta(days=31)).replace(day=1)

    def work(self, now: datetime) -> None:
        """One week of looking at what comes due."""
        until = day_of(now) + timedelta(days=LOOKS_AHEAD)
        rows = Renewal.objects.filter(
            state=RenewalState.OPEN, due_on__lte=until, due_on__gte=day_of(now), owner__isnull=False
        ).select_related("owner", "customer")
        with unheard(), transaction.atomic():
            for renewal in rows.order_by("due_on", "pk"):
                self._look(renewal, now)
            self._tell_prices(now)
            self._views(now)

    def _tell_prices(self, now: datetime) -> None:
        """List prices rise for terms that end from the turn of the month on; it is said in the last
        weeks, 120 days before a term ends."""
        if now < start_of(self.prices_rise_on) - PRICES_SAID:
            return
        rows = Renewal.objects.filter(
            state=RenewalState.OPEN,
            due_on__gte=self.prices_rise_on,
            due_on__lte=day_of(now) + PRICE_TOLD,
            asked_minor__isnull=True,
        )
        keys = list(rows.order_by("pk").values_list("pk", flat=True))
        ask_more(actor=None, now=now, renewal_ids=keys, more=PRICE_RISE, why=PRICE_WHY)

    def _look(self, renewal: Renewal, now: datetime) -> None:
        days = (renewal.due_on - day_of(now)).days
        is_new = renewal.category == Category.UNJUDGED
        chance = JUDGED_A_WEEK * (1 + (days < 60)) if is_new else CHANGED_A_WEEK
        if self.rng.random() >= chance:
            return
        category = self._category(renewal)
        share = {Category.COMMIT: 1.0, Category.EXPECTED: 1.0, Category.AT_RISK: 0.6}[category]
        if self.rng.random() < 0.3:
            share *= float(self.rng.uniform(0.75, 1.12))
        amount = round(renewal.due_minor * share / 10_000) * 10_000
        set_forecast(
            actor=renewal.owner,
            now=now,
            renewal_id=renewal.pk,
            category=category,
            forecast_minor=amount,
            why=str(self.rng.choice(WHY[category])),
        )

    def _category(self, renewal: Renewal) -> Category:
        """CSMs are somewhat too hopeful, and feel the fit of a customer more than its use."""
        account = self.accounts[renewal.customer_id]
        feeling = account.fit * 0.5 + float(self.rng.normal(0.35, 0.7))
        if account.situation in {"stopped", "churned"}:
            feeling -= 1.2
        if feeling > 0.75:
            return Category.COMMIT
        return Category.EXPECTED if feeling > -0.35 else Category.AT_RISK

    def _views(self, now: datetime) -> None:
        """At the checkpoints some have not answered yet; of the disagreements most are decided."""
        waiting = Checkpoint.objects.filter(
            state=CheckpointState.WAITING, renewal__owner__isnull=False
        ).select_related("renewal__owner")
        for point in waiting.order_by("pk"):
            if self.rng.random() < 0.45:
                hopeful = self._category(point.renewal) != Category.AT_RISK
                give_view(
                    actor=point.renewal.owner,
                    now=now,
                    checkpoint_id=point.pk,
                    view="renew" if hopeful else "risk",
                    why="和决策人谈过" if hopeful else "",
                )
        disputed = Checkpoint.objects.filter(state=CheckpointState.DISPUTED)
        for point in disputed.select_related("renewal__owner__team").order_by("pk"):
            leader = self._leader_of(point.renewal.owner)
            if leader is not None and self.rng.random() < 0.35:
                side = point.signal if self.rng.random() < 0.5 else point.view
                decided = side if side in {"renew", "risk"} else "renew"
                decide(
                    actor=leader,
                    now=now,
                    checkpoint_id=point.pk,
                    decided=decided,
                    why="看了用量和最近两次会议记录" if decided == "risk" else "决策人已经当面表态",
                )

    def _leader_of(self, owner: User | None) -> User | None:
        return self.leaders.get(owner.team_id or 0) if owner is not None else None
