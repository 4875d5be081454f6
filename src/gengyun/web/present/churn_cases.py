"""The tested renewals behind a figure of the back-test: which, and a page of them. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gengyun.web.numbers import is_number
from gengyun.web.present import churn_findings as findings
from gengyun.web.present import format as plain
from gengyun.web.words import gettext as _

PER_PAGE = 100
LONGEST = 60
NO_TIER = "-"


@dataclass(frozen=True)
class Case:
    account: int
    name: str
    at: str
    due: str | None
    lag: int
    p: str
    lost: bool
    tier: str
    amount_minor: int
    told: bool


@dataclass(frozen=True)
class CasePage:
    cases: list[Case]
    count: int
    lost: int
    said: str
    hidden: int  # of customers that this person may not see
    page: int
    pages: int


def read(given: Mapping[str, str]) -> dict[str, str]:
    """What is asked for, held to what can be."""
    found = {}
    for name in ("bin", "lag"):
        if is_number(given.get(name, "")):
            found[name] = given[name]
    for name in ("tier", "quarter"):
        if given.get(name):
            found[name] = given[name][:LONGEST]
    if given.get("told") == "1":
        found["told"] = "1"
    return found


def _is_asked(rows: Mapping[str, Any], at: int, chosen: Mapping[str, str], lead: int) -> bool:
    if "bin" in chosen and rows["bin"][at] != int(chosen["bin"]):
        return False
    if "told" in chosen:
        return bool(rows["told"][at])
    if rows["lag"][at] != int(chosen.get("lag", lead)):
        return False
    if "tier" in chosen and (rows["tier"][at] or NO_TIER) != chosen["tier"]:
        return False
    return "quarter" not in chosen or quarter_of(rows["due"][at]) == chosen["quarter"]


def quarter_of(due: str | None) -> str:
    return f"{due[:4]}-Q{(int(due[5:7]) + 2) // 3}" if due else ""


def page_of(
    rows: Mapping[str, Any],
    chosen: Mapping[str, str],
    *,
    lead: int,
    seen: Mapping[int, str],
    page: int,
) -> CasePage:
    """Highest probability first. Counts are of all; names only of those this person may see."""
    places = [at for at in range(len(rows.get("p", []))) if _is_asked(rows, at, chosen, lead)]
    places.sort(key=lambda at: (-rows["p"][at], at))
    visible = [at for at in places if rows["account"][at] in seen]
    pages = max(1, -(-len(visible) // PER_PAGE))
    page = min(page, pages)
    mean = sum(rows["p"][at] for at in places) / len(places) if places else None
    return CasePage(
        cases=[_case(rows, at, seen) for at in visible[(page - 1) * PER_PAGE : page * PER_PAGE]],
        count=len(places),
        lost=sum(rows["lost"][at] for at in places),
        said=plain.percent(mean, 1),
        hidden=len(places) - len(visible),
        page=page,
        pages=pages,
    )


def _case(rows: Mapping[str, Any], at: int, seen: Mapping[int, str]) -> Case:
    return Case(
        account=rows["account"][at],
        name=seen[rows["account"][at]],
        at=rows["at"][at],
        due=rows["due"][at],
        lag=rows["lag"][at],
        p=plain.percent(rows["p"][at]),
        lost=bool(rows["lost"][at]),
        tier=rows["tier"][at],
        amount_minor=rows["amount_minor"][at],
        told=bool(rows["told"][at]),
    )


def title(
    chosen: Mapping[str, str], report: Mapping[str, Any], tier_name: Callable[[str], str]
) -> str:
    """What these cases have in common."""
    if "told" in chosen:
        return _("Told of within the budget")
    if "bin" in chosen:
        place = int(chosen["bin"])
        groups = report.get("reliability") or []
        said = findings.share(groups[place]["said"], 1) if place < len(groups) else plain.UNKNOWN
        return _("Said about %(said)s") % {"said": said}
    if "tier" in chosen:
        return tier_name("" if chosen["tier"] == NO_TIER else chosen["tier"])
    if "quarter" in chosen:
        return findings.quarter_name(chosen["quarter"])
    if "lag" in chosen:
        return _("%(days)s days before") % {"days": chosen["lag"]}
    return _("All cases")
