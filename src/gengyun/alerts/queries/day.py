"""Everything that rules look at on a judged day, read when the first rule asks for it."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db.models import Q

from gengyun.alerts.calc.detect import DAYS_NEEDED
from gengyun.alerts.calc.found import Flags, Floats, Ints
from gengyun.alerts.calc.rules import Departure, Health, SourceState
from gengyun.customers.models import Contact, Customer, Stage, StageStay, Tier
from gengyun.customers.queries.as_of import field_values
from gengyun.health.queries.scores import newest_judged, read_scores
from gengyun.kernel.calc.workdays import workdays
from gengyun.kernel.days import day_of, start_of
from gengyun.lake.store import Lake
from gengyun.usage.calc.calendar import Calendar, learn
from gengyun.usage.models import Source
from gengyun.usage.queries.metrics import values_table
from gengyun.usage.queries.usage_days import UsageDays, usage_days

FEW = 2_000  # ids that go into a query; more are sorted out here
LEFT_WITHIN = 365  # days back that departures are read for
INDUSTRY_CUSTOMERS = 8  # from here on an industry has a calendar of its own
LATELY = 30  # days before a departure: who was added then is the successor
SHORT_HISTORY = 3  # days: a source that has just begun is not silent


@dataclass(frozen=True)
class Stays:
    """Where each customer stands: stage (-1: none), since when, the longest stay allowed (nan)."""

    stage: Ints
    since: npt.NDArray[np.datetime64]
    longest: Floats


class Day:
    """The inputs of one day, aligned with `ids`: customers known by then and not archived."""

    def __init__(
        self,
        as_of: date,
        *,
        now: datetime,
        lake: Lake | None = None,
        customer_ids: Sequence[int] | None = None,
        usage: UsageDays | None = None,
        is_now: bool = False,
    ) -> None:
        """`is_now`: things as they are at this moment, not as they were known before the day."""
        self.as_of, self.now, self.is_now = as_of, now, is_now
        self.lake = lake or Lake.default()
        self._asked = customer_ids
        self._usage = usage
        self._metrics: dict[tuple[str, int], Floats] = {}
        self._healths: dict[int, Health] = {}

    @property
    def today(self) -> date:
        return day_of(self.now) if self.is_now else self.as_of

    @cached_property
    def ids(self) -> Ints:
        start = start_of(self.as_of)
        known = Customer.objects.all()
        if not self.is_now:
            known = known.filter(known_at__lt=start)
        if self._asked is not None and len(self._asked) <= FEW:
            known = known.filter(pk__in=list(self._asked))
        present = known.filter(Q(archived_at__isnull=True) | Q(archived_at__gte=self.now))
        found = np.fromiter(
            present.order_by("pk").values_list("pk", flat=True).iterator(chunk_size=20_000),
            dtype=np.int64,
        )
        if self._asked is not None and len(self._asked) > FEW:
            found = found[np.isin(found, np.asarray(list(self._asked), dtype=np.int64))]
        return found

    # --- use -----------------------------------------------------------------------------------

    @cached_property
    def usage(self) -> UsageDays:
        if self._usage is not None:
            return rows_of(self._usage, self.ids)
        return usage_days(
            self.as_of, customer_ids=self.ids.tolist(), days=DAYS_NEEDED, lake=self.lake
        )

    @cached_property
    def calendar(self) -> Calendar:
        return learn(self.usage.use, start=self.usage.start, groups=self.industries)

    @cached_property
    def industries(self) -> Ints:
        """A number per customer; -1: no industry, or one of too few customers to have a season."""
        rows = Customer.objects.exclude(industry="").order_by("pk")
        named = dict(rows.values_list("pk", "industry").iterator(chunk_size=20_000))
        counts = Counter(named.values())
        large = sorted(name for name, count in counts.items() if count >= INDUSTRY_CUSTOMERS)
        number = {name: place for place, name in enumerate(large)}
        places = (number.get(named.get(pk, ""), -1) for pk in self.usage.customer_ids.tolist())
        return np.fromiter(places, dtype=np.int64, count=len(self.usage.customer_ids))

    # --- metrics and health --------------------------------------------------------------------

    def metric(self, key: str) -> Floats:
        """Values of the newest run up to the day (at most 6 days old); nan: unknown."""
        return self.metric_before(key, 0)

    def metric_before(self, key: str, days: int) -> Floats:
        """The same so many days earlier."""
        if (key, days) not in self._metrics:
            self._metrics[key, days] = self._read_metric(key, days)
        return self._metrics[key, days]

    def _read_metric(self, key: str, days: int) -> Floats:
        newest = self.as_of - timedelta(days=days)
        known = (day for day in self._metric_days if 0 <= (newest - day).days <= 6)
        day = max(known, default=None)
        if day is None:
            return np.full(len(self.ids), np.nan)
        rows = values_table(day, metric_keys=[key], lake=self.lake)
        return self._aligned(rows["customer_id"].to_numpy(), rows["value"].to_numpy())

    @cached_property
    def _metric_days(self) -> list[date]:
        return list(self.lake.partitions("metric_values"))

    def health(self, days_before: int = 0) -> Health:
        """Of the day that was judged about that many days before."""
        if days_before not in self._healths:
            self._healths[days_before] = self._read_health(days_before)
        return self._healths[days_before]

    def _read_health(self, days_before: int) -> Health:
        band = np.full(len(self.ids), "", dtype="<U1")
        day = newest_judged(self.as_of - timedelta(days=days_before), lake=self.lake, within=6)
        if day is None:
            return Health(np.full(len(self.ids), np.nan), band)
        rows = read_scores(day, ["customer_id", "score", "band"], lake=self.lake)
        customers = rows["customer_id"].to_numpy()
        place, known = self._places(customers)
        band[place[known]] = np.asarray(rows["band"].to_pylist(), dtype="<U1")[known]
        return Health(self._aligned(customers, rows["score"].to_numpy()), band)

    def _aligned(self, customers: npt.NDArray[Any], values: npt.NDArray[Any]) -> Floats:
        found = np.full(len(self.ids), np.nan)
        place, known = self._places(customers)
        found[place[known]] = np.asarray(values, dtype=np.float64)[known]
        return found

    def _places(self, customers: npt.NDArray[Any]) -> tuple[Ints, Flags]:
        """Row of each customer in `ids`, and whether it is among them."""
        if not len(self.ids) or not len(customers):
            nowhere = np.zeros(len(customers), dtype=np.int64)
            return nowhere, np.zeros(len(customers), dtype=np.bool_)
        place = np.minimum(np.searchsorted(self.ids, customers), len(self.ids) - 1)
        return place, self.ids[place] == customers

    # --- fields as known then ------------------------------------------------------------------

    def _field(self, name: str) -> dict[int, Any]:
        found = field_values(
            fields=(name,),
            as_of=day_of(self.now) + timedelta(days=1) if self.is_now else self.as_of,
            customer_ids=None if self._asked is None else self.ids.tolist(),
        )
        return found[name]

    def _field_ids(self, name: str) -> Ints:
        values = self._field(name)
        return np.fromiter(
            (values.get(pk, -1) for pk in self.ids.tolist()), dtype=np.int64, count=len(self.ids)
        )

    @cached_property
    def tier_ids(self) -> Ints:
        return self._field_ids("tier_id")

    @property
    def stage_ids(self) -> Ints:
        """From the stays, which say it as of any day; -1: in no stage."""
        return self.stays.stage

    @cached_property
    def days_since_start(self) -> Floats:
        """Since the customer's first day (`started_on`); nan: unknown."""
        started = self._field("started_on")
        return np.array(
            [
                (self.as_of - started[pk]).days if pk in started else np.nan
                for pk in self.ids.tolist()
            ],
            dtype=np.float64,
        )

    def in_scope(self, scope: dict[str, Any]) -> Flags:
        """Which customers a rule is for; an absent or empty list stands for all."""
        found = np.ones(len(self.ids), dtype=np.bool_)
        if scope.get("tiers"):
            found &= np.isin(self.tier_ids, scope["tiers"])
        if scope.get("touch_models"):
            tiers = Tier.objects.filter(touch_model__in=scope["touch_models"])
            found &= np.isin(self.tier_ids, list(tiers.values_list("pk", flat=True)))
        if scope.get("stages"):
            found &= np.isin(self.stage_ids, scope["stages"])
        return found

    @cached_property
    def stays(self) -> Stays:
        """The stay of the day: entered before it, not left before it."""
        longest = {
            stage.pk: np.nan if stage.longest_days is None else float(stage.longest_days)
            for stage in Stage.objects.all()
        }
        rows = (
            StageStay.objects.filter(entered_on__lt=self.as_of)
            .filter(Q(left_on__isnull=True) | Q(left_on__gte=self.as_of))
            .order_by("entered_on", "pk")
            .values_list("customer_id", "stage_id", "entered_on")
        )
        stage = np.full(len(self.ids), -1, dtype=np.int64)
        since = np.full(len(self.ids), np.datetime64("NaT"), dtype="datetime64[D]")
        limit = np.full(len(self.ids), np.nan)
        for customer_id, stage_id, entered_on in rows.iterator(chunk_size=20_000):
            row = int(np.searchsorted(self.ids, customer_id))
            if row < len(self.ids) and self.ids[row] == customer_id:
                stage[row], since[row] = stage_id, np.datetime64(entered_on)
                limit[row] = longest.get(stage_id, np.nan)
        return Stays(stage, since, limit)

    def effective_days_over(self, stays: Stays) -> Floats:
        """Working time that passed beyond the longest stay; nan where there is no limit.

        By the published calendar: a stage is not late because of a holiday.
        """
        days = (np.datetime64(self.as_of) - stays.since).astype("timedelta64[D]")
        age = np.where(np.isnat(days), np.nan, days.astype(np.float64))
        over = age - stays.longest
        past = int(np.nanmax(over)) if np.isfinite(over).any() else 0
        if past <= 0:
            return np.asarray(over)
        base = workdays(self.as_of - timedelta(days=past), past).base
        heaped = np.concatenate([[0.0], np.cumsum(base[::-1])])  # of the last k days
        steps = np.clip(np.nan_to_num(over), 0, past).astype(np.int64)
        return np.asarray(np.where(over > 0, heaped[steps], over))

    # --- facts ---------------------------------------------------------------------------------

    @cached_property
    def departures(self) -> list[Departure]:
        """Contacts who left by the day, and whether a present contact has come into the part."""
        today = self.today
        gone = Contact.objects.filter(
            left_on__isnull=False, left_on__lte=today, left_on__gte=_before(today, LEFT_WITHIN)
        ).order_by("pk")
        members = set(self.ids.tolist())
        if self._asked is not None and len(members) <= FEW:
            gone = gone.filter(customer_id__in=members)
        rows = [row for row in gone if row.customer_id in members]
        present = Contact.objects.filter(left_on__isnull=True, part__in={row.part for row in rows})
        if self._asked is not None and len(members) <= FEW:
            present = present.filter(customer_id__in=members)
        by_part: dict[tuple[int, str], list[Contact]] = defaultdict(list)
        for one in present:
            by_part[one.customer_id, one.part].append(one)
        return [
            Departure(
                customer_id=row.customer_id,
                contact_id=row.pk,
                name=row.name,
                title=row.title,
                part=row.part,
                left_on=row.left_on,
                has_successor=any(
                    _succeeds(one, row) for one in by_part.get((row.customer_id, row.part), ())
                ),
            )
            for row in rows
            if row.left_on is not None
        ]

    @cached_property
    def sources(self) -> list[SourceState]:
        """Sources that something sends to by itself; nobody waits for files that people import."""
        live = Source.objects.filter(
            is_active=True,
            is_history=False,
            last_event_at__isnull=False,
            created_at__lt=self.now - timedelta(days=SHORT_HISTORY),
            keys__revoked_at__isnull=True,
            keys__last_used_at__isnull=False,
        ).distinct()
        return [self._source(source) for source in live.order_by("pk")]

    def _source(self, source: Source) -> SourceState:
        last = source.last_event_at
        assert last is not None  # noqa: S101 - filtered
        on = day_of(last)
        until = day_of(self.now)
        passed = (self.now - last) / timedelta(days=1)
        between = max(0, (until - on).days - 1)  # whole days without an event
        effective = float(workdays(on + timedelta(days=1), between).base.sum()) if between else 0.0
        return SourceState(source.pk, source.name, on, passed, effective)


def rows_of(usage: UsageDays, ids: Ints) -> UsageDays:
    """The rows of these customers; one that is not among them was never heard from."""
    if np.array_equal(usage.customer_ids, ids):
        return usage
    place = np.minimum(np.searchsorted(usage.customer_ids, ids), max(0, len(usage.use) - 1))
    known = (
        usage.customer_ids[place] == ids if len(usage.use) else np.zeros(len(ids), dtype=np.bool_)
    )
    use = np.zeros((len(ids), usage.use.shape[1]), dtype=usage.use.dtype)
    before = np.zeros(len(ids), dtype=np.int64)
    last = np.full(len(ids), np.datetime64("NaT"), dtype="datetime64[D]")
    use[known] = usage.use[place[known]]
    before[known] = usage.active_days_before[place[known]]
    last[known] = usage.last_on[place[known]]
    return UsageDays(usage.as_of, usage.start, ids, use, before, last)


def _succeeds(present: Contact, gone: Contact) -> bool:
    """Came into the part lately, or was edited after the other was marked as gone. Somebody who
    has shared the part all along is no successor."""
    assert gone.left_on is not None  # noqa: S101 - departures only
    came = day_of(present.created_at)
    return came >= _before(gone.left_on, LATELY) or present.updated_at > gone.updated_at


def _before(day: date, count: int) -> date:
    return day - timedelta(days=count)
