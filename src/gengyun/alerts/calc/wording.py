"""An alert in one sentence that holds the fact, in Chinese and in English. Pure.

Used by pages, mails and robots alike, so that all of them say the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from gengyun.kernel.currencies import minor_of_one

# one step of wording per kind; see `sentence`
MINUS = "−"


@dataclass(frozen=True)
class Names:
    """What keys and ids in evidence are called; an unknown one is shown as it is."""

    metrics: Mapping[str, tuple[str, str, str]] = field(default_factory=dict)  # zh, en, unit
    stages: Mapping[int, tuple[str, str]] = field(default_factory=dict)

    def metric(self, key: str, *, zh: bool) -> str:
        found = self.metrics.get(key)
        return key if found is None else (found[0] if zh else found[1]) or key

    def unit(self, key: str) -> str:
        found = self.metrics.get(key)
        return "count" if found is None else found[2]

    def stage(self, pk: Any, *, zh: bool) -> str:
        found = self.stages.get(pk)
        return "?" if found is None else (found[0] if zh else found[1])


@dataclass(frozen=True)
class Told:
    """What the sentence is made of: a rule's kind and parameters, and one reading."""

    kind: str
    params: Mapping[str, Any]
    value: float | None
    reference: float | None
    facts: Mapping[str, Any]
    names: Names
    zh: bool
    today: date


def sentence(told: Told) -> str:
    """The fact. Falls back to the plain value where a reading lacks what its kind needs."""
    say = _SENTENCES.get(told.kind)
    if say is None:
        return plain(told)
    try:
        return say(told)
    except (KeyError, TypeError, ValueError):
        return plain(told)


def plain(told: Told) -> str:
    """Of what has no sentence of its own, or lacks its facts."""
    value = number(told.value)
    return f"现在是 {value}。" if told.zh else f"It is {value} now."


def _usage_drop(told: Told) -> str:
    facts = told.facts
    share, seen = percent(facts["ratio"]), number(facts["observed"], 0)
    expected = number(facts["expected"], 0)
    if told.zh:
        return (
            f"近 14 天的使用只有平时的 {share}：{seen} 次，按平时应有约 {expected} 次"
            "（已扣除节假日）。"
        )
    return (
        f"Use in the last 14 days is {share} of the usual: {seen} events where about {expected} "
        "were to be expected, holidays taken into account."
    )


def _dormant(told: Told) -> str:
    days = number(told.value, 0)
    last = told.facts.get("last_on")
    shown = day(last, told) if last else ""
    if told.zh:
        return f"已有 {days} 个工作日没有人使用" + (f"，最后一次是 {shown}。" if shown else "。")
    text = f"Nobody has used the product for {days} working days"
    return text + (f"; the last use was on {shown}." if shown else ".")


def _slow_slide(told: Told) -> str:
    facts = told.facts
    weeks, now = number(facts["weeks"], 0), float(facts["rate_now"])
    before = float(facts["rate_before"])
    lost = percent(1 - now / before) if before else "—"
    if told.zh:
        return (
            f"近 {weeks} 周慢慢少了 {lost}：每个工作日约 {number(now)} 次，"
            f"之前 12 周约 {number(before)} 次。"
        )
    return (
        f"Slowly {lost} less over {weeks} weeks: about {number(now)} events a working day, "
        f"{number(before)} in the 12 weeks before."
    )


def _activation_low(told: Told) -> str:
    key = str(told.params["metric"])
    name, unit = told.names.metric(key, zh=told.zh), told.names.unit(key)
    value, limit = metric(told.value, unit, told.zh), metric(told.params["enter"], unit, told.zh)
    days = number(told.facts["days"], 0)
    if told.zh:
        return f"开始使用 {days} 天了，{name}只有 {value}，低于 {limit}。"
    return f"{days} days after the start {name} is only {value}, below {limit}."


def _stage_late(told: Told) -> str:
    stage = told.names.stage(told.facts["stage"], zh=told.zh)
    days, since = number(told.value, 0), day(told.facts["since"], told)
    if told.zh:
        return f"“{stage}”阶段已超期 {days} 个工作日（{since} 进入）。"
    return f"{days} working days over the time of the stage “{stage}” (entered {since})."


def _source_silent(told: Told) -> str:
    name, days = told.facts["name"], number(told.value, 0)
    last = day(told.facts["last_event_on"], told)
    if told.zh:
        return (
            f"数据源“{name}”已 {days} 天没有数据，最后一次是 {last}。恢复之前，用量类预警全部暂停。"
        )
    return (
        f"The source “{name}” has sent nothing for {days} days; the last event was on {last}. "
        "Alerts about use wait until it is back."
    )


def _outage(told: Told) -> str:
    first, share = day(told.facts["first"], told), percent(told.value)
    count = number(told.facts["customers"], 0)
    if told.zh:
        return (
            f"{first} 起全部客户的使用一起掉到应有的 {share}，涉及 {count} 家。"
            "这是一起事故，不逐家开预警。"
        )
    return (
        f"Since {first} use by all customers together is {share} of what it should be "
        f"({count} customers). One incident, no alert for each."
    )


def _band_change(told: Told) -> str:
    before, now = told.facts["band_before"], told.facts["band"]
    was, value = number(told.facts["score_before"], 0), number(told.value, 0)
    if told.zh:
        return f"健康度从 {before} 掉到 {now}（{was} → {value} 分）。"
    return f"Health went from {before} to {now} ({was} → {value} points)."


def _score_drop(told: Told) -> str:
    points, days = number(abs(float(told.facts["change"])), 0), number(told.params["days"], 0)
    was, value = number(told.facts["score_before"], 0), number(told.value, 0)
    if told.zh:
        return f"健康分 {days} 天里掉了 {points} 分（{was} → {value}）。"
    return f"Health fell {points} points within {days} days ({was} → {value})."


_PARTS = {
    "decider": ("决策人", "decision maker"),
    "champion": ("拥护者", "champion"),
    "user": ("使用者", "user"),
    "procurement": ("采购", "procurement"),
    "other": ("联系人", "contact"),
}


def part(key: str, *, zh: bool) -> str:
    found = _PARTS.get(key, _PARTS["other"])
    return found[0] if zh else found[1]


def _contact_left(told: Told) -> str:
    facts = told.facts
    who, left = part(str(facts["part"]), zh=told.zh), day(facts["left_on"], told)
    title = f"（{facts['title']}）" if told.zh else f" ({facts['title']})"
    title = title if facts.get("title") else ""
    if told.zh:
        return f"{who} {facts['name']}{title}{left} 离开了，还没有人接替。"
    return f"The {who} {facts['name']}{title} left on {left}; nobody has taken over yet."


def _metric(told: Told) -> str:
    key = str(told.params["metric"])
    name, unit = told.names.metric(key, zh=told.zh), told.names.unit(key)
    value, limit = metric(told.value, unit, told.zh), metric(told.params["enter"], unit, told.zh)
    is_below = told.params.get("op", "lt") == "lt"
    if told.zh:
        return f"{name}是 {value}，{'低于' if is_below else '高于'} {limit}。"
    return f"{name} is {value}, {'below' if is_below else 'above'} {limit}."


# what asks for a person about a renewal, after "due in n days": Chinese, English
_WORRIES = {
    "unjudged": ("还没有人判断", "nobody has judged it"),
    "at_risk": ("被判断为有风险", "it is judged at risk"),
    "disagreement": ("检查点上信号与 CSM 判断不一致，等组长决定",
                     "signal and CSM differ at the checkpoint and a leader has to decide"),
    "band": ("健康度是 {band}", "health is {band}"),
    "churn": ("断约概率 {churn}", "churn probability {churn}"),
}  # fmt: skip


def _renewal_window(told: Told) -> str:
    facts, zh = told.facts, told.zh
    left = float(told.value or 0)
    amount = money(facts["due_minor"], str(facts["currency"]), zh)
    due, days = day(facts["due_on"], told), number(abs(left), 0)
    product = str(facts.get("product_zh" if zh else "product_en") or "")
    worries = [
        _WORRIES[one][0 if zh else 1].format(
            band=facts.get("band"), churn=percent(facts.get("churn"))
        )
        for one in facts["worries"]
        if one in _WORRIES
    ]
    if zh:
        when = f"{days} 天后到期" if left >= 0 else f"已过到期日 {days} 天，还没有结果"
        when = "今天到期" if not left else when
        said = "，" + "；".join(worries) if worries else ""
        return f"{product}续约 {amount} {when}（{due}）{said}。"
    when = f"is due in {days} days" if left >= 0 else f"was due {days} days ago without an outcome"
    when = "is due today" if not left else when
    said = "; " + "; ".join(worries) if worries else ""
    what = f"The renewal of {product}" if product else "The renewal"
    return f"{what} over {amount} {when} ({due}){said}."


def _payment_overdue(told: Told) -> str:
    facts, days = told.facts, number(told.value, 0)
    amount = money(facts["amount_minor"], str(facts["currency"]), told.zh)
    count, oldest = int(facts["count"]), facts["number"]
    due = day(facts["due_on"], told)
    if told.zh:
        many = f"共 {count} 张发票，" if count > 1 else ""
        return f"{amount}已逾期 {days} 天没有到账（{many}最早一张 {oldest}，应在 {due} 前付清）。"
    many = f"{count} invoices; the oldest, " if count > 1 else "invoice "
    return f"{amount} has been overdue for {days} days ({many}{oldest}, was due on {due})."


def _seats_reduced(told: Told) -> str:
    facts = told.facts
    before, now = number(facts["seats_before"], 0), number(facts["seats"], 0)
    share, days = percent(told.value), number(told.params["days"], 0)
    leaves = facts.get("leaves_on")
    if told.zh:
        when = f"{day(leaves, told)} 起" if leaves else f"{days} 天内"
        return f"席位{when}从 {before} 减到 {now}（少 {share}）。"
    when = f"from {day(leaves, told)} on" if leaves else f"within {days} days"
    return f"Seats go from {before} to {now} {when} ({share} fewer)."


_SENTENCES = {
    "renewal_window": _renewal_window,
    "payment_overdue": _payment_overdue,
    "seats_reduced": _seats_reduced,
    "usage_drop": _usage_drop,
    "dormant": _dormant,
    "slow_slide": _slow_slide,
    "activation_low": _activation_low,
    "stage_late": _stage_late,
    "source_silent": _source_silent,
    "outage": _outage,
    "band_change": _band_change,
    "score_drop": _score_drop,
    "contact_left": _contact_left,
    "metric": _metric,
}

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def day(value: Any, told: Told) -> str:
    """11-24, another year 2027-02-18; English 24 Nov, 18 Feb 2027."""
    found = date.fromisoformat(value) if isinstance(value, str) else value
    is_this_year = found.year == told.today.year
    if told.zh:
        text = f"{found:%m-%d}" if is_this_year else f"{found:%Y-%m-%d}"
        # a line does not end inside a date
        return text.replace("-", "-\u2060")
    text = f"{found.day} {_MONTHS[found.month - 1]}"
    return text if is_this_year else f"{text} {found.year}"


def number(value: float | None, digits: int = 1) -> str:
    if value is None:
        return "—"
    text = f"{abs(value):,.{digits}f}"
    if digits and text.endswith("." + "0" * digits):
        text = text[: -digits - 1]
    return text if value >= 0 or text == "0" else MINUS + text


def money(minor: float | None, currency: str, zh: bool) -> str:
    """An amount as people say it: 48.6 万, 1.2 亿; English 486k, 1.2M. Other currencies by code."""
    if minor is None:
        return "—"
    units = float(minor) / minor_of_one(currency)
    steps = [(1e8, " 亿"), (1e4, " 万")] if zh else [(1e6, "M"), (1e3, "k")]
    step, word = next((one for one in steps if abs(units) >= one[0]), (1.0, ""))
    text = number(units / step, 1 if word else 0) + word
    if zh:
        return f"{text}元" if currency == "CNY" else f"{currency} {text}"
    return f"{currency} {text}"


def percent(ratio: float | None) -> str:
    return "—" if ratio is None else f"{number(ratio * 100, 0)}%"


def metric(value: float | None, unit: str, zh: bool) -> str:
    """In the unit of the metric, as the pages show it."""
    if value is None:
        return "—"
    if unit in {"ratio", "percent", "change"}:
        return percent(value)
    text = number(value)
    if unit == "users":
        return f"{text} 人" if zh else f"{text} users"
    if unit == "days":
        return f"{text} 天" if zh else f"{text} days"
    return text
