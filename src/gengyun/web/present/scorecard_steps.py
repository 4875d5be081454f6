"""The buttons of the scorecard editor: each is one change of the draft. Pure."""

from collections.abc import Mapping

from gengyun.health.calc import manual, peers
from gengyun.health.calc.manual import SENTIMENT
from gengyun.health.queries.spread import Spread
from gengyun.web.numbers import is_number
from gengyun.web.present.scorecard_form import (
    CAP_FIELDS,
    FACTOR_FIELDS,
    Draft,
    number,
    shown,
    times_of,
)


def apply_step(draft: Draft, step: str, metrics: list[str]) -> Draft:
    """One structural change asked for by a button: `add_factor.0`, `drop_point.0.1.2`, ..."""
    _sentiment_curves(draft)
    verb, *rest = step.split(".")
    at = [int(part) for part in rest if is_number(part)]
    if verb == "even":
        _even_weights(draft)
        return draft
    try:
        rows = _rows(draft, verb.partition("_")[2], at)
        if verb.startswith("drop_"):
            del rows[at[-1]]
        elif verb.startswith("add_"):
            rows.append(_new_row(draft, verb, metrics))
    except (IndexError, KeyError):
        pass  # two tabs: the row is already gone
    return draft


def _sentiment_curves(draft: Draft) -> None:
    """What people judge by hand has four levels: who begins to read it gets their curve."""
    for group in draft["groups"]:
        for factor in group["factors"]:
            if factor["metric"] == SENTIMENT and factor["was_metric"] != SENTIMENT:
                factor["was_metric"] = SENTIMENT
                factor["name_zh"] = factor["name_en"] = ""
                factor["points"] = [
                    {"x": shown(x), "y": shown(y)} for x, y in manual.SENTIMENT_CURVE
                ]


def fill_curve(draft: Draft, step: str, spreads: Mapping[str, Spread], units: Mapping[str, str]):
    """Thresholds from what the customers have now: 10, 35, 65 and 90 percent of them lie below."""
    at = [int(part) for part in step.split(".")[1:] if is_number(part)]
    try:
        factor = draft["groups"][at[0]]["factors"][at[1]]
    except IndexError:
        return  # two tabs: the row is already gone
    found = spreads.get(factor["metric"])
    points = [number(point["y"]) for point in factor["points"]]
    known = [y for y in points if y is not None]
    rising = len(known) < 2 or known[-1] >= known[0]
    made = peers.curve(found.points, is_rising=rising) if found else None
    if made:
        times = times_of(factor["metric"], units)
        factor["points"] = [
            {"x": shown(_round(x), times=times), "y": shown(round(y))} for x, y in made
        ]


def _round(value: float) -> float:
    """Two significant digits: a threshold is read by people."""
    return float(f"{value:.2g}")


def _rows(draft: Draft, what: str, at: list[int]) -> list[Draft]:
    """The list that a row of this kind lies in."""
    match what:
        case "factor":
            return draft["groups"][at[0]]["factors"]
        case "point":
            return draft["groups"][at[0]]["factors"][at[1]]["points"]
        case "cap":
            return draft["caps"]
        case "group":
            return draft["groups"]
    raise KeyError(what)


def _new_row(draft: Draft, verb: str, metrics: list[str]) -> Draft:
    match verb:
        case "add_factor":
            return _new_factor(draft, metrics)
        case "add_point":
            return {"x": "", "y": ""}
        case "add_cap":
            first = metrics[0] if metrics else ""
            empty = dict.fromkeys(CAP_FIELDS, "")
            return empty | {"metric": first, "op": "gte", "effect": "cap", "cap_at": "49"}
    empty = dict.fromkeys(("key", "name_zh", "name_en", "weight"), "")
    return empty | {"factors": [_new_factor(draft, metrics)]}


def _new_factor(draft: Draft, metrics: list[str]) -> Draft:
    used = {f["metric"] for g in draft["groups"] for f in g["factors"]}
    free = next((key for key in metrics if key not in used), metrics[0] if metrics else "")
    return {
        **dict.fromkeys(FACTOR_FIELDS, ""),
        "metric": free,
        "missing": "exclude",
        "points": [{"x": "0", "y": "0"}, {"x": "", "y": "100"}],
    }


def _even_weights(draft: Draft) -> None:
    """Scale what is entered so that groups, and factors inside each group, add up to 100 %."""
    for rows in [draft["groups"], *(group["factors"] for group in draft["groups"])]:
        weights = [max(number(row["weight"]) or 0, 0) for row in rows]
        if not rows:
            continue
        if not sum(weights):
            weights = [1.0] * len(rows)
        whole = [round(100 * w / sum(weights)) for w in weights]
        whole[whole.index(max(whole))] += 100 - sum(whole)
        for row, weight in zip(rows, whole, strict=True):
            row["weight"] = str(weight)
