"""A metric's definition as a sentence, in Chinese and in English."""

from collections.abc import Mapping

from gengyun.usage.calc.definition import Base, Change, Definition, Ratio

_FIELD_NAMES = {
    "seats": {"zh": "购买席位数", "en": "seats bought"},
    "arr_minor": {"zh": "ARR", "en": "ARR"},
}
_ZH = {
    "count": "最近 {days} 天{events}的次数",
    "users": "最近 {days} 天有{events}的不同用户数",
    "active_days": "最近 {days} 天中有{events}的天数",
    "sum": "最近 {days} 天{events}的属性“{property}”之和",
    "breadth": "最近 {days} 天{events}中“{feature}”的不同取值数",
    "breadth_events": "最近 {days} 天{events}的不同事件名数",
    "days_since": "距最近一次{events}的天数（昨天为 1）",
}
_EN = {
    "count": "Number of {events} in the last {days} days",
    "users": "Distinct users with {events} in the last {days} days",
    "active_days": "Days with {events} in the last {days} days",
    "sum": "Sum of the property “{property}” of {events} in the last {days} days",
    "breadth": "Distinct values of “{feature}” in {events} in the last {days} days",
    "breadth_events": "Distinct names of {events} in the last {days} days",
    "days_since": "Days since the latest of {events} (yesterday is 1)",
}


def describe(definition: Definition, lang: str, names: Mapping[str, str] | None = None) -> str:
    """One readable sentence; `names` gives the metrics' names by key. lang: "zh" or "en"."""
    names = names or {}
    zh = lang.startswith("zh")
    if isinstance(definition, Ratio):
        above = names.get(definition.numerator, definition.numerator)
        below = (
            _FIELD_NAMES[definition.field]["zh" if zh else "en"]
            if definition.field
            else names.get(definition.metric or "", definition.metric or "")
        )
        if zh:
            return f"“{above}”除以“{below}”；分母未知或为 0 时未知"
        return f"“{above}” divided by “{below}”; unknown where the divisor is unknown or 0"
    if isinstance(definition, Change):
        of = names.get(definition.metric, definition.metric)
        if zh:
            return f"“{of}”与紧接其前的同长窗口相比的变化；之前为 0 时未知"
        return f"“{of}” against the window of equal length just before; unknown where that was 0"
    return _base(definition, zh=zh)


def _base(base: Base, *, zh: bool) -> str:
    form = base.aggregate
    if form == "breadth" and base.feature is None:
        form = "breadth_events"
    return (_ZH if zh else _EN)[form].format(
        days=base.window_days,
        events=_events(base.events, zh=zh),
        property=base.property,
        feature=base.feature,
    )


def _events(events: tuple[str, ...] | None, *, zh: bool) -> str:
    if events is None:
        return "任意使用事件" if zh else "usage events of any kind"
    shown = [f"“{name}”" for name in events[:5]]
    if zh:
        more = f"等 {len(events)} 种" if len(events) > 5 else ""
        return "、".join(shown) + more + "事件"
    more = f" and {len(events) - 5} more" if len(events) > 5 else ""
    return "the events " + ", ".join(shown) + more if len(events) > 1 else f"the event {shown[0]}"
