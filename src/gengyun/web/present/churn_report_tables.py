"""The tables of the back-test report, ready to be drawn. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from gengyun.web.present import churn_findings as findings
from gengyun.web.present import format as plain
from gengyun.web.present.churn_findings import number, points, share
from gengyun.web.present.churn_report import Names, span
from gengyun.web.words import gettext as _
from gengyun.web.words import is_zh, pgettext

Report = Mapping[str, Any]
METHODS = ("model", "plain_logistic", "health", "csm", "base_rate")
MODEL_AND_BUDGET = ("model", "health", "base_rate")
FEW = 5  # losses under which an AUC of a part is not shown


@dataclass(frozen=True)
class Cell:
    text: str
    under: str = ""  # the interval
    href: str = ""
    reason: str = ""  # why there is no figure


@dataclass(frozen=True)
class Line:
    head: str
    cells: list[Cell]
    note: str = ""
    is_first: bool = False


@dataclass(frozen=True)
class Sheet:
    key: str
    title: str
    note: str
    head: str
    columns: list[tuple[str, str]]  # (name, meaning)
    lines: list[Line]
    foot: str = ""


def _figure(found: Mapping[str, Any] | None, digits: int = 2) -> Cell:
    value = (found or {}).get("value")
    if value is None:
        return Cell("", reason=_("cannot be computed"))
    return Cell(number(value, digits), span(found, digits))


def _percent(found: Mapping[str, Any] | None) -> Cell:
    value = (found or {}).get("value")
    if value is None:
        return Cell("", reason=_("cannot be computed"))
    low, high = (found or {}).get("low"), (found or {}).get("high")
    under = f"{share(low)[:-1]}–{share(high)}" if low is not None and high is not None else ""
    return Cell(share(value), under)


def method_columns() -> list[tuple[str, str]]:
    return [
        ("AUC", _("of one lost and one kept, how often the lost one stands higher; 0.5 is chance")),
        (_("Lift, top 10%%") % (), _("lost among the tenth with the highest probability, over the "
                                      "rate of all")),
        (_("Lift, top 20%%") % (), _("the same for the fifth")),
        (_("Average precision"), _("area under precision over recall; the rate of all is chance")),
        ("Brier", _("mean squared distance from what came; smaller is better")),
        (_("Skill"), _("how much smaller the Brier is than that of the rate of the tier")),
        (_("ECE, points"), _("mean distance of said and came over ten groups, in points")),
        (_("Slope"), _("1: high and low are told apart as they should; under 1 too boldly")),
    ]  # fmt: skip


def methods(report: Report) -> Sheet:
    """The model beside the simple ways, on the same renewals."""
    lines = []
    for name in METHODS:
        own = report["methods"].get(name)
        title = findings.method_name(name)
        if own is None:
            none = _("nothing was known then")
            lines.append(Line(title, [Cell("", reason=none)] * 8, note=none))
            continue
        lines.append(
            Line(
                title,
                [
                    _figure(own["auc"]),
                    _figure(own["lift10"], 1),
                    _figure(own["lift20"], 1),
                    _figure(own["average_precision"]),
                    _figure(own["brier"], 3),
                    _percent(own["skill"]),
                    Cell(points(own["ece"]["value"])),
                    _figure(own["slope"]) if name != "base_rate" else Cell("", reason="—"),
                ],
                note=_behind(name, own),
                is_first=name == "model",
            )
        )
    return Sheet(
        "methods",
        _("Beside simpler ways"),
        _("the same %(count)s cases, 95%% intervals by customer") % {
            "count": plain.count(report["counts"]["outcomes"])
        },
        _("Method"),
        method_columns(),
        lines,
        _("Where nobody had a health score or a category, the rate of the tier stands in."),
    )  # fmt: skip


def _behind(name: str, own: Mapping[str, Any]) -> str:
    """How far it is behind the model, and for how many it spoke at all."""
    if name == "model":
        return ""
    behind = own["auc_behind"]
    parts = []
    if own["share"] < 1:
        parts.append(_("known for %(share)s") % {"share": share(own["share"])})
    if behind["low"] is not None:
        if behind["low"] > 0:
            parts.append(_("AUC %(behind)s behind the model") % {"behind": number(behind["value"])})
        elif behind["high"] < 0:
            parts.append(
                _("AUC %(ahead)s ahead of the model") % {"ahead": number(-behind["value"])}
            )
        else:
            parts.append(_("no clear difference to the model"))
    return pgettext("sentence parts", "; ").join(parts)


def part_columns() -> list[tuple[str, str]]:
    return [
        (pgettext("back-test", "Cases"), ""),
        (pgettext("back-test", "Lost"), ""),
        (pgettext("probability", "Predicted"), _("mean probability")),
        (pgettext("probability", "Actual"), _("share lost, with its 95%% interval") % ()),
        ("AUC", _("order within the group")),
        (_("Skill"), _("Brier against the rate of the tier")),
    ]


def parts(report: Report, key: str, names: Names, link: Callable[..., str]) -> Sheet:
    """By tier, lag or quarter."""
    title, head, name_of = {
        "by_tier": (_("By tier"), _("Tier"), names.tier),
        "by_lag": (_("By distance to the date"), _("Distance"), _distance),
        "by_quarter": (_("By quarter of the due date"), _("Quarter"), findings.quarter_name),
    }[key]
    lead = {"lead": report["settings"]["lead"]}
    note = _("all distances") if key == "by_lag" else _("%(lead)s days before the date") % lead
    place = key.removeprefix("by_")
    lines = [
        Line(
            name_of(one["key"]),
            [
                Cell(plain.count(one["outcomes"]), href=link(**{place: one["key"] or "-"})),
                Cell(plain.count(one["events"])),
                Cell(share(one["said"])),
                Cell(share(one["came"]), _interval(one["came_interval"])),
                *(
                    (_figure(one["auc"]), _percent(one["skill"]))
                    if one["events"] >= FEW
                    else (Cell("", reason=_("too few losses")),) * 2
                ),
            ],
        )
        for one in report[key]
    ]  # fmt: skip
    return Sheet(key, title, note, head, part_columns(), lines)


def _distance(lag: int) -> str:
    return _("%(days)s days before") % {"days": lag}


def _interval(ends: Sequence[float | None] | None) -> str:
    if not ends or ends[0] is None or ends[1] is None:
        return ""
    return f"{share(ends[0])[:-1]}–{share(ends[1])}"


def budget(report: Report) -> Sheet:
    per = report["settings"]["per_100"]
    found = report["budget"]
    lines = [
        Line(
            findings.method_name(name),
            [
                Cell(plain.count(one["told"])),
                Cell(share(one["precision"]), _interval(one["precision_interval"])),
                Cell(share(one["recall"]), _interval(one["recall_interval"])),
                Cell(share(one["amount_recall"])),
                Cell(plain.number(one["lead_days"], 0)),
            ],
            is_first=name == "model",
        )
        for name in MODEL_AND_BUDGET
        if (one := found.get(name))
    ]
    columns = [
        (_("Told of"), _("cases that got into the budget, each once")),
        (_("Precision"), _("how many of them were lost")),
        (_("Recall"), _("how many of the losses were told of")),
        (_("Recall by amount"), _("how much of the lost amount was told of")),
        (_("Days ahead"), _("from the telling to the due date, median, of the right ones")),
    ]
    return Sheet(
        "budget",
        _("At the alert budget"),
        _("%(per)s new a month per 100 customers, by probability × amount, above the rate of the "
          "tier") % {"per": plain.number(per)},
        pgettext("back-test", "By"),
        columns,
        lines,
    )  # fmt: skip


def by_amount(report: Report) -> list[tuple[str, str, str]]:
    """(name, figure, interval) weighted by amount."""
    own = report.get("by_amount")
    if not own:
        return []
    return [
        (_("Predicted loss of the amount"), share(own["said"], 1), ""),
        (_("Actual loss of the amount"), share(own["came"], 1), ""),
        ("AUC", number(own["auc"]["value"]), span(own["auc"])),
        ("Brier", number(own["brier"]["value"], 3), span(own["brier"], 3)),
        (_("Skill"), share(own["skill"]["value"]), _percent(own["skill"]).under),
        (_("Lift, top 20%%") % (), number(own["lift20"]["value"], 1), span(own["lift20"], 1)),
    ]


def cutoffs(report: Report) -> Sheet:
    lines = [
        Line(
            plain.day_full(date.fromisoformat(one["on"]), zh=is_zh()),
            [
                Cell(one["rung"]),
                Cell(plain.count(one["train_outcomes"])),
                Cell(plain.count(one["train_events"])),
                Cell(plain.count(one["test_outcomes"])),
                Cell(plain.count(one["test_events"])),
            ],
        )
        for one in report["cutoffs"]
    ]
    columns = [
        (
            _("Rung"),
            _("L0 experience, L1 scorecard that learns, L2 with curves and trees, L3 stack"),
        ),
        (_("Learned from"), _("cases decided before that day")),
        (_("of these lost"), ""),
        (_("Asked about"), _("cases looked at in the quarter after it")),
        (_("of these lost"), ""),
    ]
    return Sheet(
        "cutoffs",
        _("How it was tested"),
        _("at each of these days the model was learned anew from what was known before it"),
        _("Cut-off"),
        columns,
        lines,
    )


@dataclass(frozen=True)
class Miss:
    account: int
    due: str
    lost: bool
    p: str
    amount_minor: int
    health: str
    category: str
    unknown: str
    reasons: list[tuple[str, str]] = field(default_factory=list)  # (what, way it pulled)


def misses(report: Report, reason: Callable[[Mapping[str, Any]], str]) -> list[Miss]:
    return [
        Miss(
            account=one["account"],
            due=one["due"] or one["at"],
            lost=one["lost"],
            p=share(one["p"]),
            amount_minor=one["amount_minor"],
            health=plain.score(one["health"]),
            category=one["category"],
            unknown=share(one["unknown_share"]),
            reasons=[
                (reason(why), "up" if why["contribution"] > 0 else "down") for why in one["reasons"]
            ],
        )
        for one in report["worst"]
    ]
