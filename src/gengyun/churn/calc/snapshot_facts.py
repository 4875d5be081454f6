"""Inputs from dated facts and terms: people, service, what is said, money (science.md 4.1).

A kind of fact that the company does not record is unknown, not absent: it counts as recorded from
the day on which its first fact, of any account, became known.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gengyun.churn.calc.asked import NO_ROW, Asked, fact_index
from gengyun.churn.calc.observed import Dues, Observed, States
from gengyun.churn.calc.table import Floats, Ints
from gengyun.churn.calc.windows import NO_DAY, Index, latest, numbers, places, ratio, total

LASTING = 270  # days that a fact about people counts
LATELY = 90
WORST = 2  # tickets of severity 1 and 2 are severe
ALWAYS = 20_000  # days back that an open end is looked for
# What was heard and felt at several times tells more than the last time, and fades: half after
# FADES days. One opinion is half chance; who lost its decider a year ago has not got over it.
FADES = 180.0
LOOKED_BACK, RISK_LOOKED_BACK = 730, 1_095
ONE_MORE = 1.0  # contact that left nothing unsolved is added: of few contacts a share says little
RISKS = ("decider_left", "champion_left", "competitor", "roi_doubt", "layoff", "risk")
FLAGS = {
    "decision_maker_change": "decider_left",
    "champion_left": "champion_left",
    "competitor": "competitor",
    "roi_doubt": "roi_doubt",
    "missold": "missold",
    "layoff": "layoff",
    "contact_refused": "contact_refused",
    "risk_noted": "risk",
}


@dataclass(frozen=True)
class FactReader:
    index: Index
    until: Ints  # NO_DAY: not over
    value: Floats
    kinds: tuple[str, ...]
    since: Ints  # per kind: the day on which the first one became known; largest: never

    @classmethod
    def of(cls, observed: Observed) -> "FactReader":
        facts = observed.facts
        since = np.full(len(observed.kind_names), np.iinfo(np.int64).max)
        # of what lies ahead too: who writes down a due day keeps such days
        np.minimum.at(since, facts.kind, numbers(facts.known))
        return cls(
            fact_index(observed),
            numbers(facts.until),
            facts.value,
            tuple(observed.kind_names),
            since,
        )

    def read(self, asked: Asked, kind: str, days: int = ALWAYS) -> "FactsSeen":
        """Facts of the `days` before each snapshot."""
        count = len(asked.at)
        if kind not in self.kinds:
            none = np.zeros(0, np.int64)
            return FactsSeen(asked, none, none, none, np.zeros(0), np.full(count, np.nan))
        number = np.where(
            asked.place < 0, -1, asked.place * len(self.kinds) + self.kinds.index(kind)
        )
        window, row = self.index.spans(number, asked.at - days, asked.at, asked.at)
        is_kept = np.where(self.since[self.kinds.index(kind)] < asked.at, 1.0, np.nan)
        return FactsSeen(
            asked, window, self.index.day[row], self.until[row], self.value[row], is_kept
        )


@dataclass(frozen=True)
class FactsSeen:
    asked: Asked
    window: Ints
    day: Ints
    until: Ints
    value: Floats
    is_kept: Floats  # 1 where the company records this kind, nan elsewhere

    def where(self, test: Callable[["FactsSeen"], object]) -> "FactsSeen":
        kept = np.asarray(test(self), np.bool_)
        return FactsSeen(
            self.asked,
            self.window[kept],
            self.day[kept],
            self.until[kept],
            self.value[kept],
            self.is_kept,
        )

    def open(self) -> "FactsSeen":
        """Not known to be over before the snapshot."""
        return self.where(
            lambda one: (one.until == NO_DAY) | (one.until >= self.asked.at[one.window])
        )

    def count(self) -> Floats:
        return total(self.window, None, len(self.asked.at)) * self.is_kept

    def flag(self) -> Floats:
        return np.minimum(self.count(), 1.0)

    def mean(self) -> Floats:
        size = len(self.asked.at)
        return ratio(total(self.window, self.value, size), total(self.window, None, size))

    def last_value(self) -> Floats:
        found = np.full(len(self.asked.at), np.nan)
        found[self.window] = self.value  # rows of a window rise by day: the last one stays
        return found

    def fresh(self) -> Floats:
        """What each counts for, 1 for today's."""
        days = self.asked.at[self.window] - 1.0 - self.day
        return np.asarray(np.exp2(-days / FADES), np.float64)

    def faded_count(self) -> Floats:
        return total(self.window, self.fresh(), len(self.asked.at)) * self.is_kept

    def faded_mean(self) -> Floats:
        size, fresh = len(self.asked.at), self.fresh()
        return ratio(total(self.window, fresh * self.value, size), total(self.window, fresh, size))

    def gap(self) -> Floats:
        """Days since the last one; nan: none."""
        last = latest(self.window, self.day, len(self.asked.at))
        return np.where(last == NO_DAY, np.nan, self.asked.at - 1.0 - last)

    def age(self) -> Floats:
        """Days since the oldest; 0 without one."""
        first = -latest(self.window, -self.day, len(self.asked.at))
        return np.where(first == NO_DAY, 0.0, self.asked.at * 1.0 - first) * self.is_kept


def fact_features(
    reader: FactReader, asked: Asked, seats: Floats
) -> tuple[dict[str, Floats], dict[str, Floats]]:
    """(inputs, raw numbers)."""
    inputs, raw = {}, {}
    for key, kind in FLAGS.items():
        seen = reader.read(asked, kind, LASTING).open()
        inputs[key], raw[key + "_days"] = seen.flag(), seen.gap()
    per_seat = np.sqrt(np.where(np.isnan(seats), 1.0, np.maximum(seats, 1.0)))
    tickets = reader.read(asked, "ticket", LATELY)
    severe = tickets.where(lambda one: one.value <= WORST)
    promises = reader.read(asked, "promise").open()
    feedback = reader.read(asked, "feedback", 730).open()
    milestones = reader.read(asked, "milestone", 730).open()
    hours = reader.read(asked, "ticket_hours", LATELY).mean()
    reopened = reader.read(asked, "ticket_reopened", LATELY).count()
    raw |= {
        "tickets_90": tickets.count(),
        "severe_90": severe.count(),
        "reopened_90": reopened,
        "answer_hours": hours,
        "promises_overdue": promises.count(),
        "feedback_days": feedback.age(),
        "milestone_days": milestones.age(),
    }
    inputs |= {
        "tickets_90": tickets.count() / per_seat,
        "severe_90": severe.count() / per_seat,
        "reopened_90": reopened,
        "answer_hours": np.log1p(hours),
        "promises_overdue": np.log1p(promises.count()),
        "feedback_age": np.log1p(feedback.age()),
        "milestone_delay": np.log1p(milestones.age()),
    }
    for more, also in (
        _said(reader, asked),
        _contacts(reader, asked),
        _risks(reader, asked),
        _money(reader, asked),
    ):
        inputs |= more
        raw |= also
    return inputs, raw


Both = tuple[dict[str, Floats], dict[str, Floats]]


def _said(reader: FactReader, asked: Asked) -> Both:
    nps = reader.read(asked, "nps", LASTING)
    csat = reader.read(asked, "csat", LASTING)
    mood = reader.read(asked, "sentiment", 365).open()
    felt = reader.read(asked, "sentiment", LOOKED_BACK)  # what is not valid any more was felt
    inputs = {
        "nps_last": nps.last_value(),
        "nps_age": np.log1p(nps.gap()),
        "csat_last": csat.mean(),
        "sentiment": mood.last_value(),
        "sentiment_past": felt.faded_mean(),
    }
    raw = {
        "nps": nps.last_value(),
        "nps_days": nps.gap(),
        "csat": csat.mean(),
        "sentiment": mood.last_value(),
        "sentiment_past": felt.faded_mean(),
    }
    return inputs, raw


def _contacts(reader: FactReader, asked: Asked) -> Both:
    # what was deleted or worded anew counts until then, and what was no risk after all
    touch = reader.read(asked, "touch", LOOKED_BACK).open()
    left = reader.read(asked, "not_solved", LOOKED_BACK).open()
    meetings = reader.read(asked, "meeting", LATELY).open().count()
    unsolved = reader.read(asked, "not_solved", LATELY).open().count()
    unanswered = reader.read(asked, "no_reply", LATELY).open().count()
    inputs = {
        "touch_gap": np.log1p(touch.gap()),
        "no_reply_90": np.log1p(unanswered),
        "meetings_90": np.log1p(meetings),
        "exec_contact_90": reader.read(asked, "exec_contact", LATELY).open().flag(),
        "not_solved_90": np.log1p(unsolved),
        "not_solved_share": left.faded_count() / (touch.faded_count() + ONE_MORE),
    }
    raw = {
        "touch_days": touch.gap(),
        "no_reply_90": unanswered,
        "meetings_90": meetings,
        "not_solved_90": unsolved,
        "not_solved_past": left.count(),
        "touches_past": touch.count(),
    }
    return inputs, raw


def _risks(reader: FactReader, asked: Asked) -> Both:
    """Noted risks together, where any kind of them is recorded: flags forget after LASTING days,
    and one kind alone is too rare to learn much of."""
    each = [reader.read(asked, kind, RISK_LOOKED_BACK).open() for kind in RISKS]
    faded = np.array([one.faded_count() for one in each])
    noted = np.array([one.count() for one in each])
    kept = np.where(np.isnan(faded).all(axis=0), np.nan, 1.0)
    return (
        {"risks_fading": np.nansum(faded, axis=0) * kept},
        {"risks_noted": np.nansum(noted, axis=0) * kept},
    )


def _money(reader: FactReader, asked: Asked) -> Both:
    overdue = reader.read(asked, "invoice").open().age()
    disputes = reader.read(asked, "dispute", 730).open().count()
    inputs = {"overdue_days": np.log1p(overdue), "disputes": np.log1p(disputes)}
    return inputs, {"overdue_days": overdue, "disputes": disputes}


def term_features(dues: Dues, asked: Asked, reader: FactReader) -> Both:
    """The terms of the row of `dues` that a snapshot is about, if they were known by then."""
    row = asked.row
    told = row != NO_ROW
    at = np.where(told, row, 0)
    if not len(dues):
        told = np.zeros(len(row), np.bool_)
    else:
        told &= numbers(dues.known)[at] < asked.at

    def of(values: Floats | Ints) -> Floats:
        if not len(dues):
            return np.full(len(row), np.nan)
        return np.where(told, values[at].astype(np.float64), np.nan)

    starts, due = of(numbers(dues.starts)), of(numbers(dues.due))
    starts = np.where(starts < -1e9, np.nan, starts)
    more = reader.read(asked, "price_rise", 365).open()
    rise = np.where(np.isnan(more.last_value()), of(dues.price_rise), more.last_value())
    rise = np.where(np.isnan(rise), 0.0 * more.is_kept, rise)  # nobody asked for more
    amount = of(dues.amount_minor)
    lag = np.where(asked.due == NO_DAY, np.nan, asked.due * 1.0 - asked.at)
    inputs = {
        "discount": of(dues.discount),
        "price_increase": rise,
        "auto_renew": of(dues.auto_renew),
        "nth": np.log1p(of(dues.nth)),
        "term_months": (due - starts + 1) / 30.4375,
        "log_amount": np.log1p(np.maximum(amount, 0) / 100),
        "lag": np.clip(lag, 30, 180),  # no model learned from a day nearer or further
    }
    raw = {
        "discount": of(dues.discount),
        "price_rise": rise,
        "nth": of(dues.nth),
        "term_months": inputs["term_months"],
        "amount_minor": amount,
        "lag_days": lag,
    }
    return inputs, raw


@dataclass(frozen=True)
class StateReader:
    """Fields of the customer as they were known on a day."""

    index: Index
    value: Floats
    names: tuple[str, ...]

    @classmethod
    def of(cls, observed: Observed) -> "StateReader":
        rows: States = observed.states
        place = places(observed.accounts, rows.account)
        known = numbers(rows.known)
        number = place * len(observed.state_names) + rows.field
        return cls(Index.of(number, known, known), rows.value, tuple(observed.state_names))

    def read(self, asked: Asked, name: str) -> Floats:
        """The value that became known last before each snapshot; nan: unknown."""
        if name not in self.names or not len(self.value):
            return np.full(len(asked.at), np.nan)
        number = asked.place * len(self.names) + self.names.index(name)
        begin, stop = self.index.bounds(number, np.zeros_like(asked.at), asked.at)
        has = (asked.place >= 0) & (stop > begin)
        return np.where(has, self.value[np.maximum(stop - 1, 0)], np.nan)
