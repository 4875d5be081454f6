"""The definition behind each factor, for the small windows on health figures."""

from gengyun.health.calc import commercial
from gengyun.usage.calc.definition import parse_definition
from gengyun.usage.calc.sentence import describe
from gengyun.usage.models import Metric


def factors(score_row, *, zh):
    """factor key -> {sentence, description, curve, missing}; only of factors that still exist."""
    metrics = {row.key: row for row in Metric.objects.all()}
    names = {key: row.name_zh if zh else row.name_en for key, row in metrics.items()}
    found = {}
    for group in score_row.version.config.get("groups", []):
        for factor in group["factors"]:
            if factor["metric"] in commercial.INPUTS:
                found[factor["key"]] = _commercial(factor, zh=zh)
            row = metrics.get(factor["metric"])
            if row is None:
                continue
            found[factor["key"]] = {
                "metric": row,
                "name": names[row.key],
                "sentence": describe(parse_definition(row.definition), "zh" if zh else "en", names),
                "description": row.description_zh if zh else row.description_en,
                "curve": factor["curve"],
                "missing": factor.get("missing", "exclude"),
                "unit": row.unit,
            }
    return found


def _commercial(factor, *, zh):
    """Of contracts and payments: worked out, not counted from events."""
    name_zh, name_en, unit = commercial.INPUTS[factor["metric"]]
    return {
        "metric": {"key": factor["metric"]},
        "name": name_zh if zh else name_en,
        "sentence": commercial.DEFINITIONS[factor["metric"]][0 if zh else 1],
        "description": "",
        "curve": factor["curve"],
        "missing": factor.get("missing", "exclude"),
        "unit": unit,
    }
