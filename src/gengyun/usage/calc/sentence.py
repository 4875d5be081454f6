"""A metric's definition as a sentence, in Chinese and in English."""

from collections.abc import Mapping

from gengyun.usage.calc.definition import Base, Change, Days, Definition, Ratio, Total

_FIELD_NAMES = {
    "seats": {"zh": "购买席位数", "en": "seats bought"},
    "arr_minor": {"zh": "ARR", "en": "ARR"},
}
_DAYS = {
    ("started_on", True): {
        "zh": "客户合作至今的天数；开始日未知或未到时未知",
        "en": "Days since the customer started; unknown where the start is unknown or yet to come",
    },
    ("started_on", False): {
        "zh": "距客户合作开始的天数；已开始为负数",
        "en": "Days until the customer starts; negative after it",
    },
    ("renews_on", True): {
        "zh": "续约日过后的天数；未到或未知时未知",
        "en": "Days since the renewal date; unknown where it is unknown or yet to come",
    },
    ("renews_on", False): {
        "zh": "距续约日的天数；已过为负数",
        "en": "Days until the renewal date; negative after it",
    },
}
_ZH = {
    "count": "最近 {days} 天{events}的次数",
    "users": "最近 {days} 天有{events}的不同用户数",
    "active_days": "最近 {days} 天中有{events}的天数",
    "sum": "最近 {days} 天{events}的属性“{property}”之和",
    "breadth": "最近 {days} 天{events}中“{feature}”的不同取值数",
    "breadth_events": "最近 {days} 天{events}的不同事件名数",
    "days_since": "距最近一次{events}的天数（昨天为 1）",
    "days_without": "已连续多少个整天没有{events}（昨天有则为 0）",
}
_EN = {
    "count": "Number of {events} in the last {days} days",
    "users": "Distinct users with {events} in the last {days} days",
    "active_days": "Days with {events} in the last {days} days",
    "sum": "Sum of the property “{property}” of {events} in the last {days} days",
    "breadth": "Distinct values of “{feature}” in {events} in the last {days} days",
    "breadth_events": "Distinct names of {events} in the last {days} days",
    "days_since": "Days since the latest of {events} (yesterday is 1)",
    "days_without": "Full days without {events} (0 where there was one yesterday)",
}


def describe(definition: Definition, lang: str, names: Mapping[str, str] | None = None) -> str:
    """One readable sentence; `names` gives the metrics' names by key. lang: "zh" or "en"."""
    names = names or {}
    zh = lang.startswith("zh")
    match definition:
        case Days(field, since):
            return _DAYS[field, since]["zh" if zh else "en"]
        case Total(keys):
            parts = [f"“{names.get(key, key)}”" for key in keys]
            if zh:
                return "、".join(parts) + "中已知的各项之和；都未知时未知"
            return " + ".join(parts) + ", of those that are known; unknown where none is"
        case Ratio():
            return _ratio(definition, names, zh=zh)
        case Change():
            return _change(definition, names, zh=zh)
        case Base():
            return _base(definition, zh=zh)


def _ratio(ratio: Ratio, names: Mapping[str, str], *, zh: bool) -> str:
    above = names.get(ratio.numerator, ratio.numerator)
    below = (
        _FIELD_NAMES[ratio.field]["zh" if zh else "en"]
        if ratio.field
        else names.get(ratio.metric or "", ratio.metric or "")
    )
    if zh:
        zero = "分子未知算 0；" if ratio.unknown_is_zero else ""
        return f"“{above}”除以“{below}”；{zero}分母未知或为 0 时未知"
    zero = "an unknown “" + above + "” counts as 0; " if ratio.unknown_is_zero else ""
    return f"“{above}” divided by “{below}”; {zero}unknown where the divisor is unknown or 0"


def _change(change: Change, names: Mapping[str, str], *, zh: bool) -> str:
    of, days = names.get(change.metric, change.metric), change.days
    if zh:
        before = f"早 {days} 天的同长窗口" if days else "紧接其前的同长窗口"
        return f"“{of}”与{before}相比的变化；之前为 0 时未知"
    before = (
        f"the same window {days} days earlier" if days else "the window of equal length just before"
    )
    return f"“{of}” against {before}; unknown where that was 0"


def _base(base: Base, *, zh: bool) -> str:
    form = base.aggregate
    if form == "breadth" and base.feature is None:
        form = "breadth_events"
    text = (_ZH if zh else _EN)[form].format(
        days=base.window_days,
        events=_events(base.events, zh=zh),
        property=base.property,
        feature=base.feature,
    )
    return text + _average(base, zh=zh) + _if_none(base, zh=zh)


def _average(base: Base, *, zh: bool) -> str:
    if base.per_days is None:
        return ""
    text = f"，折算为每 {base.per_days} 天" if zh else f", as an average per {base.per_days} days"
    if base.fewest_days is None:
        return text
    if zh:
        return text + f"；合作开始之前的日子不计，合作不足 {base.fewest_days} 天时未知"
    return text + (
        "; days before the customer started are left out, "
        f"and with less than {base.fewest_days} days it is unknown"
    )


def _if_none(base: Base, *, zh: bool) -> str:
    if not base.none_is_unknown:
        return ""
    return "；一次也没有时未知" if zh else "; unknown where there is none"


def _events(events: tuple[str, ...] | None, *, zh: bool) -> str:
    if events is None:
        return "任意使用事件" if zh else "usage events of any kind"
    shown = [f"“{name}”" for name in events[:5]]
    if zh:
        more = f"等 {len(events)} 种" if len(events) > 5 else ""
        return "、".join(shown) + more + "事件"
    more = f" and {len(events) - 5} more" if len(events) > 5 else ""
    return "the events " + ", ".join(shown) + more if len(events) > 1 else f"the event {shown[0]}"
