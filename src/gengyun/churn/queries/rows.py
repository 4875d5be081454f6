"""Tonight's rows: what the database and the lake hold, asked by `calc.rows` and named again.

`held(as_of)` reads everything once; learning, looking for drift and scoring share it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

import numpy as np

from gengyun.churn.calc import rows as asked
from gengyun.churn.calc.asked import asked as wanted
from gengyun.churn.calc.hazard import midterm
from gengyun.churn.calc.ladder import L2_TRIED_FROM, events_of
from gengyun.churn.calc.observed import Observed
from gengyun.churn.calc.snapshot import Reader
from gengyun.churn.calc.table import NO_TIER, Flags, Floats, Ints, Table, joined
from gengyun.churn.models import ChurnSettings, Event
from gengyun.churn.queries.observed import observed_as_of
from gengyun.churn.queries.settings import event_of
from gengyun.customers.models import Customer, Tier
from gengyun.lake.store import Lake
from gengyun.revenue.models import Renewal

SILENT_QUARTERS = 12  # days that are learned from where the event is silence: three years
NOBODY = np.zeros(0, np.int64)
CHUNK = 500
AT_ONCE = 20_000  # customers: their days of use take about 2 GB
LEAST_ACCOUNTS = 300
TERMS = {"commercial", "profile"}  # groups of inputs that contracts alone tell
MOST_LEARNED = 9_000  # rows: more teach little more, and a training takes minutes


@dataclass(frozen=True)
class Live:
    """Rows to score. `renewal` -1: the event is not about one; `monthly`: early ends a month."""

    table: Table
    renewal: Ints
    currency: tuple[str, ...]
    tier_id: tuple[int | None, ...]
    monthly: Floats
    period_months: Ints  # 1: runs on month by month, 0: a fixed term or no contract
    raw: Mapping[str, Floats]
    data_age: int  # days since the newest use that anybody reported; 0 where nobody ever does

    def taken(self, rows: slice) -> "Live":
        return Live(
            self.table.taken(rows),
            self.renewal[rows],
            self.currency[rows],
            self.tier_id[rows],
            self.monthly[rows],
            self.period_months[rows],
            {name: column[rows] for name, column in self.raw.items()},
            self.data_age,
        )


class Held:
    """Everything that was known before a day, ready to be asked."""

    def __init__(self, observed: Observed, *, as_of: date, settings: ChurnSettings) -> None:
        self.observed, self.as_of, self.settings = observed, as_of, settings
        self.event = event_of(settings)
        self._live: Live | None = None

    @cached_property
    def reader(self) -> Reader:
        return Reader.of(self.observed)

    @property
    def is_empty(self) -> bool:
        if self.event == Event.NON_RENEWAL:
            return not len(self.observed.dues)
        return not len(self.observed.accounts)

    def training(self, since: date | None = None) -> Table:
        """Decided rows as known before the day, of the time of which something is known but the
        contracts. `since`: of what came due from then on."""
        return witnessed(self._decided(since))

    def _decided(self, since: date | None) -> Table:
        if self.event == Event.NON_RENEWAL:
            found = asked.training_rows(
                self.reader, cutoff=self.as_of, grace=self.settings.grace_days, since=since
            )
        else:
            days = self.settings.silent_days
            first = self.as_of - timedelta(days=days + 91 * SILENT_QUARTERS)
            last = self.as_of - timedelta(days=days + 1)
            at = [
                day for day in asked.firsts_of_months(first, last) if since is None or day >= since
            ]
            few = some_of(self.observed.accounts, MOST_LEARNED // max(len(at), 1))
            found = asked.silent_rows(self.reader, at=at, cutoff=self.as_of, days=days, only=few)
        return found.table

    def live(self) -> Live:
        if self._live is None:
            self._live = self._read_live()
        return self._live

    def _read_live(self) -> Live:
        if self.event == Event.NON_RENEWAL:
            found = asked.live_rows(self.reader, as_of=self.as_of, grace=self.settings.grace_days)
        else:
            found = asked.silent_rows(
                self.reader, at=[self.as_of], cutoff=self.as_of, days=self.settings.silent_days
            )
        table, renewal = found.table, found.renewal
        tiers = tier_ids()
        currency = _currencies(renewal)
        return Live(
            table,
            renewal,
            tuple(currency.get(pk, "") for pk in renewal.tolist()),
            tuple(None if place == NO_TIER else tiers[place] for place in table.tier.tolist()),
            self._monthly(table),
            self._period_months(found.row),
            found.snapshot.raw,
            self._data_age(),
        )

    def _monthly(self, table: Table) -> Floats:
        """Early ends per contract-month, by the tier of today, as known before the day."""
        dues = self.observed.dues
        if not len(dues):
            return np.full(len(table), np.nan)
        at = np.full(len(dues), np.datetime64(self.as_of, "D"))
        tier = self.reader.states.read(wanted(self.observed, account=dues.account, at=at), "tier")
        place = np.where(np.isnan(tier), NO_TIER, tier).astype(np.int64)
        return midterm(dues, place, cutoff=self.as_of).of(table.tier)

    def _period_months(self, row: Ints) -> Ints:
        dues = self.observed.dues
        return np.where(row >= 0, np.append(dues.period_months, 0)[row], 0)

    def _data_age(self) -> int:
        known = self.observed.use.known
        if not len(known):
            return 0
        return int((np.datetime64(self.as_of, "D") - known.max()).astype(int)) - 1


def some_of(accounts: Ints, most: int) -> Ints:
    """These accounts, or `most` of them: always the same ones, drawn without looking at them."""
    most = max(most, LEAST_ACCOUNTS)
    if len(accounts) <= most:
        return accounts
    drawn = np.random.default_rng(1).permutation(len(accounts))[:most]
    return np.asarray(accounts[np.sort(drawn)])


def witnessed(table: Table) -> Table:
    """Without the rows of days before anything was recorded: neither use nor people nor service.

    Contracts are often imported for more years than the rest. Such rows say how a customer without
    any input fares, and of those nobody is asked: they only blur what the inputs mean. Where the
    others hold too few losses to learn from, all are kept.
    """
    inputs = [feature.group not in TERMS for feature in table.features]
    seen: Flags = np.asarray((~np.isnan(table.x[:, inputs])).any(axis=1))
    found = table.taken(seen)
    lost, kept = events_of(found.taken(found.decided))
    return found if lost >= L2_TRIED_FROM and kept >= L2_TRIED_FROM else table


def thinned(table: Table, most: int | None = None) -> Table:
    """A table that can be learned from in a night: rows of some accounts, where there are many."""
    limit = MOST_LEARNED if most is None else most
    if len(table) <= limit:
        return table
    accounts = np.unique(table.account)
    kept = some_of(accounts, len(accounts) * limit // len(table))
    return table.taken(np.isin(table.account, kept))


def _currencies(renewal: Ints) -> dict[int, str]:
    found: dict[int, str] = {}
    ids = renewal[renewal > 0].tolist()
    for start in range(0, len(ids), CHUNK):
        rows = Renewal.objects.filter(pk__in=ids[start : start + CHUNK]).order_by()
        found.update(rows.values_list("pk", "currency"))
    return found


def tier_ids() -> list[int]:
    """Tier.pk by its place in a table."""
    return list(Tier.objects.order_by("pk").values_list("pk", flat=True))


def grace_of(settings: ChurnSettings) -> int:
    """Silence is over on its day: nobody comes back with a signature."""
    return settings.grace_days if event_of(settings) == Event.NON_RENEWAL else 0


class InParts(Held):
    """The same of more customers than can be held at once, read a part after the other.

    Learned from is a sample of each part; what is scored is all of them. Each part learns its own
    calendar, from some thousands of customers.
    """

    def __init__(
        self,
        parts: Sequence[tuple[int, int]],
        *,
        as_of: date,
        settings: ChurnSettings,
        lake: Lake | None,
    ) -> None:
        super().__init__(Observed(accounts=NOBODY, until=as_of), as_of=as_of, settings=settings)
        self.parts, self.lake = parts, lake
        self._learned: Table | None = None

    @property
    def is_empty(self) -> bool:
        return not len(self.live().table) and not len(self.training())

    def training(self, since: date | None = None) -> Table:
        if self._learned is None:
            self._read()
        table = self._learned
        assert table is not None  # noqa: S101 - _read has just made it
        if since is None:
            return table
        days = table.due if self.event == Event.NON_RENEWAL else table.at
        return table.taken(days >= np.datetime64(since, "D"))

    def _read_live(self) -> Live:
        self._read()
        assert self._live is not None  # noqa: S101
        return self._live

    def _read(self) -> None:
        learned: list[Table] = []
        live: list[Live] = []
        for only in self.parts:
            observed = observed_as_of(self.as_of, lake=self.lake, only=only)
            part = Held(observed, as_of=self.as_of, settings=self.settings)
            learned.append(thinned(part.training(), MOST_LEARNED // len(self.parts)))
            live.append(part.live())
        self._learned, self._live = joined(learned), _together(live)


def _together(parts: Sequence[Live]) -> Live:
    return Live(
        joined([part.table for part in parts]),
        np.concatenate([part.renewal for part in parts]),
        tuple(one for part in parts for one in part.currency),
        tuple(one for part in parts for one in part.tier_id),
        np.concatenate([part.monthly for part in parts]),
        np.concatenate([part.period_months for part in parts]),
        {
            name: np.concatenate([part.raw[name] for part in parts if name in part.raw])
            for name in sorted({name for part in parts for name in part.raw})
        },
        min(part.data_age for part in parts),
    )


def parts_of_customers() -> list[tuple[int, int]]:
    """Ranges of numbers of at most AT_ONCE customers; none where all can be held at once."""
    if Customer.objects.count() <= AT_ONCE:
        return []
    numbers = list(Customer.objects.order_by("pk").values_list("pk", flat=True))
    firsts = numbers[::AT_ONCE]
    return list(zip(firsts, [*firsts[1:], numbers[-1] + 1], strict=True))


def held(as_of: date, *, settings: ChurnSettings, lake: Lake | None = None) -> Held:
    """Everything that was known before a day, from the database and the lake."""
    parts = parts_of_customers()
    if parts:
        return InParts(parts, as_of=as_of, settings=settings, lake=lake)
    return Held(observed_as_of(as_of, lake=lake), as_of=as_of, settings=settings)


def training_rows(as_of: date, *, settings: ChurnSettings, lake: Lake | None = None) -> Table:
    """Decided rows as known before a day."""
    return held(as_of, settings=settings, lake=lake).training()
