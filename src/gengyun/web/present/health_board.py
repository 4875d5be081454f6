"""The health page in rows, links and sentences. Pure."""

from dataclasses import dataclass
from urllib.parse import urlencode

from gengyun.health.calc.diff import RULE_NAMES
from gengyun.web.present.format import metric as metric_text
from gengyun.web.present.format import money, signed

BANDS = "ABCDN"


@dataclass(frozen=True)
class Row:
    name: str
    query: str  # filters of the customer list: "&f=tier.is.3"
    line: object


def path(base, chosen, changes):
    return f"{base}?{urlencode({**chosen, **changes})}"


def base_filter(scope):
    return "&f=owner.is.me" if scope == "mine" else ""


def matrix_rows(matrix, *, zh):
    return [Row(_name(line, zh=zh), _query(line), line) for line in matrix.lines]


def _name(line, *, zh):
    if line.tier is not None:
        return line.tier.name_zh if zh else line.tier.name_en
    if line.low is None:
        return "未知" if zh else "not known"
    low, high = (money(value, zh=zh) if value else "" for value in (line.low, line.high))
    if not high:
        return f"{low} 以上" if zh else f"{low} and more"
    if not low:
        return f"不到 {high}" if zh else f"under {high}"
    return f"{low} 至 {high}" if zh else f"{low} to {high}"


def _query(line):
    if line.tier is not None:
        return f"&f=tier.is.{line.tier.pk}"
    if line.low is None:
        return ""
    found = f"&f=arr.gte.{line.low}"
    return found + (f"&f=arr.lt.{line.high}" if line.high else "")


@dataclass(frozen=True)
class Cause:
    name: str
    points: str  # "−6.6"
    values: str  # "214 → 148"
    is_rules: bool = False  # other scoring rules, not the customer


def cause(move, *, zh, most=2):
    """The factors that moved the score the way it went, biggest first, with their values."""
    found = move.difference
    if not found or found["change"] is None:
        return []
    down = move.change < 0
    rules = move.rules_change or 0.0
    rows = [
        (row["change"], Cause(_text(row, zh=zh), signed(row["change"]), _values(row, zh=zh)))
        for row in found["factors"]
        if (row["change"] < 0) == down and abs(row["change"]) >= 0.05
    ]
    for change, name_zh, name_en in (
        (found["cap_change"], *RULE_NAMES[found["rule"]]),
        (found["override_change"], "手动调整", "set by hand"),
        (rules, "评分规则变动", "new scoring rules"),
    ):
        if (change < 0) == down and abs(change) >= 0.05:
            name = name_zh if zh else name_en
            is_rules = name_en == "new scoring rules"
            rows.append((change, Cause(name, signed(change), "", is_rules)))
    rows.sort(key=lambda row: -abs(row[0]))
    return [one for _change, one in rows[:most]]


def _text(row, *, zh):
    return row["name_zh" if zh else "name_en"] or row["key"]


def _values(row, *, zh):
    before, after = row["value_before"], row["value_after"]
    if before is None and after is None:
        return ""
    unknown = "没有数据" if zh else "no data"
    texts = [
        unknown if value is None else metric_text(value, row["unit"], zh=zh)
        for value in (before, after)
    ]
    return "" if texts[0] == texts[1] else " → ".join(texts)


def lacking(explanation, *, zh):
    """Names of the factors without live data."""
    return [
        part["name_zh" if zh else "name_en"]
        for group in explanation["groups"]
        for part in group["factors"]
        if part["source"] in {"none", "assumed"}
    ]
