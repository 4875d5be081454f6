"""Which SOP works: every measured SOP in a row. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from gengyun.sop.calc.form import Form
from gengyun.sop.calc.measured import Told
from gengyun.web.present import format as plain
from gengyun.web.present import sop_effect as shapes
from gengyun.web.words import is_zh

ORDER = ("helps", "harms", "no_difference", "cannot_yet", "not_randomised", "no_outcome")


@dataclass(frozen=True)
class Row:
    pk: int
    name: str
    tone: str
    word: str
    outcome: str
    treat: str
    holdout: str
    difference: str
    between: str
    net: str
    when: str
    as_of: str


def rows(
    found: Sequence[tuple[Any, Told, Form]],
    *,
    metrics: Mapping[str, str],
    today: date,
    with_money: bool,
) -> list[Row]:
    """`found`: (effect, what it says, form), in any order; what is certain comes first."""
    ordered = sorted(found, key=lambda one: (ORDER.index(one[1].verdict), one[0].version.sop.name))
    return [_row(*one, metrics=metrics, today=today, with_money=with_money) for one in ordered]


def _row(
    effect: Any,
    told: Told,
    form: Form,
    *,
    metrics: Mapping[str, str],
    today: date,
    with_money: bool,
) -> Row:
    tone, word = shapes.verdict_word(told.verdict, told)
    kind, key = (form.outcome.kind, form.outcome.key) if form.outcome else ("", "")
    judged = told.daily or told.exact
    is_known = told.verdict in {"helps", "harms"}  # a sum that may be nothing is no sum
    net = told.money[0] if told.money and with_money and is_known else None
    shown = (net.net or net.kept)[0] if net else None
    return Row(
        pk=effect.version.sop_id,
        name=effect.version.sop.name,
        tone=tone,
        word=word,
        outcome=shapes.outcome_sentence(form, metrics.get(key, key)),
        treat=plain.count(told.treat.known),
        holdout=plain.count(told.holdout.known),
        difference=shapes.difference(judged[0] if judged else None, kind),
        between=f"{shapes.short(judged[1], kind)} … {shapes.short(judged[2], kind)}"
        if judged
        else "",
        net=plain.money(round(shown), net.currency, zh=is_zh())
        if net is not None and shown is not None
        else plain.UNKNOWN,
        when=shapes.month_of(told.concludes_on)
        if told.verdict == "cannot_yet" and told.concludes_on
        else "",
        as_of=plain.day(effect.as_of, today=today, zh=is_zh()),
    )
