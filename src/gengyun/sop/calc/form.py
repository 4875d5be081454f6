"""The form of an SOP: who enters, who leaves, what is done, what it is measured by. Data only.

`read(raw)` gives the typed form and what is wrong with its shape; `sop.calc.check` looks at what
the shape cannot say (loops, deleted fields, variables). Problems carry the place in the JSON, steps
by their key: "steps.call.template.zh.body".
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gengyun.portfolio.calc.expressions import Expr, parse
from gengyun.portfolio.calc.filters import BadFilter

ENTRIES = ("condition", "snapshot", "event", "date", "hand", "api")
IDENTITIES = ("customer", "contact", "product")
CONTACT_ROLES = ("champion", "decider", "user", "any")
REENTRIES = ("never", "after", "always")
ON_LOST = ("stay", "leave")
OUTCOMES = ("renewed", "metric", "goal", "health")
EVERY = ("once", "week", "month", "quarter")
KINDS = (
    "task", "message", "survey", "wait", "branch", "set", "alert", "webhook", "note", "hand",
)  # fmt: skip
MODES = ("draft", "approve", "send")
BMAT = ("m", "a", "t")  # motivation, ability, trigger
MOST_STEPS, MOST_CASES, MOST_DAYS = 60, 8, 3_650
LONGEST_KEY, LONGEST_TEXT, LONGEST_BODY = 40, 200, 10_000
LANGUAGES = ("zh", "en")
END = "end"  # as a way out of a time-out: the SOP ends; no step is called that

Text = Mapping[str, str]  # by language; both the same where a person wrote only one


@dataclass(frozen=True)
class Problem:
    path: str
    msgid: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class DateRef:
    field: str  # renews_on, next_step_on or custom_KEY
    offset_days: int = 0


@dataclass(frozen=True)
class Entry:
    kind: str
    when: Expr | None = None
    event: str = ""
    date: DateRef | None = None
    backfill: bool = True  # who is inside already when it starts enters too
    every: str = "once"  # of snapshots


@dataclass(frozen=True)
class Reentry:
    kind: str = "never"
    days: int = 0


@dataclass(frozen=True)
class Outcome:
    kind: str
    key: str = ""
    window_days: int = 90
    higher_is_better: bool = True


@dataclass(frozen=True)
class Wait:
    """Exactly one of days, working days, a condition and a date; all but days may time out."""

    days: int | None = None
    working_days: int | None = None
    until: Expr | None = None
    date: DateRef | None = None
    timeout_days: int | None = None
    on_timeout: str | None = None


@dataclass(frozen=True)
class Case:
    when: Expr
    next: str | None


@dataclass(frozen=True)
class Step:
    key: str
    kind: str
    title: Text
    next: str | None = None  # None: the SOP ends here
    bmat: str = ""
    wait: Wait | None = None
    cases: tuple[Case, ...] = ()
    otherwise: str | None = None
    params: Mapping[str, Any] = field(default_factory=dict)  # of what has an effect

    def ways(self) -> list[tuple[str, str | None]]:
        """(place in the form, step) of everything that may come next."""
        if self.kind == "branch":
            cases = [(f"cases.{n}.next", case.next) for n, case in enumerate(self.cases)]
            return [*cases, ("otherwise", self.otherwise)]
        found = [("next", self.next)]
        if self.wait is not None and self.wait.on_timeout not in {None, END}:
            found.append(("on_timeout", self.wait.on_timeout))
        return found


@dataclass(frozen=True)
class Form:
    entry: Entry
    identity: str = "customer"
    contact_role: str = "any"
    reentry: Reentry = Reentry()
    exit: Expr | None = None
    on_lost: str = "stay"
    goal: Expr | None = None
    outcome: Outcome | None = None
    holdout: float = 0.0
    cost_minor: int | None = None
    not_while_in: tuple[str, ...] = ()  # keys of other SOPs
    steps: Mapping[str, Step] = field(default_factory=dict)
    first: str = ""


class Reader:
    """Collects what is wrong instead of stopping at it."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def refuse(self, path: str, msgid: str, **params: Any) -> None:
        self.problems.append(Problem(path, msgid, params))

    def mapping(self, raw: Any, path: str) -> Mapping[str, Any]:
        if isinstance(raw, Mapping):
            return raw
        self.refuse(path, "This part is missing.")
        return {}

    def choice(self, raw: Any, path: str, allowed: tuple[str, ...], default: str) -> str:
        if raw is None:
            return default
        if isinstance(raw, str) and raw in allowed:
            return raw
        self.refuse(path, "“%(value)s” cannot be chosen here.", value=str(raw)[:40])
        return default

    def days(self, raw: Any, path: str, *, least: int = 0, most: int = MOST_DAYS) -> int:
        number = whole(raw)
        if number is None or not least <= number <= most:
            self.refuse(path, "Give a number of days from %(least)s to %(most)s.",
                        least=least, most=most)  # fmt: skip
            return max(least, 1)
        return number

    def line(self, raw: Any, path: str, *, most: int = LONGEST_TEXT, needed: bool = False) -> str:
        if raw is None or raw == "":
            if needed:
                self.refuse(path, "This is missing.")
            return ""
        if not isinstance(raw, str) or "\x00" in raw or not encodes(raw) or len(raw) > most:
            self.refuse(path, "This text is too long or not readable.")
            return ""
        return raw.strip()

    def text(self, raw: Any, path: str, *, most: int = LONGEST_TEXT, needed: bool = False) -> Text:
        if not isinstance(raw, Mapping):
            one = self.line(raw, path, most=most, needed=needed)
            return dict.fromkeys(LANGUAGES, one)
        found = {code: self.line(raw.get(code), f"{path}.{code}", most=most) for code in LANGUAGES}
        if needed and not any(found.values()):
            self.refuse(path, "This is missing.")
        some = next((text for text in found.values() if text), "")
        return {code: text or some for code, text in found.items()}

    def condition(
        self, raw: Any, path: str, *, needed: bool = False, with_steps: bool = False
    ) -> Expr | None:
        if raw in (None, {}):
            if needed:
                self.refuse(path, "A condition is missing.")
            return None
        try:
            return parse(raw, with_steps=with_steps)
        except BadFilter as refusal:
            self.refuse(path, refusal.message, **refusal.params)
        except RecursionError:
            self.refuse(path, BadFilter.message, condition=path)
        return None

    def date(self, raw: Any, path: str) -> DateRef:
        given = self.mapping(raw, path)
        name = given.get("field")
        offset = whole(given.get("offset_days", 0))
        if offset is None or abs(offset) > MOST_DAYS:
            self.refuse(f"{path}.offset_days", "Give a number of days from %(least)s to %(most)s.",
                        least=-MOST_DAYS, most=MOST_DAYS)  # fmt: skip
            offset = 0
        if isinstance(name, str) and name.startswith("custom."):
            name = "custom_" + name.removeprefix("custom.")
        if name not in ("renews_on", "next_step_on", "last_event_on") and not (
            isinstance(name, str) and name.startswith("custom_") and len(name) <= 60
        ):
            self.refuse(f"{path}.field", "“%(value)s” is no date of a customer.",
                        value=str(name)[:40])  # fmt: skip
            name = "renews_on"
        return DateRef(name, offset)


def whole(raw: Any) -> int | None:
    """A whole number, also where a form sends it as text; None where it is none."""
    if isinstance(raw, bool):
        return None
    if isinstance(raw, int):
        return raw
    if isinstance(raw, str):
        text = raw.strip().removeprefix("-")
        if text.isascii() and text.isdigit() and len(text) <= 12:
            return int(raw.strip())
    return None


def encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def read(raw: Any) -> tuple[Form, list[Problem]]:
    """The form, as far as it can be read, and what is wrong with it."""
    reader = Reader()
    given = reader.mapping(raw, "")
    steps = _steps(reader, given.get("steps"))
    first = given.get("first") or next(iter(steps), "")
    if not isinstance(first, str):
        reader.refuse("first", "There is no step “%(key)s”.", key=str(first)[:40])
        first = ""
    others = given.get("not_while_in") or []
    if not isinstance(others, list) or not all(isinstance(one, str) for one in others):
        reader.refuse("not_while_in", "This text is too long or not readable.")
        others = []
    form = Form(
        entry=_entry(reader, reader.mapping(given.get("entry"), "entry")),
        identity=reader.choice(given.get("identity"), "identity", IDENTITIES, "customer"),
        contact_role=reader.choice(given.get("contact_role"), "contact_role", CONTACT_ROLES, "any"),
        reentry=_reentry(reader, given.get("reentry")),
        exit=reader.condition(given.get("exit"), "exit"),
        on_lost=reader.choice(given.get("on_lost"), "on_lost", ON_LOST, "stay"),
        goal=reader.condition(given.get("goal"), "goal"),
        outcome=_outcome(reader, given.get("outcome")),
        holdout=_share(reader, given.get("holdout")),
        cost_minor=_cost(reader, given.get("cost_minor")),
        not_while_in=tuple(others[:20]),
        steps=steps,
        first=first,
    )
    return form, reader.problems


def _entry(reader: Reader, raw: Mapping[str, Any]) -> Entry:
    kind = reader.choice(raw.get("kind"), "entry.kind", ENTRIES, "condition")
    needs = kind in {"condition", "snapshot"}
    event = reader.line(raw.get("event"), "entry.event", needed=kind == "event")
    return Entry(
        kind=kind,
        when=reader.condition(raw.get("when"), "entry.when", needed=needs),
        event=event if kind == "event" else "",
        date=reader.date(raw.get("date"), "entry.date") if kind == "date" else None,
        backfill=raw.get("backfill") is not False,
        every=reader.choice(raw.get("every"), "entry.every", EVERY, "once"),
    )


def _reentry(reader: Reader, raw: Any) -> Reentry:
    if raw is None:
        return Reentry()
    given = reader.mapping(raw, "reentry")
    kind = reader.choice(given.get("kind"), "reentry.kind", REENTRIES, "never")
    days = reader.days(given.get("days"), "reentry.days", least=1) if kind == "after" else 0
    return Reentry(kind, days)


def _outcome(reader: Reader, raw: Any) -> Outcome | None:
    if raw in (None, {}):
        return None
    given = reader.mapping(raw, "outcome")
    kind = reader.choice(given.get("kind"), "outcome.kind", OUTCOMES, "goal")
    return Outcome(
        kind=kind,
        key=reader.line(given.get("key"), "outcome.key", needed=kind == "metric"),
        window_days=reader.days(given.get("window_days", 90), "outcome.window_days", least=1),
        higher_is_better=given.get("higher_is_better") is not False,
    )


def _share(reader: Reader, raw: Any) -> float:
    if raw in (None, ""):
        return 0.0
    try:
        share = float(raw) if isinstance(raw, int | float | str) else -1.0
    except (ValueError, OverflowError):
        share = -1.0
    if isinstance(raw, bool) or not 0 <= share <= 0.9:  # NaN fails too
        reader.refuse("holdout", "The share of the hold-out is from 0 to 90 %%.")
        return 0.0
    return share


def _cost(reader: Reader, raw: Any) -> int | None:
    if raw in (None, ""):
        return None
    cost = whole(raw)
    if cost is None or not 0 <= cost < 10**15:
        reader.refuse("cost_minor", "This is no amount.")
        return None
    return cost


def _steps(reader: Reader, raw: Any) -> dict[str, Step]:
    if not isinstance(raw, list) or len(raw) > MOST_STEPS:
        reader.refuse("steps", "An SOP has 1 to %(most)s steps.", most=MOST_STEPS)
        return {}
    found: dict[str, Step] = {}
    for number, item in enumerate(raw):
        key = item.get("key") if isinstance(item, Mapping) else None
        if not isinstance(key, str) or not is_key(key):
            reader.refuse(f"steps.{number}.key", "A step needs a key of letters, digits and “_”.")
            continue
        if key in found:
            reader.refuse(f"steps.{key}.key", "Two steps have the key “%(key)s”.", key=key)
            continue
        found[key] = _step(reader, key, item)
    return found


def is_key(text: str) -> bool:
    plain = text.replace("_", "").replace("-", "")
    return 0 < len(text) <= LONGEST_KEY and plain.isascii() and plain.isalnum() and text != END


def _step(reader: Reader, key: str, raw: Mapping[str, Any]) -> Step:
    from gengyun.sop.calc.steps import READERS

    path = f"steps.{key}"
    kind = raw.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        reader.refuse(f"{path}.kind", "“%(value)s” cannot be chosen here.", value=str(kind)[:40])
        kind = "note"
    bmat = raw.get("bmat") or ""
    if not isinstance(bmat, str) or not set(bmat.replace(",", "")) <= set("".join(BMAT)):
        reader.refuse(f"{path}.bmat", "“%(value)s” cannot be chosen here.", value=str(bmat)[:40])
        bmat = ""
    read_kind: Callable[..., dict[str, Any]] = READERS[kind]
    return Step(
        key=key,
        kind=kind,
        title=reader.text(raw.get("title"), f"{path}.title"),
        next=way(reader, raw.get("next"), f"{path}.next"),
        bmat=bmat,
        **read_kind(reader, raw, path),
    )


def way(reader: Reader, raw: Any, path: str) -> str | None:
    if raw is None or raw == "":
        return None
    if not isinstance(raw, str) or len(raw) > LONGEST_KEY:
        reader.refuse(path, "There is no step “%(key)s”.", key=str(raw)[:40])
        return None
    return raw
