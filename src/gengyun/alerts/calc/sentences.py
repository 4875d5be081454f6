"""An alert in one sentence, whatever its kind; here those about people, churn and seats. Pure."""

from gengyun.alerts.calc import wording
from gengyun.alerts.calc.wording import Told, day, metric, money, number, percent
from gengyun.health.calc.manual import SENTIMENT

SCALES = {"nps": ("NPS", 10), "csat": ("CSAT", 5), "ces": ("CES", 7)}  # name, highest score
COMMENT_LENGTH = 200
# levels of the CSM's sentiment: Chinese, English
LEVELS = {
    4: ("放心", "confident"),
    3: ("平稳", "steady"),
    2: ("有顾虑", "worried"),
    1: ("告急", "alarmed"),
}


def sentence(told: Told) -> str:
    """The fact. Falls back to the plain value where a reading lacks what its kind needs."""
    say = _SENTENCES.get(told.kind)
    if say is None:
        return wording.sentence(told)
    try:
        return say(told)
    except (KeyError, TypeError, ValueError):
        return wording.plain(told)


def _churn_jump(told: Told) -> str:
    facts, zh = told.facts, told.zh
    now = percent(told.value)
    if facts.get("low") is not None and facts.get("high") is not None:
        low, high = percent(facts["low"]), percent(facts["high"])
        now += f"（{low.removesuffix('%')}–{high}）" if zh else f" ({low.removesuffix('%')}–{high})"
    parts = [f"断约概率 {now}" if zh else f"Churn probability {now}"]
    before = facts["before"]
    if before is not None and told.value is not None and before < told.value:
        on, was = day(facts["before_on"], told), percent(before)
        parts.append(f"{on} 是 {was}" if zh else f"{was} on {on}")
    if facts["why"] in {"mark", "both"}:
        mark = percent(facts["mark"])
        parts.append(
            f"到了本分层的预警线 {mark}" if zh else f"at or above the mark of its tier, {mark}"
        )
    if facts.get("due_on"):
        due = day(facts["due_on"], told)
        amount = money(facts.get("amount_minor"), str(facts.get("currency") or "CNY"), zh)
        parts.append(f"{due} 到期 {amount}" if zh else f"{amount} is due on {due}")
    return ("，" if zh else "; ").join(parts) + ("。" if zh else ".")


def _risk_noted(told: Told) -> str:
    facts = told.facts
    on, note = day(facts["happened_on"], told), str(facts.get("note") or "").strip()
    if told.zh:
        return f"{facts['cause_zh']}（{on}）" + (f"：{_ended(note, '。')}" if note else "。")
    return f"{facts['cause_en']} ({on})" + (f": {_ended(note, '.')}" if note else ".")


def _ended(text: str, stop: str) -> str:
    """What somebody wrote, in whatever language, as the end of a sentence of ours."""
    bare = text.rstrip("。.")
    return bare if bare.endswith(("！", "？", "!", "?", "…")) else bare + stop


def _survey_low(told: Told) -> str:
    facts, zh = told.facts, told.zh
    name, most = SCALES[facts["kind"]]
    score, on = number(told.value, 0), day(facts["answered_on"], told)
    comment = " ".join(str(facts.get("comment") or "").split())[:COMMENT_LENGTH]
    if zh:
        said = f"{facts['contact']}在 {name} 问卷里打了 {score} 分（满分 {most}，{on}）"
        return f"{said}：{_ended(comment, '。')}" if comment else f"{said}，没有写原因。"
    said = f"{facts['contact']} gave {score} of {most} in a {name} survey ({on})"
    return f"{said}: {_ended(comment, '.')}" if comment else f"{said} and wrote no reason."


def _asked_for(told: Told) -> str:
    """In the words of whoever wrote the SOP."""
    facts = told.facts
    said = str(facts["title_zh"] if told.zh else facts["title_en"]).rstrip("。.")
    on = day(facts["asked_on"], told)
    return f"{said}（SOP，{on}）。" if told.zh else f"{said} (SOP, {on})."


def _sentiment_drop(told: Told) -> str:
    key = str(told.params["metric"])
    name, zh = told.names.metric(key, zh=told.zh), told.zh
    now, before = _level(told.value, key, told), told.facts["before"]
    if told.facts.get("fell") and before is not None:
        was = _level(before, key, told)
        return f"{name}从{was}降到{now}。" if zh else f"{name} went from {was} to {now}."
    return f"{name}是{now}。" if zh else f"{name} is {now}."


def _level(value: float | None, key: str, told: Told) -> str:
    if key == SENTIMENT and value is not None and round(value) in LEVELS:
        word = LEVELS[round(value)][0 if told.zh else 1]
        return f"“{word}”"
    text = metric(value, told.names.unit(key), told.zh)
    return f" {text} " if told.zh else text


def _seats_full(told: Told) -> str:
    key = str(told.params["metric"])
    name, unit = told.names.metric(key, zh=told.zh), told.names.unit(key)
    now, limit = metric(told.value, unit, told.zh), metric(told.params["enter"], unit, told.zh)
    weeks = number(told.facts["weeks"], 0)
    if told.zh:
        return f"{name}是 {now}，连续 {weeks} 周不低于 {limit}：可以谈增购。"
    return f"{name} is {now}, at least {limit} for {weeks} weeks: time to talk about more seats."


_SENTENCES = {
    "churn_jump": _churn_jump,
    "risk_noted": _risk_noted,
    "sentiment_drop": _sentiment_drop,
    "seats_full": _seats_full,
    "survey_low": _survey_low,
    "asked_for": _asked_for,
}
