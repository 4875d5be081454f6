"""The four questions before a renewal and the automatic signal, from facts that are given in.

Everything here is a rule of thumb that can be read and argued with, not a probability: each answer
and each signal carries the facts it came from. `None` is "not known" and never "no".
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

QUESTIONS = (1, 2, 3, 4)  # terms clear, expectation met, relation to the decider, promises kept
RENEW, WATCH, RISK, UNKNOWN = "renew", "watch", "risk", "unknown"
FAR, NEAR = 180, 90  # days before the due date at which both sides must have an opinion

OVERDUE_ODD = 30  # days an invoice may be late before its terms count as unclear
OVERDUE_BAD = 60
LOW_USE = 0.4  # share of bought seats that are used
GOOD_USE = 0.6
DECIDER_DAYS = 60  # a talk with the decider no longer ago is a relation
DECIDER_STALE = 120  # none for that long is none
STEP_LATE = 7  # days a next step may be late


@dataclass(frozen=True)
class Facts:
    """What was known of one customer and one renewal on a day."""

    # contract and money
    has_terms: bool | None = None  # renewal terms are written down: auto-renewal and its notice
    notice_given: bool = False  # they said that they will not renew
    disputed: int = 0  # invoices in dispute
    overdue_days: int | None = None  # of the invoice that is late the longest; None: none late
    overdue_minor: int = 0
    # value
    band: str | None = None  # A, B, C, D; N or None: no number
    score: float | None = None
    change: float | None = None  # of the score in a week
    used_share: float | None = None  # people who used it, of the seats bought
    # people
    deciders: int = 0  # present at the customer
    decider_left: str = ""  # name of one who left, when nobody took the place
    decider_talk_days: int | None = None  # since the last activity with a decider
    # what we owe
    solved: int = 0  # activities of half a year that solved the customer's problem
    unsolved: int = 0  # … that did not, and nothing that did came after
    step_late_days: int | None = None
    late_alerts: int = 0  # open alerts past our time limit
    urgent_alerts: int = 0  # open alerts of the highest level
    alerts: int = 0


@dataclass(frozen=True)
class Answer:
    """yes, no or not known, and the facts: [code, {name: value}]."""

    value: bool | None
    why: list[tuple[str, dict[str, Any]]] = field(default_factory=list)


@dataclass(frozen=True)
class Signal:
    kind: str  # renew, watch, risk, unknown
    why: list[tuple[str, dict[str, Any]]] = field(default_factory=list)


def self_check(facts: Facts) -> dict[int, Answer]:
    """Question -> answer, as far as data can tell (domain.md, Renewal)."""
    return {1: _terms(facts), 2: _expectation(facts), 3: _relation(facts), 4: _promises(facts)}


def _terms(f: Facts) -> Answer:
    why: list[tuple[str, dict[str, Any]]] = []
    if f.notice_given:
        why.append(("notice_given", {}))
    if f.disputed:
        why.append(("disputed", {"count": f.disputed}))
    if f.overdue_days is not None:
        why.append(("overdue", {"days": f.overdue_days, "minor": f.overdue_minor}))
    late = f.overdue_days is not None and f.overdue_days > OVERDUE_ODD
    if f.notice_given or f.disputed or late:
        return Answer(False, why)
    if f.has_terms:
        return Answer(True, [("terms_written", {}), *why])
    if f.has_terms is False:
        why.append(("terms_open", {}))
    return Answer(None, why)


def _expectation(f: Facts) -> Answer:
    why: list[tuple[str, dict[str, Any]]] = []
    if f.band in {"A", "B", "C", "D"}:
        why.append(("health", {"band": f.band, "score": f.score}))
    if f.used_share is not None:
        why.append(("seats_used", {"share": round(f.used_share, 4)}))
    low = f.used_share is not None and f.used_share < LOW_USE
    if f.band == "D" or (low and f.band not in {"A", "B"}):
        return Answer(False, why)
    if f.band in {"A", "B"} and not low:
        return Answer(True, why)
    return Answer(None, why)


def _relation(f: Facts) -> Answer:
    talk = f.decider_talk_days
    if f.decider_left and not f.deciders:
        return Answer(False, [("decider_left", {"name": f.decider_left})])
    if not f.deciders:
        return Answer(None, [("no_decider", {})])
    if talk is None:
        return Answer(None, [("decider_never", {})])
    why = [("decider_talk", {"days": talk})]
    if talk <= DECIDER_DAYS:
        return Answer(True, why)
    return Answer(False if talk > DECIDER_STALE else None, why)


def _promises(f: Facts) -> Answer:
    why: list[tuple[str, dict[str, Any]]] = []
    step_late = f.step_late_days is not None and f.step_late_days > STEP_LATE
    if f.unsolved:
        why.append(("unsolved", {"count": f.unsolved}))
    if step_late:
        why.append(("step_late", {"days": f.step_late_days}))
    if f.late_alerts:
        why.append(("late_alerts", {"count": f.late_alerts}))
    if why:
        return Answer(False, why)
    if f.solved:
        return Answer(True, [("solved", {"count": f.solved})])
    return Answer(None)


def signal(facts: Facts, answers: Mapping[int, bool | None]) -> Signal:
    """What the facts say without a person: `answers` holds the four with people's answers in them.

    risk: one thing that usually decides a renewal (notice, health D, the decider gone, 60 days
    overdue, an urgent alert), or two answers "no". watch: one of the weaker ones. renew: health A
    or B and nothing against it. unknown: no health and nothing against it.
    """
    noes = [question for question in QUESTIONS if answers.get(question) is False]
    said = [("answers_no", {"questions": noes})] if noes else []
    strong = _decisive(facts) + (said if len(noes) > 1 else [])
    weak = (said if len(noes) == 1 else []) + _doubtful(facts)
    if strong:
        return Signal(RISK, strong + weak)
    if weak:
        return Signal(WATCH, weak)
    if facts.band in {"A", "B"}:
        return Signal(RENEW, [("health", {"band": facts.band, "score": facts.score})])
    return Signal(UNKNOWN)


def _decisive(f: Facts) -> list[tuple[str, dict[str, Any]]]:
    said: list[tuple[str, dict[str, Any]]] = []
    if f.notice_given:
        said.append(("notice_given", {}))
    if f.band == "D":
        said.append(("health", {"band": "D", "score": f.score}))
    if f.decider_left and not f.deciders:
        said.append(("decider_left", {"name": f.decider_left}))
    if f.overdue_days is not None and f.overdue_days > OVERDUE_BAD:
        said.append(("overdue", {"days": f.overdue_days, "minor": f.overdue_minor}))
    if f.urgent_alerts:
        said.append(("urgent_alerts", {"count": f.urgent_alerts}))
    return said


def _doubtful(f: Facts) -> list[tuple[str, dict[str, Any]]]:
    said: list[tuple[str, dict[str, Any]]] = []
    if f.overdue_days is not None and OVERDUE_ODD < f.overdue_days <= OVERDUE_BAD:
        said.append(("overdue", {"days": f.overdue_days, "minor": f.overdue_minor}))
    if f.alerts and not f.urgent_alerts:
        said.append(("alerts", {"count": f.alerts}))
    if f.band == "C":
        said.append(("health", {"band": "C", "score": f.score}))
    if f.used_share is not None and f.used_share < LOW_USE:
        said.append(("seats_used", {"share": round(f.used_share, 4)}))
    return said


def views_at(days: int) -> tuple[str, ...]:
    """What a CSM may answer: at 90 days "watch" is no longer an answer (domain.md, Renewal)."""
    return (RENEW, WATCH, RISK) if days > NEAR else (RENEW, RISK)


def signal_at(kind: str, days: int) -> str:
    """The signal at a checkpoint: at 90 days what is still to be watched counts as a risk."""
    return RISK if days <= NEAR and kind == WATCH else kind


def disagree(kind: str, view: str) -> bool:
    """Two opinions that differ; where one side has none there is nothing to decide."""
    known = {RENEW, WATCH, RISK}
    return kind in known and view in known and kind != view


# category of the forecast -> the opinion behind it; signed ones are facts
_VIEWS = {"commit": RENEW, "expected": RENEW, "at_risk": RISK, "lost": RISK}


def view_of(category: str) -> str:
    return _VIEWS.get(category, "")


def gap(category: str, kind: str) -> int:
    """How far a forecast category and the signal are apart: 0 agree … 3 promised against risk."""
    gaps = {
        ("commit", RISK): 3,
        ("expected", RISK): 2,
        ("commit", WATCH): 1,
        ("at_risk", RENEW): 1,
        ("lost", RENEW): 2,
    }
    return gaps.get((category, kind), 0)


def opens_on(due_days: int, done: Iterable[int]) -> list[int]:
    """Checkpoints that are reached with `due_days` left and not made yet. One that was missed
    because the renewal became known late is not made up for when the next is reached too."""
    made = set(done)
    reached = [days for days in (FAR, NEAR) if due_days <= days]
    return [days for days in reached[-1:] if days not in made and due_days >= 0]
