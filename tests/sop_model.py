"""A slow, obvious interpreter of SOPs: one customer, one run, one step at a time, no database.

It reads the raw form and a history of days, and tells the trace that the engine has to leave. It
shares no code with the engine: conditions, waits, re-entry are written out again.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Asia/Shanghai")


@dataclass
class Person:
    """A customer's values by day index; every list is as long as the history."""

    scores: list
    bands: list
    renews_on: date | None
    # day index on which the person who has the task of a step finishes it, if it is there by then
    task_done_on: int | None


@dataclass
class RunOf:
    entered_on: date
    trace: list = field(default_factory=list)
    step: str | None = None
    state: str = "running"
    reason: str = ""
    waits_until: datetime | None = None
    due: datetime | None = None
    ended_on: date | None = None
    steps: dict = field(default_factory=dict)  # key -> newest state
    tasks: dict = field(default_factory=dict)  # key of the newest task step -> open, done


class Interpreter:
    def __init__(self, form, person, first_day, days):
        self.form, self.person, self.first_day, self.days = form, person, first_day, days
        self.steps = {step["key"]: step for step in form["steps"]}
        self.runs = []
        self.refused = []
        self.true_since = None
        self.held_since = {}  # score border -> day since which score < border
        self.looked_at = None  # last day of the entry
        self.index = 0
        self.retry_on = None

    def play(self):
        for index in range(self.days):
            self.index = index
            day = self.first_day + timedelta(days=self.index)
            self.finish_tasks()
            self.morning(day, datetime.combine(day, time(10), ZONE))
            self.carry_on(datetime.combine(day, time(18), ZONE))
        return self

    # what is true

    def score(self):
        return self.person.scores[self.index]

    def holds(self, raw, run=None):
        if "all" in raw:
            found = [self.holds(one, run) for one in raw["all"]]
            return False if False in found else None if None in found else True
        if "any" in raw:
            found = [self.holds(one, run) for one in raw["any"]]
            return True if True in found else None if None in found else False
        if "not" in raw:
            found = self.holds(raw["not"], run)
            return None if found is None else not found
        if "step" in raw:
            return self.step_is(run, raw["step"]["key"], raw["step"]["is"])
        if "held" in raw:
            return self.held(raw["held"]["of"]["value"], raw["held"]["days"])
        if "changed" in raw:
            return self.changed(raw["changed"]["from"], raw["changed"]["to"])
        if self.score() is None:
            return None
        return self.score() < raw["value"] if raw["op"] == "lt" else self.score() >= raw["value"]

    def step_is(self, run, key, state):
        if key in run.tasks:
            return run.tasks[key] == state
        return run.steps.get(key) == state

    def held(self, border, days):
        if self.score() is None:
            return None
        if self.score() >= border:
            return False
        since = self.held_since[border]
        if since <= self.index - days:
            return True
        return None if since == 0 else False

    def changed(self, before, after):
        now = self.person.bands[self.index]
        was = self.person.bands[self.index - 1] if self.index else now
        if now == was:
            return False
        return before in (None, was) and after in (None, now)

    # a day

    def finish_tasks(self):
        if self.person.task_done_on == self.index:
            for run in self.runs:
                run.tasks = dict.fromkeys(run.tasks, "done")

    def morning(self, day, now):
        for border in (30, 50, 70):
            low = self.score() is not None and self.score() < border
            self.held_since[border] = self.held_since.get(border) if low else None
            if low and self.held_since[border] is None:
                self.held_since[border] = self.index
        for run in self.runs:
            if run.state in ("running", "waiting") and self.wakes(run):
                run.due = min(run.due, now)
        self.entry(day, now)
        self.carry_on(now)

    def wakes(self, run):
        form = self.form
        if form.get("goal") and self.holds(form["goal"]) is True:
            return True
        if form.get("exit") and self.holds(form["exit"]) is True:
            return True
        if form["on_lost"] == "leave" and self.holds(form["entry"]["when"]) is not True:
            return True
        until = self.steps[run.step].get("until") if run.step else None
        return until is not None and ("step" in str(until) or self.holds(until, run) is True)

    def entry(self, day, now):
        fits = self.holds(self.form["entry"]["when"]) is True
        self.true_since = (self.true_since or day) if fits else None
        first_look = self.looked_at is None
        if first_look:
            turn = fits and self.form["entry"]["backfill"]
        else:
            turn = fits and self.true_since > self.looked_at
        if self.retry_on is not None and self.retry_on <= day:
            self.retry_on = None
            turn = turn or fits
        self.looked_at = day
        if turn:
            self.enter(day, now)

    def enter(self, day, now):
        kind = self.form["reentry"]["kind"]
        if any(run.state in ("running", "waiting") for run in self.runs):
            self.refused.append((day, "running"))
            return
        if self.runs and kind == "never":
            self.refused.append((day, "before"))
            return
        if self.runs and kind == "after":
            free = self.runs[-1].ended_on + timedelta(days=self.form["reentry"]["days"])
            if free > day:
                self.refused.append((day, "too_soon"))
                self.retry_on = free
                return
        self.runs.append(RunOf(day, step=self.form["first"], due=now))

    def carry_on(self, now):
        for run in self.runs:
            while run.state in ("running", "waiting") and run.due <= now:
                self.look(run, now)

    # a look at a run

    def look(self, run, now):
        why = self.over(run)
        if why:
            run.trace.append((run.step, "skipped", why[1], now))
            self.end(run, *why, now)
            return
        while run.state in ("running", "waiting"):
            if not self.do(run, self.steps[run.step], now):
                return

    def over(self, run):
        form = self.form
        if form.get("goal") and self.holds(form["goal"]) is True:
            return "done", "goal"
        if form.get("exit") and self.holds(form["exit"]) is True:
            return "exited", "exit"
        if form["on_lost"] == "leave" and self.holds(form["entry"]["when"]) is not True:
            return "exited", "lost"
        return None

    def do(self, run, step, now):
        """One step; False: the run stays where it is for now."""
        if step["kind"] == "wait":
            return self.wait(run, step, now)
        if step["kind"] == "branch":
            for number, case in enumerate(step["cases"]):
                if self.holds(case["when"], run) is True:
                    return self.done(run, step, "case", case["next"], now, number)
            return self.done(run, step, "otherwise", step["otherwise"], now)
        if step["kind"] in ("task", "hand"):
            run.tasks[step["key"]] = "open"
        if step["kind"] == "hand":
            return self.done(run, step, "", None, now)
        return self.done(run, step, "", step["next"], now)

    def done(self, run, step, reason, way, now, number=None):
        told = reason if number is None else f"{reason}{number}"
        run.trace.append((step["key"], "done", told, now))
        run.steps[step["key"]] = "done"
        if way is None:
            self.end(run, "done", "handed" if step["kind"] == "hand" else "end", now)
            return False
        run.step = way
        return True

    def end(self, run, state, reason, now):
        run.state, run.reason, run.due, run.step = state, reason, None, run.step
        run.ended_on = now.date()

    def wait(self, run, step, now):
        target = None
        if "date" in step and self.person.renews_on is not None:
            target = self.person.renews_on + timedelta(days=step["date"]["offset_days"])
            target = datetime.combine(target, time(0), ZONE)
        if run.waits_until is None:
            run.state = "waiting"
            if "days" in step:
                run.waits_until = now + timedelta(days=step["days"])
            elif "working_days" in step:
                run.waits_until = now
                left = step["working_days"]
                while left:
                    run.waits_until += timedelta(days=1)
                    left -= run.waits_until.weekday() < 5
            else:
                run.waits_until = now + timedelta(days=step["timeout_days"])
        reason, way = None, step["next"]
        if "until" in step and self.holds(step["until"], run) is True:
            reason = "condition"
        elif target is not None and now >= target:
            reason = "date"
        elif now >= run.waits_until:
            is_time = "days" in step or "working_days" in step
            reason = "time" if is_time else "timed_out"
            if not is_time and step.get("on_timeout"):
                way = None if step["on_timeout"] == "end" else step["on_timeout"]
        if reason is None:
            run.due = run.waits_until if target is None else min(run.waits_until, target)
            return False
        run.waits_until, run.state = None, "running"
        return self.done(run, step, reason, way, now)
