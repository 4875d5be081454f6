"""SOPs of the demo company: taken from the library, published, run by the real engine, with what
people did about their tasks."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import numpy as np
from django.db.models import Q

from gengyun.engagement.actions.channels import create_channel
from gengyun.engagement.actions.touch_approvals import approve_many
from gengyun.engagement.actions.touch_decisions import approve_many as send_drafts
from gengyun.engagement.actions.touch_sending import send_due
from gengyun.engagement.calc.approving import LEADER
from gengyun.engagement.models import Channel, Touch
from gengyun.kernel.calc.workdays import is_working_day
from gengyun.kernel.days import day_of, start_of
from gengyun.portfolio.actions.segments import create_segment
from gengyun.sop.actions import control, drafts
from gengyun.sop.actions.library import copy_ready
from gengyun.sop.actions.step import run_due
from gengyun.sop.models import Sop, StepRun
from gengyun.tasks.actions import work
from gengyun.tasks.models import Task
from gengyun.team.models import User

STARTED_WEEKS_AGO = 3
# library key -> whether those who fulfil it already enter, too
PUBLISHED = {"usage_drop": True, "renewal_90": False, "decider_changed": True}
DRAFTED = ("activation_slow",)
PAUSED = "train_trainer"
DONE = 0.72  # share of tasks that are finished in time
ANSWERS = (
    "已打通电话：换了对接人，下周补一次培训。",
    "关键人出差，约了周四线上会。",
    "使用下降是因为季末盘点，月初恢复。",
    "客户反馈报表太慢，已提工单。",
)
WEAK = {"all": [{"field": "renews", "op": "within", "value": 90},
                {"any": [{"field": "band", "op": "in", "value": ["C", "D"]},
                         {"field": "churn", "op": "gte", "value": 40}]}]}  # fmt: skip
UNUSED = {"any": [{"field": "last_event", "op": "older", "value": 14},
                  {"field": "active_change", "op": "lt", "value": -50}]}  # fmt: skip


class Routines:
    """What operations set up, and what the days between two judged nights brought."""

    def __init__(self, people: Mapping[str, User], seed: int) -> None:
        self.operations = people["tangwei"]
        self.rng = np.random.default_rng(seed + 6)
        self.are_running = False

    def start(self, now: datetime) -> None:
        self.are_running = True
        common = {"actor": self.operations, "now": now}
        # nothing leaves this machine: what would have gone to customers is recorded
        create_channel(
            name="客户消息（只记录，不发出）",
            kind=Channel.Kind.NOWHERE,
            serves=Channel.Serves.CUSTOMERS,
            config={},
            secrets={},
            **common,
        )
        for key, is_backfilled in PUBLISHED.items():
            self._publish(key, now, is_backfilled=is_backfilled)
        paused = self._publish(PAUSED, now, is_backfilled=False)
        control.pause(sop=paused, **common)
        for key in DRAFTED:
            copy_ready(key=key, **common)
        for name, expression in (("90 天内到期且偏弱", WEAK), ("没人在用", UNUSED)):
            create_segment(name=name, expression=expression, is_shared=True, **common)

    def _publish(self, key: str, now: datetime, *, is_backfilled: bool) -> Sop:
        common = {"actor": self.operations, "now": now}
        sop = copy_ready(key=key, **common)
        form = sop.versions.get().form
        form["entry"]["backfill"] = is_backfilled
        for step in form["steps"]:
            if step["kind"] == "message":
                step["channel"] = str(Channel.Kind.NOWHERE)
        drafts.save_draft(sop=sop, form=form, **common)
        drafts.publish(sop=sop, note="来自模板库，先照此运行一季。", **common)
        return sop

    def draft(self, now: datetime) -> None:
        """What operations is working on just now: the mail a little earlier."""
        common = {"actor": self.operations, "now": now}
        sop = Sop.objects.get(library_key="usage_drop")
        form = sop.versions.get(state="published").form
        for step in form["steps"]:
            if step["kind"] == "wait" and step.get("working_days"):
                step["working_days"] = 4
        drafts.save_draft(sop=sop, form=form, **common)

    def days(self, since: datetime, until: datetime) -> None:
        """Runs go on every morning; in the afternoon people finish some of their tasks."""
        day = day_of(since)
        while day <= day_of(until):
            morning = start_of(day) + timedelta(hours=9, minutes=30)
            if since <= morning < until:
                run_due(now=morning)
                send_due(now=morning + timedelta(minutes=30))
                if is_working_day(day):
                    self._finish(morning + timedelta(hours=6))
                    self._approve(morning + timedelta(hours=6))
            day += timedelta(days=1)

    def _approve(self, now: datetime) -> None:
        """People read the drafts of the days before and what waits for their yes, and let most of
        it go."""
        waiting: dict[tuple[User, str], list[int]] = {}
        old = Touch.objects.filter(
            state__in=[Touch.State.DRAFT, Touch.State.APPROVAL],
            asked_at__lt=now - timedelta(days=1),
        ).exclude(Q(customer__owner=None) | Q(approver=LEADER))
        for touch in old.select_related("customer__owner").order_by("pk"):
            if self.rng.random() < DONE / 2:
                waiting.setdefault((touch.customer.owner, touch.state), []).append(touch.pk)
        for (person, state), keys in waiting.items():
            decide = send_drafts if state == Touch.State.DRAFT else approve_many
            decide(actor=person, now=now, touch_ids=keys)
        send_due(now=now + timedelta(minutes=5))

    def _finish(self, now: datetime) -> None:
        made = StepRun.objects.filter(ref__startswith="task:").values_list("ref", flat=True)
        keys = [int(ref.removeprefix("task:")) for ref in made]
        rows = Task.objects.open().filter(pk__in=keys, created_at__lt=now - timedelta(days=1))
        for task in rows.exclude(owner=None).select_related("owner").order_by("pk"):
            if self.rng.random() < DONE / 3:  # three working days, as a rule
                answer = ANSWERS[int(self.rng.integers(len(ANSWERS)))]
                work.finish(actor=task.owner, now=now, task_ids=[task.pk], result=answer)
