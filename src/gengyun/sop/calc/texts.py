"""The text of a message step for one reader: the same for the message that goes and for a look at
it before."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gengyun.engagement.calc.templates import ValueMissing, VariableUnknown, render_template


@dataclass(frozen=True)
class Letter:
    """`missing`: what the text needs and nobody knows; then there is no text."""

    subject: str = ""
    body: str = ""
    missing: str = ""


def letter_of(params: Mapping[str, Any], facts: Mapping[str, str | None], language: str) -> Letter:
    text = params["template"]["zh" if language.startswith("zh") else "en"]
    try:
        subject = render_template(text["subject"], facts)
        return Letter(subject[:300], render_template(text["body"], facts))
    except (ValueMissing, VariableUnknown) as refusal:
        return Letter(missing=str(refusal.params["name"]))
