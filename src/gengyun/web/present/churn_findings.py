"""When not to trust the churn probability: one sentence per finding of `calc.trust`. Pure."""

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import ngettext

from gengyun.web.present import format as plain
from gengyun.web.words import gettext as _
from gengyun.web.words import is_zh, pgettext

Finding = Mapping[str, Any]
# graver ones first on the page; the rest is said, not warned of
MILD = frozenset({"as_good_as", "due_only", "open", "unknown_inputs", "too_timid"})


def method_name(method: str) -> str:
    return {
        "model": _("the churn model"),
        "base_rate": _("the rate of the tier"),
        "health": _("the health score alone"),
        "plain_logistic": _("a plain logistic regression"),
        "csm": _("the CSM's category"),
    }[method]


def share(value: float | None, digits: int = 0) -> str:
    return plain.percent(value, digits)


def points(value: float | None, digits: int = 1) -> str:
    """A difference of shares, in percentage points."""
    return plain.number(None if value is None else value * 100, digits)


def number(value: float | None, digits: int = 2) -> str:
    return plain.UNKNOWN if value is None else f"{value:.{digits}f}".replace("-", plain.MINUS)


def sentence(
    found: Finding, tier_name: Callable[[str], str], feature_name: Callable[[str], str]
) -> str:
    """The finding as the page says it."""
    words = {
        **_of_figures(found),
        "tier": tier_name(found.get("tier", "")),
        "method": spaced(method_name(found["method"])) if "method" in found else "",
        "names": pgettext("list", ", ").join(
            feature_name(one) for one in found.get("features", [])
        ),
    }
    counted = _counted(found)
    return (counted or _text(found["kind"])) % words


def spaced(name: str) -> str:
    """Within a Chinese sentence a space stands before a name that begins with Latin letters."""
    return f" {name}" if is_zh() and name[:1].isascii() else name


def _counted(found: Finding) -> str:
    """Findings that count: of one and of several; "" for others."""
    match found["kind"]:
        case "few_events":
            return ngettext(
                "Only %(events)s loss so far: read the intervals, not the figures. From %(enough)s "
                "on they become narrow.",
                "Only %(events)s losses so far: read the intervals, not the figures. From "
                "%(enough)s on they become narrow.",
                found["events"],
            )
        case "thin_tier":
            return ngettext(
                "%(tier)s: %(events)s loss is too few to say how right it is in this tier.",
                "%(tier)s: %(events)s losses are too few to say how right it is in this tier.",
                found["events"],
            )
        case "open":
            return ngettext(
                "%(count)s case is not decided yet and not in these figures.",
                "%(count)s cases are not decided yet and not in these figures.",
                found["count"],
            )
    return ""


def _of_figures(found: Finding) -> dict[str, Any]:
    """The figures of a finding, written as the page writes them."""
    written: dict[str, Callable[[Any], Any]] = {
        **dict.fromkeys(("events", "least", "enough", "cutoffs", "lag", "count"), plain.count),
        **dict.fromkeys(("said", "came"), share),
        **dict.fromkeys(("low", "high", "slope", "auc"), number),
        **dict.fromkeys(("ece", "chance"), points),
        "quarter": quarter_name,
    }
    return {name: write(found[name]) for name, write in written.items() if name in found}


def quarter_name(key: str) -> str:
    """2026-Q3 to 2026 年三季度 / Q3 2026."""
    year, _dash, quarter = key.partition("-Q")
    return _("Q%(quarter)s %(year)s") % {"quarter": quarter, "year": year}


def _text(kind: str) -> str:
    return {
        "refused": _(
            "Only %(events)s losses could be looked at; under %(least)s nothing is concluded."
        ),
        "ranks_like_chance": _(
            "The order may be chance: the interval of the AUC, %(low)s to %(high)s, holds 0.5."
        ),
        "no_skill": _(
            "Its figures have not been shown to be better than the rate of the tier: the interval "
            "of the gain holds 0."
        ),
        "short": _(
            "Only %(cutoffs)s quarters could be looked at: a whole year with its seasons is not "
            "in it."
        ),
        "experience": _(
            "The newest model has not learned from your outcomes yet: it is an experience-based "
            "estimate."
        ),
        "too_high": _("It says too much: %(said)s on average, %(came)s came."),
        "too_low": _("It says too little: %(said)s on average, %(came)s came."),
        "too_bold": _(
            "Extreme figures are too extreme (slope %(slope)s): what reads 10%% or 90%% is less "
            "certain than that."
        ),
        "too_timid": _(
            "It is too careful (slope %(slope)s): high probabilities are in truth higher, low ones "
            "lower."
        ),
        "uneven": _(
            "Figures are off by %(ece)s points on average; chance explains up to %(chance)s."
        ),
        "tier_off": _("%(tier)s: it said %(said)s, %(came)s came. Do not take its figures here."),
        "weak_lag": _("%(lag)s days before the date the order may be chance (AUC %(auc)s)."),
        "newest_off": _(
            "%(quarter)s, the newest: it said %(said)s, %(came)s came. Something may have changed."
        ),
        "as_good_as": _("It has not been shown to be better than %(method)s."),
        "worse_than": _("It was worse than %(method)s."),
        "unknown_inputs": _("Mostly unknown: %(names)s. What is not recorded it cannot see."),
        "due_only": _(
            "It speaks of renewals that come due. Leaving in the middle of a term is not in these "
            "figures."
        ),
    }[kind]
