"""As-of snapshots: the only way in which inputs of the churn probability are made (science.md 4.1).

Training, back-test, tonight's scoring and the simulator call `snapshot`. A snapshot of a customer
as of a day reads what had happened before that day and was known before it; whatever comes later,
and whatever is learned later about earlier days, leaves it as it is (`test_churn_leakage.py`).
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from gengyun.churn.calc.asked import Asked, asked
from gengyun.churn.calc.evidence import EVIDENCE
from gengyun.churn.calc.features import METRIC, catalogue, feature_hash
from gengyun.churn.calc.observed import Columns, Observed
from gengyun.churn.calc.snapshot_facts import (
    FactReader,
    StateReader,
    fact_features,
    term_features,
)
from gengyun.churn.calc.snapshot_people import (
    KeyPeople,
    PresenceReader,
    part_features,
    people_features,
)
from gengyun.churn.calc.snapshot_use import UseReader, use_features
from gengyun.churn.calc.table import Feature, Floats, Ints
from gengyun.churn.calc.windows import NO_DAY, Index, Worth, numbers, places, worth_of

AT_ONCE = 4_000  # snapshots read together: what a window holds must fit in memory
METRIC_AGE = 31  # days after which a value of a metric is too old to say anything
Rows = TypeVar("Rows", bound=Columns)


@dataclass(frozen=True)
class Snapshot:
    """`x` [rows, features]; nan: unknown. `raw`: the numbers that a person understands."""

    features: tuple[Feature, ...]
    x: Floats
    raw: dict[str, Floats]
    tier: Ints  # as it was known then; -1 unknown
    asked: Asked

    @property
    def hash(self) -> str:
        return feature_hash(self.features)

    def column(self, key: str) -> Floats:
        place = [feature.key for feature in self.features].index(key)
        return np.asarray(self.x[:, place])

    def taken(self, rows: Ints) -> "Snapshot":
        return Snapshot(
            self.features,
            self.x[rows],
            {name: values[rows] for name, values in self.raw.items()},
            self.tier[rows],
            self.asked.taken(rows),
        )

    def fact(self, key: str, row: int) -> dict[str, float]:
        """The raw numbers behind one input of one row; unknown ones are left out."""
        names = EVIDENCE.get(key, ())
        if key.startswith(METRIC):
            return {"value": float(self.column(key)[row])}
        found = {name: float(self.raw[name][row]) for name in names if name in self.raw}
        return {name: value for name, value in found.items() if not np.isnan(value)}


@dataclass(frozen=True)
class Reader:
    """Everything observed, indexed: make it once, ask it often."""

    observed: Observed
    worth: Worth
    use: UseReader
    people: PresenceReader
    parts: PresenceReader
    key_people: KeyPeople
    facts: FactReader
    states: StateReader
    values: Index
    features: tuple[Feature, ...]

    @classmethod
    def of(cls, observed: Observed) -> "Reader":
        held = _of_accounts(observed)
        worth = worth_of(held)

        def place(rows: Columns) -> Ints:
            return places(held.accounts, rows.account)

        values = held.values
        number = place(values) * max(1, len(held.metrics)) + values.metric
        # a value is of the start of its day: known the day before
        return cls(
            held,
            worth,
            UseReader.of(held, place(held.use), worth),
            PresenceReader.of(held.people, place(held.people)),
            PresenceReader.of(held.parts, place(held.parts)),
            KeyPeople.of(held, held.people, place(held.people)),
            FactReader.of(held),
            StateReader.of(held),
            Index.of(number, numbers(values.day) - 1, numbers(values.day) - 1),
            catalogue(held.metrics, held.metric_signs),
        )

    def snapshot(
        self,
        *,
        account: npt.ArrayLike,
        at: npt.ArrayLike,
        due: npt.ArrayLike | None = None,
        row: npt.ArrayLike | None = None,
    ) -> Snapshot:
        """See `snapshot`."""
        wanted = asked(self.observed, account=account, at=at, due=due, row=row)
        parts = [self._read(part) for part in _chunks(wanted)]
        if not parts:
            empty: dict[str, Floats] = {}
            return Snapshot(
                self.features, np.empty((0, len(self.features))), empty, wanted.at, wanted
            )
        return Snapshot(
            self.features,
            np.concatenate([x for x, _, _ in parts]),
            {
                name: np.concatenate([raw[name] for _, raw, _ in parts])
                for name in sorted(parts[0][1])
            },
            np.concatenate([tier for _, _, tier in parts]),
            wanted,
        )

    def days_since(self, *, account: npt.ArrayLike, at: npt.ArrayLike) -> Floats:
        """Days without use before each day, the raw number of a snapshot alone; nan: never any."""
        wanted = asked(self.observed, account=account, at=at)
        _, last = self.use.ends(wanted)
        return np.where(last == NO_DAY, np.nan, wanted.end - 1.0 - last)

    def _read(self, wanted: Asked) -> tuple[Floats, dict[str, Floats], Ints]:
        with np.errstate(invalid="ignore", divide="ignore"):
            inputs, raw = self._inputs(wanted)
        unknown = np.full(len(wanted.at), np.nan)
        x = np.column_stack([inputs.get(feature.key, unknown) for feature in self.features])
        tier = self.states.read(wanted, "tier")
        return x, raw, np.where(np.isnan(tier), -1, tier).astype(np.int64)

    def _inputs(self, wanted: Asked) -> tuple[dict[str, Floats], dict[str, Floats]]:
        seats = self.states.read(wanted, "seats")
        seats = np.where(seats > 0, seats, np.nan)
        use = self.use.read(wanted)
        inputs, raw = use_features(use, seats)
        is_known = np.where(use.is_known, 1.0, np.nan)
        has_people = is_known if len(self.people.key) else np.full_like(is_known, np.nan)
        gap = self.key_people.gap(wanted, use.first)
        for more, also in (
            people_features(self.people, wanted, seats, has_people),
            part_features(self.parts, wanted, is_known),
            fact_features(self.facts, wanted, seats),
            term_features(self.observed.dues, wanted, self.facts),
            ({"key_contact_gap": np.log1p(gap)}, {"key_contact_days": gap}),
            self._profile(wanted, use.first, seats),
            (self._values(wanted), {}),
        ):
            inputs |= more
            raw |= also
        return inputs, raw

    def _profile(
        self, wanted: Asked, first: Ints, seats: Floats
    ) -> tuple[dict[str, Floats], dict[str, Floats]]:
        started = self.states.read(wanted, "started")
        used = np.where(first == NO_DAY, np.nan, first)
        begun = np.fmin(started, used)
        days = np.where(begun <= wanted.at, wanted.at - begun, np.nan)
        return (
            {"tenure": np.log1p(days), "seats_log": np.log1p(seats)},
            {"tenure_days": days},
        )

    def _values(self, wanted: Asked) -> dict[str, Floats]:
        """Metrics of the company as of the newest run before the snapshot."""
        found = {}
        values = self.observed.values
        for place, key in enumerate(self.observed.metrics):
            number = wanted.place * len(self.observed.metrics) + place
            begin, stop = self.values.bounds(number, wanted.at - METRIC_AGE, wanted.at)
            has = (wanted.place >= 0) & (stop > begin)
            column = np.full(len(has), np.nan)
            column[has] = values.value[stop[has] - 1]
            found[METRIC + key] = column
        return found


def snapshot(
    observed: Observed,
    *,
    account: npt.ArrayLike,
    at: npt.ArrayLike,
    due: npt.ArrayLike | None = None,
    row: npt.ArrayLike | None = None,
) -> Snapshot:
    """The inputs of each (account, at), one row each, in the order asked.

    `due`: the day that the event is about, NaT none; default: that of `row`, the place in
    `observed.dues` whose terms count (-1 none). Who asks more than once makes a `Reader`.
    """
    return Reader.of(observed).snapshot(account=account, at=at, due=due, row=row)


def _of_accounts(observed: Observed) -> Observed:
    """Without rows of accounts that are not held."""

    def kept(rows: Rows) -> Rows:
        return rows.taken(places(observed.accounts, rows.account) >= 0)

    parts = {
        one.name: kept(value)
        for one in fields(observed)
        if one.name != "dues" and isinstance(value := getattr(observed, one.name), Columns)
    }
    return replace(observed, **parts)  # type: ignore[arg-type]


def _chunks(wanted: Asked) -> Iterator[Asked]:
    for start in range(0, len(wanted.at), AT_ONCE):
        part = slice(start, start + AT_ONCE)
        yield wanted.taken(part)
