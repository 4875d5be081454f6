"""A metric of revenue by name, for periods and segments: what the command and programs ask for.

`METRICS` holds every name with its definition and the conventions it depends on. An answer carries
its figures with what they were divided by, so that anybody can add them up again.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property

import numpy as np

from gengyun.kernel.errors import Refusal
from gengyun.revenue.calc import ltv, renewal_rates, retention, unit_economics, waterfall
from gengyun.revenue.calc.cohorts import DEFINITION as COHORTS
from gengyun.revenue.calc.cohorts import month_name
from gengyun.revenue.calc.figure import Figure
from gengyun.revenue.calc.policies import Policy
from gengyun.revenue.calc.retention import Retention
from gengyun.revenue.calc.spans import Span, ends
from gengyun.revenue.queries import economics, insight, measures
from gengyun.revenue.queries.book import Book, book
from gengyun.revenue.queries.due_book import DueBook, due_book
from gengyun.revenue.queries.frames import Frame, movement_frame
from gengyun.team.models import User

Value = Figure | int | float | str | None
WINDOW = ("nrr", "grr", "logo-retention")
ALL = ""  # the segment of everything


class MetricUnknown(Refusal):
    code = "revenue_metric_unknown"
    message = "There is no metric of revenue called %(name)s."


class SegmentUnknown(Refusal):
    code = "revenue_segment_unknown"
    message = "Metrics of revenue cannot be split by %(by)s."


@dataclass(frozen=True)
class Answer:
    """One row. Money is in minor units of `currency`; a figure without a value says why."""

    span: Span
    segment: str
    segment_names: tuple[str, str]
    values: Mapping[str, Value]


@dataclass
class Question:
    """What is asked; the books are read when something needs them, and once."""

    actor: User | None
    spans: Sequence[Span]
    policy: Policy
    as_of: date
    known: date | None = None
    by: str = ""
    window: int | None = 12  # months that retention looks back; None: each period by itself
    # currency -> signed lines that could not be converted
    unsigned: dict[str, int] = field(default_factory=dict, init=False)

    @cached_property
    def book(self) -> Book:
        return book(
            self.actor,
            as_of=self.as_of,
            known=self.known,
            policy=self.policy,
            frame=self.frame,
        )

    @cached_property
    def due(self) -> DueBook:
        until = max(span.end for span in self.spans)
        return due_book(
            self.actor, as_of=self.as_of, known=self.known, until=until, frame=self.frame
        )

    @cached_property
    def frame(self) -> Frame:
        return movement_frame()

    @cached_property
    def retention(self) -> list[tuple[str, tuple[str, str], list[Retention]]]:
        windows = measures.windows_of(self.spans, self.window)
        return [
            (key, names, measures.retention_of(part, windows, self.policy))
            for key, names, part in self.segments
        ]

    @property
    def without_rate(self) -> dict[str, int]:
        """Currency -> rows that the figures given so far leave out, or count without an amount."""
        found = dict(self.unsigned)
        for name in ("book", "due"):
            if name in self.__dict__:
                for code, count in getattr(self, name).without_rate.items():
                    found[code] = found.get(code, 0) + count
        return found

    @property
    def ends(self) -> list[int]:
        return ends(self.spans)

    @cached_property
    def segments(self) -> list[tuple[str, tuple[str, str], Book]]:
        if not self.by:
            return [(ALL, ("", ""), self.book)]
        return [
            (one.key, (one.name_zh, one.name_en), self.book.only(one.rows))
            for one in insight.segments(self.book, self.by)
        ]

    @cached_property
    def due_segments(self) -> list[tuple[str, tuple[str, str], DueBook]]:
        if not self.by:
            return [(ALL, ("", ""), self.due)]
        return [
            (one.key, (one.name_zh, one.name_en), self.due.only(one.rows))
            for one in insight.due_segments(self.due, self.by)
        ]

    def due_of(self, key: str) -> DueBook:
        found = {name: due for name, _, due in self.due_segments}
        return found.get(key) or self.due.only(np.zeros(len(self.due.rows), bool))


Rows = list[Answer]


def ask(name: str, question: Question) -> Rows:
    """Rows by period, then segment."""
    if name not in METRICS:
        raise MetricUnknown(name=name)
    if question.by not in SPLITS:
        raise SegmentUnknown(by=question.by)
    if question.by and not METRICS[name].splits:
        raise SegmentUnknown(by=question.by)
    return METRICS[name].rows(question)


SPLITS = ("", "tier", "owner", "product", "industry", "region")


def _waterfall(asked: Question) -> Rows:
    found = []
    for key, names, part in asked.segments:
        table = insight.arr(part, asked.ends, asked.policy)
        for at, span in enumerate(asked.spans):
            values: dict[str, Value] = {"opening": table.opening[at]}
            values |= {name: cells[at] for name, cells in table.columns.items()}
            values |= {
                "fx": table.fx[at],
                "closing": table.closing[at],
                "remainder": table.remainder()[at],
                "customers": table.customers[at],
            }
            found.append(Answer(span, key, names, values))
    return found


def _retention(name: str) -> Callable[[Question], Rows]:
    def rows(asked: Question) -> Rows:
        found = []
        for key, names, kept in asked.retention:
            for span, one in zip(asked.spans, kept, strict=True):
                figure = {"nrr": one.nrr, "grr": one.grr, "logo-retention": one.logo}[name]
                values: dict[str, Value] = {
                    name: figure,
                    "start": one.start,
                    "end": one.end,
                    "churned": one.churned,
                    "contracted": one.contracted,
                    "expanded": one.expanded,
                    "start_count": one.start_count,
                    "left_count": one.left_count,
                }
                found.append(Answer(span, key, names, values))
        return found

    return rows


def _renewal_rate(asked: Question) -> Rows:
    found = []
    for key, names, due in asked.due_segments:
        rates = measures.renewal_rates(due, asked.spans, asked.as_of, asked.policy)
        for span, one in zip(asked.spans, rates, strict=True):
            values: dict[str, Value] = {
                "count": one.count,
                "net": one.net,
                "gross": one.gross,
                "due_count": one.due_count,
                "due": one.due,
                "renewed_count": one.renewed_count,
                "renewed": one.renewed,
                "renewed_capped": one.renewed_capped,
                "open_count": one.open_count,
                "open_due": one.open_due,
                "late_count": one.late_count,
                "is_mature": int(one.is_mature),
            }
            found.append(Answer(span, key, names, values))
    return found


def _per_period(
    of: Callable[[economics.Period], Mapping[str, Value]],
) -> Callable[[Question], Rows]:
    """Metrics of unit economics: each is made of the sums of a period."""

    def rows(asked: Question) -> Rows:
        found = []
        for key, names, part in asked.segments:
            periods = economics.periods(part, asked.spans, asked.policy, with_spend=not asked.by)
            found += [Answer(one.span, key, names, of(one)) for one in periods]
        return found

    return rows


def _cohorts(asked: Question) -> Rows:
    first, last = asked.spans[0].start, asked.spans[-1].end
    found = []
    for key, names, part in asked.segments:
        for row in measures.cohort_rows(part, first, last):
            start = date(row.month // 12, row.month % 12 + 1, 1)
            for at, (count, amount) in enumerate(zip(row.counts, row.amounts, strict=True)):
                if count is None:
                    continue
                values: dict[str, Value] = {
                    "cohort": month_name(row.month),
                    "age": at,
                    "size": row.size,
                    "customers": count,
                    "arr": amount,
                    "customers_left": row.count_shares(asked.policy)[at],
                    "arr_left": row.amount_shares(asked.policy)[at],
                }
                found.append(Answer(Span("month", start, start), key, names, values))
    return found


def _concentration(asked: Question) -> Rows:
    found = []
    for key, names, part in asked.segments:
        for span in asked.spans:
            amounts = measures.arr_by_customer(part, min(span.end, asked.as_of)).tolist()
            values: dict[str, Value] = {
                "top_1": unit_economics.top_share(amounts, count=1),
                "top_5": unit_economics.top_share(amounts, count=5),
                "top_10": unit_economics.top_share(amounts, count=10),
                "top_tenth": unit_economics.top_share(amounts, part=Decimal("0.1")),
                "index": unit_economics.herfindahl(amounts),
            }
            found.append(Answer(span, key, names, values))
    return found


def _curve(asked: Question) -> Rows:
    """LTV from the sBG curve of everything that came due by the end of each period."""
    found = []
    for key, names, part in asked.segments:
        due = asked.due_of(key)
        for period in economics.periods(part, asked.spans, asked.policy, with_spend=False):
            spells = measures.spells(due, min(period.span.end, asked.as_of))
            found.append(Answer(period.span, key, names, economics.curve(period, spells)))
    return found


def _tcv(asked: Question) -> Rows:
    worth = economics.signed_value(asked.actor, asked.spans, asked.as_of, asked.known)
    for one in worth:
        for code, count in one.without_rate.items():
            asked.unsigned[code] = asked.unsigned.get(code, 0) + count
    return [
        Answer(one.span, ALL, ("", ""), {"tcv": one.amount, "contracts": one.contracts})
        for one in worth
    ]


def _repeat(asked: Question) -> Rows:
    days = economics.purchase_days(asked.actor, asked.spans, asked.known)
    return [
        Answer(span, ALL, ("", ""), {"repeat_purchase": unit_economics.repeat_purchase_rate(one)})
        for span, one in zip(asked.spans, days, strict=True)
    ]


@dataclass(frozen=True)
class Metric:
    """`keys`: the conventions it depends on."""

    definition: str
    rows: Callable[[Question], Rows]
    keys: tuple[str, ...] = ()
    splits: bool = True


BOOK_KEYS = ("pause", "fx")
FALL_KEYS = ("basis", "same_period", "win_back_days", "grouping_days", *BOOK_KEYS)
RETENTION_KEYS = (*retention.RETENTION_KEYS, *BOOK_KEYS)
# the churn in a simple LTV is that of the customers of a year ago
LTV_KEYS = ("ltv", "zero_churn", "churn_floor_bp", "returned", "cohort", *BOOK_KEYS)
METRICS: Mapping[str, Metric] = {
    "waterfall": Metric(waterfall.DEFINITION, _waterfall, FALL_KEYS),
    "nrr": Metric(retention.NRR, _retention("nrr"), RETENTION_KEYS),
    "grr": Metric(retention.GRR, _retention("grr"), RETENTION_KEYS),
    "logo-retention": Metric(retention.LOGO, _retention("logo-retention"), RETENTION_KEYS),
    "renewal-rate": Metric(
        renewal_rates.NET, _renewal_rate, (*renewal_rates.RENEWAL_KEYS, "partial")
    ),
    "quick-ratio": Metric(
        unit_economics.QUICK_RATIO,
        _per_period(economics.quick_ratio),
        ("quick_ratio", *FALL_KEYS),
    ),
    "arpa": Metric(unit_economics.ARPA, _per_period(economics.arpa), BOOK_KEYS),
    "ltv": Metric(
        unit_economics.LTV,
        _per_period(economics.ltv),
        LTV_KEYS,
    ),
    "ltv-curve": Metric(ltv.DEFINITION, _curve, BOOK_KEYS),
    "cac": Metric(unit_economics.CAC, _per_period(economics.cac), FALL_KEYS, splits=False),
    "payback": Metric(
        unit_economics.PAYBACK, _per_period(economics.payback), FALL_KEYS, splits=False
    ),
    "ltv-cac": Metric(
        unit_economics.LTV_CAC,
        _per_period(economics.ltv_cac),
        tuple(dict.fromkeys((*LTV_KEYS, *FALL_KEYS))),
        splits=False,
    ),
    "cohorts": Metric(COHORTS, _cohorts, ("baseline", *BOOK_KEYS)),
    "concentration": Metric(unit_economics.TOP_SHARE, _concentration, BOOK_KEYS),
    "tcv": Metric(economics.TCV, _tcv, splits=False),
    "repeat-purchase": Metric(unit_economics.REPEAT, _repeat, splits=False),
}
