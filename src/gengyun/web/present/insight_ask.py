"""What an insight page was asked for: its address in, its address out. Pure but for the calendar
day handed in."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from gengyun.revenue.calc.policies import DEFAULT, Policy, PolicyUnknown, choose, options
from gengyun.revenue.calc.spans import GRAINS, Span, first_of, spans, stepped

SCOPES = ("team", "mine")
BY = ("", "tier", "owner", "product", "industry", "region")
SPANS = ("12m", "year", "last_year", "4y", "days")
MOST_PERIODS = 60
OLDEST = date(1990, 1, 1)


@dataclass(frozen=True)
class Ask:
    """`since` and `until` only with span "days"; `known`: as it was known on the evening of."""

    today: date
    scope: str = "team"
    span: str = "12m"
    grain: str = "month"
    by: str = ""
    since: date | None = None
    until: date | None = None
    known: date | None = None
    detail: str = ""  # "kinds": movements as they were recorded
    window: str = ""  # "period": retention over the period itself, else over twelve months
    usual: Policy = DEFAULT  # the company's conventions
    chosen: Mapping[str, str] = field(default_factory=dict)  # what differs from them

    @property
    def policy(self) -> Policy:
        return choose(self.chosen, self.usual)

    @property
    def as_of(self) -> date:
        """The last day that can be spoken of: today, or the day whose knowledge is asked for."""
        return self.known or self.today

    def days(self) -> tuple[date, date]:
        last, grain = self.as_of, self.grain
        if self.span == "year":
            return date(last.year, 1, 1), last
        if self.span == "last_year":
            return date(last.year - 1, 1, 1), date(last.year - 1, 12, 31)
        if self.span == "4y":
            return date(last.year - 3, 1, 1), last
        if self.span == "days" and self.since is not None:
            until = min(self.until or last, last)
            return self.since, max(until, self.since)
        # twelve months up to this one, as whole periods of the grain
        month = stepped("month", first_of("month", last), -11)
        return (month if grain == "month" else first_of(grain, month)), last  # type: ignore[arg-type]

    def periods(self) -> list[Span]:
        first, last = self.days()
        return spans(self.grain, first, last)[-MOST_PERIODS:]  # type: ignore[arg-type]

    def query(self, **changes: Any) -> str:
        """The address with these changes; what is as usual is left out."""
        return urlencode(replace(self, **changes).pairs())

    def pairs(self) -> list[tuple[str, str]]:
        asked = self
        plain = Ask(today=self.today)
        found = {
            name: getattr(asked, name)
            for name in ("scope", "span", "grain", "by", "detail", "window")
            if getattr(asked, name) != getattr(plain, name)
        }
        for name in ("since", "until", "known"):
            if (day := getattr(asked, name)) is not None:
                found[name] = day.isoformat()
        found |= {f"p.{key}": value for key, value in sorted(asked.chosen.items())}
        return list(found.items())


def read(given: Mapping[str, str], *, today: date, scope: str, usual: Policy = DEFAULT) -> Ask:
    """From an address. What makes no sense is left out: an old link still opens."""
    known = _day(given.get("known", ""))
    return Ask(
        today=today,
        scope=_one_of(given.get("scope"), SCOPES, scope),
        span=_one_of(given.get("span"), SPANS, "12m"),
        grain=_one_of(given.get("grain"), GRAINS, "month"),
        by=_one_of(given.get("by"), BY, ""),
        since=_day(given.get("since", "")),
        until=_day(given.get("until", "")),
        known=known if known is not None and known < today else None,
        detail="kinds" if given.get("detail") == "kinds" else "",
        window="period" if given.get("window") == "period" else "",
        usual=usual,
        chosen=_policies(given, usual),
    )


def _one_of(value: str | None, allowed: tuple[str, ...], usual: str) -> str:
    return value if value in allowed else usual


def _day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if OLDEST <= found <= date.max - timedelta(days=366) else None


def _policies(given: Mapping[str, str], usual: Policy) -> dict[str, str]:
    found = {}
    for key in options():
        value = given.get(f"p.{key}", "")
        if value and value != str(getattr(usual, key)):
            try:
                choose({key: value})
            except PolicyUnknown:
                continue
            found[key] = value
    return found
