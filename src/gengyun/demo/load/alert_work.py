"""What the demo company's people did with past alerts: answered, worked, closed with a verdict."""

from datetime import date, datetime, timedelta

import numpy as np

from gengyun.alerts.actions import work
from gengyun.alerts.models import Alert
from gengyun.customers.models import Customer
from gengyun.demo.world import tales
from gengyun.demo.world.shapes import Account, World
from gengyun.kernel.days import day_of, start_of

UNANSWERED = 0.07  # share of alerts that nobody ever takes up
SHOCK_DAYS = 100  # a shock that began to show so long before an alert explains it
VERDICTS = ("true", "false", "known")
WITH_CAUSE, WITHOUT = (0.82, 0.04, 0.14), (0.42, 0.36, 0.22)
RECENT = timedelta(days=4)  # alerts of the last days are still on the desk


class Desk:
    """Works through the alerts that are open after a judged past day."""

    def __init__(self, world: World, customers: list[Customer]) -> None:
        self.world = world
        self.account_of = {
            customer.pk: account
            for customer, account in zip(customers, [*world.accounts, *world.former], strict=True)
        }
        self.rng = np.random.default_rng(world.seed + 1)
        self.plans: dict[int, tuple[datetime | None, datetime]] = {}

    def work(self, until: datetime) -> None:
        """Everything that people did before `until`."""
        open_ones = Alert.objects.open().tickets().filter(customer__isnull=False)
        for alert in open_ones.exclude(owner=None).select_related("owner").order_by("pk"):
            answers_at, closes_at = self._plan(alert)
            if answers_at is None or answers_at >= until:
                continue
            if alert.responded_at is None:
                work.respond(actor=alert.owner, now=answers_at, alert_ids=[alert.pk])
            if closes_at < until and not self._is_on_stage(alert):
                verdict = self._verdict(alert)
                work.close(actor=alert.owner, now=closes_at, alert_ids=[alert.pk], verdict=verdict)

    def answer_cleared(self, until: datetime) -> None:
        """是你解决的吗? Most are answered within days."""
        cleared = Alert.objects.tickets().filter(
            state=Alert.State.CLOSED,
            close_reason=Alert.CloseReason.CLEARED,
            was_it_us__isnull=True,
            closed_at__lt=until - RECENT,
        )
        for alert in cleared.exclude(owner=None).select_related("owner").order_by("pk"):
            draw = self.rng.random()
            if draw < 0.8:
                was_it_us = self._is_on_stage(alert) or draw < 0.35
                work.answer(actor=alert.owner, now=until, alert_ids=[alert.pk], was_it_us=was_it_us)

    def _plan(self, alert: Alert) -> tuple[datetime | None, datetime]:
        """When somebody answers (None: never) and when it is closed; drawn once per alert."""
        if alert.pk not in self.plans:
            ignored = self.rng.random() < UNANSWERED and not self._is_on_stage(alert)
            wait = float(self.rng.lognormal(np.log(5), 0.7))  # hours after nine
            opened = day_of(alert.opened_at)
            answers_at = _office_morning(opened) + timedelta(hours=min(wait, 60))
            days = float(np.clip(self.rng.lognormal(np.log(11), 0.6), 2, 45))
            self.plans[alert.pk] = (
                None if ignored else answers_at,
                answers_at + timedelta(days=days),
            )
        return self.plans[alert.pk]

    def _account(self, alert: Alert) -> Account:
        return self.account_of[alert.customer_id or 0]

    def _is_on_stage(self, alert: Alert) -> bool:
        return tales.TAG in self._account(alert).tags

    def _verdict(self, alert: Alert) -> str:
        opened = (alert.opened_on - self.world.days[0]).days
        explained = any(
            shock.kind != "win"
            and shock.shows_from is not None
            and opened - SHOCK_DAYS <= shock.shows_from <= opened
            for shock in self._account(alert).shocks
        ) or self._account(alert).situation in {"stopped", "churned"}
        return str(self.rng.choice(VERDICTS, p=WITH_CAUSE if explained else WITHOUT))


def _office_morning(day: date) -> datetime:
    while day.weekday() > 4:
        day += timedelta(days=1)
    return start_of(day) + timedelta(hours=9)
