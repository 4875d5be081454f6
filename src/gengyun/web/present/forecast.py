"""The forecast of renewals as it is shown: sentences, rows of the tables, data of the chart."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from gengyun.revenue.calc.forecast_sums import Sums
from gengyun.revenue.queries.forecast import Expected, Week
from gengyun.revenue.queries.odds import Learned
from gengyun.web.present import format as plain
from gengyun.web.words import gettext as _
from gengyun.web.words import is_zh

STEPS = 5  # of the value axis


@dataclass(frozen=True)
class Line:
    """One row of a table: a month, a person, a tier."""

    label: str
    href: str
    sums: Sums


@dataclass(frozen=True)
class Against:
    """What the CSMs say beside what is expected."""

    said_minor: int
    apart_minor: int  # said less P50
    unjudged: int
    unjudged_minor: int

    @property
    def sentence(self) -> str:
        money = {"amount": plain.money(abs(self.apart_minor), zh=is_zh())}
        if self.apart_minor > 0:
            return _("The CSMs together are %(amount)s above P50.") % money
        if self.apart_minor < 0:
            return _("The CSMs together are %(amount)s below P50.") % money
        return _("The CSMs together say what P50 says.")


def against(found: Expected) -> Against:
    said = found.said
    apart = said.minor - found.forecast.total.p50_minor
    return Against(said.minor, apart, said.unjudged, said.unjudged_minor)


def largest_share(found: Expected) -> float | None:
    """Of what comes due, how much the largest five are."""
    total = found.forecast.total.due_minor
    if not total:
        return None
    return 1 - found.forecast.without_largest.due_minor / total


@dataclass(frozen=True)
class RateLine:
    """A cell of the odds: what was seen, and what is believed."""

    tier: Any  # None: customers without a tier
    is_first: bool
    decided: int
    renewed: int
    used: float

    @property
    def seen(self) -> float | None:
        return self.renewed / self.decided if self.decided else None


def rate_lines(learned: Learned, tiers: dict[int, Any]) -> list[RateLine]:
    """Cells of tiers that exist; customers without a tier only where any were decided."""
    found = []
    for cell, rate in zip(learned.cells, learned.odds.rates, strict=True):
        if cell.tier_id and cell.tier_id not in tiers:
            continue
        if not cell.tier_id and not rate.decided:
            continue
        found.append(
            RateLine(tiers.get(cell.tier_id), cell.is_first, rate.decided, rate.renewed, rate.mean)
        )
    return found


# --- chart --------------------------------------------------------------------------------------


def now_as_week(found: Expected, as_of: date) -> Week:
    total, said = found.forecast.total, found.said
    return Week(
        as_of,
        total.due_minor,
        total.p10_minor,
        total.p50_minor,
        total.p90_minor,
        total.expected_minor,
        said.minor,
        said.unjudged,
    )


def joined(weeks: Sequence[Week], now: Week | None) -> list[Week]:
    """The recorded weeks with what holds now as the last point."""
    if now is None:
        return list(weeks)
    return [*(week for week in weeks if week.as_of < now.as_of), now]


def band(weeks: Sequence[Week], *, today: date) -> dict[str, Any]:
    """Data of the chart, in 万 or thousands; the axis may start above 0 and then says so."""
    unit = 1e6 if is_zh() else 1e5
    low, mid, high, said = (
        [round(getattr(week, name) / unit, 1) for week in weeks]
        for name in ("p10_minor", "p50_minor", "p90_minor", "said_minor")
    )
    due = round(weeks[-1].due_minor / unit, 1) if weeks else 0.0
    floor = axis_floor([*low, *said], [*high, due])
    return {
        "labels": [plain.day(week.as_of, today=today, zh=is_zh()) for week in weeks],
        "values": mid,
        "low": low,
        "high": high,
        "said": said,
        "due": due,
        "due_word": _("due"),
        "said_word": _("CSMs together"),
        "floor": floor,
        "note": _note(floor),
        "finding": _finding(low, mid, high, said),
    }


def axis_floor(lows: Sequence[float], highs: Sequence[float]) -> float:
    """Where the value axis begins: 0, or a round number below everything that is drawn."""
    least, most = min(lows, default=0.0), max(highs, default=0.0)
    if least <= 0 or least < most / 2:
        return 0
    step: float = 10.0 ** len(str(int((most - least) / STEPS)))
    while (most - least) / step < STEPS / 2:
        step /= 2
    return max(0.0, (least // step) * step)


def _note(floor: float) -> str:
    parts = [
        _("10k CNY") if is_zh() else _("thousands"),
        _("due-based"),
        _("noted once a week"),
    ]
    if floor:
        parts.append(_("axis from %(floor)s") % {"floor": plain.number(floor)})
    return " · ".join(parts)


def _finding(
    low: Sequence[float], mid: Sequence[float], high: Sequence[float], said: Sequence[float]
) -> str:
    """The chart in a sentence, for those who do not see it."""
    if not mid:
        return ""
    return _(
        "P10 %(low)s, P50 %(mid)s, P90 %(high)s; CSMs together %(said)s; %(count)s weeks ago P50 "
        "was %(before)s"
    ) % {
        "low": low[-1],
        "mid": mid[-1],
        "high": high[-1],
        "said": said[-1],
        "count": len(mid) - 1,
        "before": mid[0],
    }
