"""The questions of a survey: what they may be, and reading what somebody answered. Pure.

A question is JSON: `key`, `kind` (scale, choice, choices, text), texts `zh` and `en`; a scale has
`least`, `most` and words for its ends (`low_zh` ...), a choice has `options` with `key`, `zh`,
`en`. `when` limits a question to scores: {"least": 9} or {"most": 6}. The score itself is the
question `score` and comes first in a survey of NPS, CSAT or CES.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gengyun.engagement.calc.surveys import SCALES

SCORE = "score"
KINDS = ("scale", "choice", "choices", "text")
MOST_QUESTIONS = 12  # a short form; more lowers the number of answers
MOST_OPTIONS = 20
MOST_STEPS = 10  # of a scale
TEXT_LENGTH = 2_000
WORDS_LENGTH = 300  # of a question
KEY = re.compile(r"[a-z][a-z0-9_]{0,29}\Z")
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
Question = Mapping[str, Any]


@dataclass(frozen=True)
class Fault:
    """What is wrong with question `place` (0-based; -1: the list); `message` is a msgid."""

    place: int
    field: str
    message: str


@dataclass(frozen=True)
class Read:
    values: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)  # question key -> msgid


def standard(kind: str) -> list[dict[str, Any]]:
    """The questions a new survey of the kind begins with."""
    return [dict(question) for question in _STANDARD[kind]]


def check(kind: str, questions: Any) -> list[Fault]:
    """Everything that is wrong; nothing: the questions can be asked."""
    if not isinstance(questions, list) or not questions:
        return [Fault(-1, "", "A survey asks at least one question.")]
    if len(questions) > MOST_QUESTIONS:
        return [Fault(-1, "", "A survey of more than 12 questions is not answered.")]
    faults: list[Fault] = []
    seen: set[str] = set()
    for place, question in enumerate(questions):
        if not isinstance(question, dict):
            return [Fault(place, "", "This is no question.")]
        faults += [Fault(place, name, text) for name, text in _faults(question)]
        key = question.get("key")
        if isinstance(key, str) and key in seen:
            faults.append(Fault(place, "key", "This key is used twice."))
        seen.add(str(key))
    return faults or _score_faults(kind, questions)


def _score_faults(kind: str, questions: Sequence[Question]) -> list[Fault]:
    places = [place for place, one in enumerate(questions) if one["key"] == SCORE]
    if kind not in SCALES:
        return [Fault(places[0], "key", "A short form has no score.")] if places else []
    if places != [0]:
        return [Fault(-1, "", "The first question asks for the score.")]
    first = questions[0]
    if first["kind"] != "scale" or (first["least"], first["most"]) != SCALES[kind]:
        return [Fault(0, "kind", "The scale of this number is fixed.")]
    return []


def _faults(question: Question) -> list[tuple[str, str]]:
    found = []
    key = question.get("key")
    if not isinstance(key, str) or not KEY.match(key):
        found.append(("key", "A key is a small letter and letters, digits or _."))
    words = [question.get(name) for name in ("zh", "en")]
    if any(one is not None and not _is_text(one, WORDS_LENGTH) for one in words):
        found.append(("zh", "A question is a text of at most 300 characters."))
    elif not any(words):
        found.append(("zh", "Write the question."))
    kind = question.get("kind")
    if kind not in KINDS:
        found.append(("kind", "This kind of question is not offered."))
    elif kind == "scale":
        found += _scale_faults(question)
    elif kind in {"choice", "choices"}:
        found += _option_faults(question.get("options"))
    if not _is_when(question.get("when")):
        found.append(("when", "A question is asked from a score on, or up to one."))
    return found


def _scale_faults(question: Question) -> list[tuple[str, str]]:
    least, most = question.get("least"), question.get("most")
    if not _is_step(least) or not _is_step(most) or not 1 <= most - least <= MOST_STEPS:  # type: ignore[operator]
        return [("least", "A scale goes from a number to a higher one, at most 11 steps.")]
    return []


def _option_faults(options: Any) -> list[tuple[str, str]]:
    message = ("options", "A choice needs 2 to 20 different options.")
    if not isinstance(options, list) or not 2 <= len(options) <= MOST_OPTIONS:
        return [message]
    keys = []
    for one in options:
        if not isinstance(one, dict) or not isinstance(one.get("key"), str):
            return [message]
        if not KEY.match(one["key"]) or not any(one.get(name) for name in ("zh", "en")):
            return [message]
        if any(name in one and not _is_text(one[name], WORDS_LENGTH) for name in ("zh", "en")):
            return [message]
        keys.append(one["key"])
    return [] if len(set(keys)) == len(keys) else [message]


def _is_text(value: Any, length: int) -> bool:
    return isinstance(value, str) and len(value) <= length and not CONTROL.search(value)


def _is_step(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_STEPS


def _is_when(when: Any) -> bool:
    if when is None:
        return True
    if not isinstance(when, dict) or not when or set(when) - {"least", "most"}:
        return False
    return all(_is_step(limit) for limit in when.values())


def asked(questions: Sequence[Question], score: int | None) -> list[Question]:
    """The questions for somebody who gave the score; without one those that need none."""
    return [question for question in questions if _applies(question, score)]


def _applies(question: Question, score: int | None) -> bool:
    when = question.get("when")
    if not when:
        return True
    if score is None:
        return False
    return bool(when.get("least", score) <= score <= when.get("most", score))


def words(item: Mapping[str, Any], language: str, name: str = "") -> str:
    """A text in the reader's language, or in the other where there is no such."""
    ends = ("zh", "en") if language.startswith("zh") else ("en", "zh")
    prefix = f"{name}_" if name else ""
    return next((str(item[prefix + one]) for one in ends if item.get(prefix + one)), "")


def read_score(kind: str, text: str) -> int | None:
    """The score on the survey's scale; None: it is none of them."""
    if kind not in SCALES or not text.isascii() or not text.isdigit() or len(text) > 2:
        return None
    least, most = SCALES[kind]
    return int(text) if least <= int(text) <= most else None


def read(questions: Sequence[Question], given: Mapping[str, Sequence[str]]) -> Read:
    """What was answered, by the question's key. A question left open has no value: it is not
    answered by "" or 0."""
    found = Read()
    for question in questions:
        key = str(question["key"])
        texts = [text for text in given.get(key, ()) if text.strip()]
        if not texts:
            if question.get("required"):
                found.errors[key] = "Please answer this."
            continue
        value = _value(question, texts)
        if value is None:
            found.errors[key] = "This is none of the answers offered."
        else:
            found.values[key] = value
    return found


def _value(question: Question, texts: Sequence[str]) -> Any:
    kind = question["kind"]
    if kind == "text":
        cleaned = CONTROL.sub("", texts[0]).strip()[:TEXT_LENGTH]
        return cleaned or None
    if kind == "scale":
        text = texts[0]
        if not text.isascii() or not text.isdigit() or len(text) > 2:
            return None
        return int(text) if question["least"] <= int(text) <= question["most"] else None
    offered = [option["key"] for option in question["options"]]
    if any(text not in offered for text in texts):
        return None
    return texts[0] if kind == "choice" else [key for key in offered if key in texts]


def comment_of(questions: Sequence[Question], values: Mapping[str, Any]) -> str:
    """What was said to the first free question that was answered."""
    free = (str(one["key"]) for one in questions if one["kind"] == "text")
    return next((str(values[key]) for key in free if values.get(key)), "")


def kept_questions(before: Sequence[Question], after: Sequence[Question]) -> list[str]:
    """Keys of questions that are gone or measure otherwise: not once they were answered."""
    now = {question["key"]: question for question in after}
    return [
        str(question["key"])
        for question in before
        if question["key"] not in now or not _is_same(question, now[question["key"]])
    ]


def _is_same(before: Question, after: Question) -> bool:
    if before["kind"] != after["kind"]:
        return False
    if before["kind"] == "scale":
        return (before["least"], before["most"]) == (after["least"], after["most"])
    if before["kind"] in {"choice", "choices"}:
        kept = {option["key"] for option in after["options"]}
        return {option["key"] for option in before["options"]} <= kept
    return True


_WHY = [
    {
        "key": "why_low",
        "kind": "text",
        "when": {"most": 6},
        "zh": "很抱歉没有让您满意。最需要我们改进的是什么？",
        "en": "We are sorry to hear that. What should we improve first?",
    },
    {
        "key": "why_middle",
        "kind": "text",
        "when": {"least": 7, "most": 8},
        "zh": "我们做到什么，您会打更高的分？",
        "en": "What would make you give a higher score?",
    },
    {
        "key": "why_high",
        "kind": "text",
        "when": {"least": 9},
        "zh": "谢谢！我们做得最好的是什么？",
        "en": "Thank you! What do we do best?",
    },
]
_STANDARD: Mapping[str, Sequence[Mapping[str, Any]]] = {
    "nps": [
        {
            "key": SCORE,
            "kind": "scale",
            "least": 0,
            "most": 10,
            "required": True,
            "zh": "您有多大可能向同行或朋友推荐我们？",
            "en": "How likely are you to recommend us to a colleague or friend?",
            "low_zh": "完全不可能",
            "low_en": "Not at all likely",
            "high_zh": "非常可能",
            "high_en": "Extremely likely",
        },
        *_WHY,
    ],
    "csat": [
        {
            "key": SCORE,
            "kind": "scale",
            "least": 1,
            "most": 5,
            "required": True,
            "zh": "您对这次服务满意吗？",
            "en": "How satisfied are you with our service?",
            "low_zh": "很不满意",
            "low_en": "Very dissatisfied",
            "high_zh": "很满意",
            "high_en": "Very satisfied",
        },
        {
            "key": "why",
            "kind": "text",
            "zh": "有什么想对我们说的？",
            "en": "Anything you would like to tell us?",
        },
    ],
    "ces": [
        {
            "key": SCORE,
            "kind": "scale",
            "least": 1,
            "most": 7,
            "required": True,
            "zh": "用我们的产品办成这件事，容易吗？",
            "en": "How easy was it to get this done with our product?",
            "low_zh": "非常困难",
            "low_en": "Very difficult",
            "high_zh": "非常容易",
            "high_en": "Very easy",
        },
        {
            "key": "why",
            "kind": "text",
            "zh": "哪一步最费劲？",
            "en": "Which step took the most effort?",
        },
    ],
    "form": [
        {
            "key": "said",
            "kind": "text",
            "zh": "有什么想对我们说的？",
            "en": "Anything you would like to tell us?",
        },
    ],
}
