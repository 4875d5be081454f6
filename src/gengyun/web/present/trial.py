"""The result of a try-out on history in words and shapes. Pure."""

from collections.abc import Mapping
from typing import Any

Result = Mapping[str, Any]


def customer_ids(result: Result) -> set[int]:
    """Every customer that the result names."""
    rows = list((result.get("newest") or {}).get("rows", []))
    found = result.get("silence") or {}
    rows += [*found.get("rows", []), *found.get("false_rows", [])]
    return {row["customer"] for row in rows}


def story(result: Result, *, zh: bool) -> list[str]:
    """The finding in at most three sentences, the most important first."""
    told = []
    found = result.get("silence")
    if found:
        old, new = found["before"], found["after"]
        n = new["episodes"]
        if not n:
            told.append(
                "这段时间没有客户沉默，无法比较预警能力。"
                if zh
                else "No customer fell silent in this time, so warnings cannot be compared."
            )
        elif result.get("has_before"):
            told.append(
                f"后来沉默的 {n} 次里，新配置提前发现 {new['caught']} 次，"
                f"现行配置 {old['caught']} 次。"
                if zh
                else f"Of {n} silences the new configuration warned of {new['caught']}, "
                f"the published one of {old['caught']}."
            )
        else:
            told.append(
                f"后来沉默的 {n} 次里，新配置提前发现 {new['caught']} 次。"
                if zh
                else f"Of {n} silences the new configuration warned of {new['caught']}."
            )
        if 0 < n < 10:
            told.append(
                "沉默不到 10 次，差别可能只是偶然。"
                if zh
                else "Fewer than 10 silences: a difference may be chance."
            )
        if result.get("has_before"):
            more = new["false"] - old["false"]
            told.append(_false(more, new["false"], zh=zh))
    return told


def _false(more: int, now: int, *, zh: bool) -> str:
    if not more:
        return f"误报客户同为 {now} 家。" if zh else f"False alarms stay at {now} customers."
    if zh:
        return f"误报客户{'多' if more > 0 else '少'}了 {abs(more)} 家，现在 {now} 家。"
    word = "more" if more > 0 else "fewer"
    return f"{abs(more)} {word} false alarms: {now} customers."


def scale(result: Result) -> int:
    """The top of the line of C and D in percent: the next ten above the highest week."""
    shares = [
        100 * (week[side][2] + week[side][3]) / (sum(week[side]) or 1)
        for week in result.get("by_week", [])
        for side in ("before", "after")
    ]
    return min(100, 10 * (int(max(shares, default=0) // 10) + 1))


def ranks(value: float | None, *, zh: bool) -> str:
    """What an AUC says, in a word."""
    if value is None:
        return ""
    if value >= 0.8:
        return "强" if zh else "strong"
    if value >= 0.65:
        return "中" if zh else "fair"
    if value >= 0.55:
        return "弱" if zh else "weak"
    return "看不出" if zh else "none seen"
