"""What a back-test allows one to believe, and when not to: findings that a page puts into words.

Pure: from the stored report to (verdict, reservations). Each reservation is a kind with its
figures. Nothing here is a matter of taste: an interval that holds a value does not speak against
that value.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from gengyun.revenue.calc.accuracy import wilson

Finding = dict[str, Any]
GOOD, RANKS, UNPROVEN, REFUSED = "good", "ranks", "unproven", "refused"
ENOUGH = 50  # lost renewals from which intervals are narrow enough to say more than "about"
ENOUGH_OF_PART = 10
LONG_ENOUGH = 4  # cut-offs: a year
OFF = 0.05  # a rate this far from what was said matters, if chance does not explain it
SLOPES = (0.8, 1.25)
MOST_NAMED = 6


def verdict(report: Mapping[str, Any]) -> str:
    """good: ranks, and its figures can be taken as they are; ranks: order yes, figures no;
    unproven: not shown to know more than the rate of the tier; refused: too few outcomes."""
    if report.get("refused"):
        return REFUSED
    model = report["methods"]["model"]
    if not _above(model["auc"], 0.5) or not _above(model["skill"], 0.0):
        return UNPROVEN
    return RANKS if any(_miscalibrated(report)) else GOOD


def _above(figure: Mapping[str, float | None], bound: float) -> bool:
    return figure["low"] is not None and figure["low"] > bound


def _miscalibrated(report: Mapping[str, Any]) -> Iterator[Finding]:
    model, counts = report["methods"]["model"], report["counts"]
    apart = model["said"] - counts["rate"]
    came = _all_interval(report)
    if abs(apart) > OFF and came is not None and not came[0] <= model["said"] <= came[1]:
        yield {
            "kind": "too_high" if apart > 0 else "too_low",
            "said": model["said"],
            "came": counts["rate"],
        }
    slope = model["slope"]
    if slope["value"] is not None and slope["low"] is not None:
        if slope["value"] < SLOPES[0] and slope["high"] < 1:
            yield {"kind": "too_bold", "slope": slope["value"]}
        if slope["value"] > SLOPES[1] and slope["low"] > 1:
            yield {"kind": "too_timid", "slope": slope["value"]}
    ece, chance = model["ece"]["value"], model["ece_by_chance"]["value"]
    if ece is not None and chance is not None and ece > max(chance, OFF):
        yield {"kind": "uneven", "ece": ece, "chance": chance}


def _all_interval(report: Mapping[str, Any]) -> tuple[float, float] | None:
    counts = report["counts"]
    return wilson(counts["events"], counts["outcomes"])


def reservations(report: Mapping[str, Any]) -> list[Finding]:
    """When not to trust it, the gravest first."""
    found: list[Finding] = []
    counts, cutoffs = report["counts"], report["cutoffs"]
    if report.get("refused"):
        return [
            {"kind": "refused", "events": counts["events"], "least": report["least"]},
            *_scope(report),
        ]
    model = report["methods"]["model"]
    if not _above(model["auc"], 0.5):
        found.append({"kind": "ranks_like_chance", **model["auc"]})
    elif not _above(model["skill"], 0.0):
        found.append({"kind": "no_skill", **model["skill"]})
    if counts["events"] < ENOUGH:
        found.append({"kind": "few_events", "events": counts["events"], "enough": ENOUGH})
    if len(cutoffs) < LONG_ENOUGH:
        found.append({"kind": "short", "cutoffs": len(cutoffs)})
    if cutoffs and cutoffs[-1]["rung"] == "L0":
        found.append({"kind": "experience"})
    found += _miscalibrated(report)
    found += _of_parts(report)
    found += _no_better(report)
    return [*found, *_lacking(report), *_scope(report)]


def _of_parts(report: Mapping[str, Any]) -> Iterator[Finding]:
    """Tiers that are off, tiers that are too thin to say, and the newest quarter."""
    for part in report["by_tier"]:
        if part["events"] < ENOUGH_OF_PART and part["outcomes"]:
            yield {"kind": "thin_tier", "tier": part["key"], "events": part["events"]}
        elif _is_off(part):
            yield {"kind": "tier_off", "tier": part["key"], **_pair(part)}
    for part in report["by_lag"]:
        if part["auc"]["low"] is not None and part["auc"]["low"] <= 0.5:
            yield {"kind": "weak_lag", "lag": part["key"], "auc": part["auc"]["value"]}
    quarters = report["by_quarter"]
    if len(quarters) > 1 and _is_off(quarters[-1]):
        yield {"kind": "newest_off", "quarter": quarters[-1]["key"], **_pair(quarters[-1])}


def _is_off(part: Mapping[str, Any]) -> bool:
    low, high = part["came_interval"]
    return abs(part["said"] - part["came"]) > OFF and not low <= part["said"] <= high


def _pair(part: Mapping[str, Any]) -> Finding:
    return {"said": part["said"], "came": part["came"]}


def _no_better(report: Mapping[str, Any]) -> Iterator[Finding]:
    """Simpler ways that it has not been shown to beat."""
    for name in ("plain_logistic", "health", "csm"):
        other = report["methods"].get(name)
        if other and not _above(other["loss_behind"], 0.0):
            behind = other["loss_behind"]
            is_worse = behind["high"] is not None and behind["high"] < 0
            yield {"kind": "worse_than" if is_worse else "as_good_as", "method": name}


def _lacking(report: Mapping[str, Any]) -> Iterator[Finding]:
    unknown = [one["feature"] for one in report.get("unknown", [])]
    if unknown:
        yield {"kind": "unknown_inputs", "features": unknown[:MOST_NAMED], "count": len(unknown)}


def _scope(report: Mapping[str, Any]) -> Iterator[Finding]:
    """What it never speaks of."""
    if report["event"] == "non_renewal":
        yield {"kind": "due_only"}
    if report["counts"]["open"]:
        yield {"kind": "open", "count": report["counts"]["open"]}
