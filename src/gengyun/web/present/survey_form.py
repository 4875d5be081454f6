"""The form that writes a survey: what it shows, and reading it back into what the action takes."""

from gengyun.engagement.actions.survey_forms import TEXTS
from gengyun.engagement.calc import questionnaire
from gengyun.engagement.calc.surveys import SCALES
from gengyun.engagement.models import Channel
from gengyun.web.numbers import is_number
from gengyun.web.words import gettext as _

SPARE = 2  # empty rows below the questions
MOST_ROWS = questionnaire.MOST_QUESTIONS + SPARE
# when a question is asked, by the score: key -> the limits of each scale
WHEN = {
    "nps": {"low": {"most": 6}, "middle": {"least": 7, "most": 8}, "high": {"least": 9}},
    "csat": {"low": {"most": 2}, "middle": {"least": 3, "most": 3}, "high": {"least": 4}},
    "ces": {"low": {"most": 3}, "middle": {"least": 4, "most": 4}, "high": {"least": 5}},
    "form": {},
}


def when_words(kind):
    words = {"low": _("after a low score"), "middle": _("after a middle score"),
             "high": _("after a high score")}  # fmt: skip
    return [("", _("whatever the score")), *((key, words[key]) for key in WHEN[kind])]


def kind_words():
    return [
        ("text", _("free text")),
        ("choice", _("one of several")),
        ("choices", _("any of several")),
        ("scale", _("a scale")),
    ]


def rows(kind, questions):
    """Questions as rows of texts, and the empty rows to write further ones."""
    found = [_row(kind, one) for one in questions]
    spare = min(SPARE, MOST_ROWS - len(found))
    return found + [_row(kind, {}) for _spare in range(spare)]


def _row(kind, question):
    when = question.get("when")
    key = next((name for name, limits in WHEN[kind].items() if limits == when), "")
    return {
        "key": question.get("key", ""),
        "kind": question.get("kind", "text"),
        "zh": question.get("zh", ""),
        "en": question.get("en", ""),
        "required": bool(question.get("required")),
        "is_score": question.get("key") == questionnaire.SCORE,
        "when": key,
        "options": "\n".join(_line(one) for one in question.get("options", [])),
        **{name: question.get(name, "") for name in ENDS},
        "least": question.get("least", 1),
        "most": question.get("most", 5),
    }


ENDS = ("low_zh", "low_en", "high_zh", "high_en")


def _line(option):
    return " | ".join(part for part in (option.get("zh", ""), option.get("en", "")) if part)


def shown(survey):
    return {
        "name_zh": survey.name_zh,
        "name_en": survey.name_en,
        "languages": list(survey.languages),
        "valid_days": str(survey.valid_days),
        "window_days": str(survey.window_days),
        "reminder_days": ", ".join(str(one) for one in survey.reminder_days),
        "channel": survey.channel_id or "",
        "texts": {one: dict(survey.texts.get(one, {})) for one in ("zh", "en")},
        "rows": rows(survey.kind, survey.questions),
    }


def read(post, survey):
    """(the form as typed, changes for the action). What cannot be read goes on as it is typed, so
    that the action names it."""
    typed = {
        name: post.get(name, "").strip()
        for name in ("name_zh", "name_en", "valid_days", "window_days", "reminder_days", "channel")
    }
    typed["languages"] = post.getlist("languages")
    typed["texts"] = {
        one: {name: post.get(f"{one}-{name}", "").strip() for name in TEXTS} for one in ("zh", "en")
    }
    questions = _questions(post, survey)
    typed["rows"] = rows(survey.kind, questions)
    channel = typed["channel"]
    changes = {
        "name_zh": typed["name_zh"],
        "name_en": typed["name_en"],
        "languages": typed["languages"],
        "valid_days": _whole(typed["valid_days"]),
        "window_days": _whole(typed["window_days"]),
        "reminder_days": _days(typed["reminder_days"]),
        "texts": typed["texts"],
        "questions": questions,
        "channel": Channel.objects.filter(pk=int(channel), kind="email").first()
        if is_number(channel)
        else None,
    }
    return typed, changes


def _whole(text):
    return int(text) if is_number(text) else -1


def _days(text):
    parts = [part for part in text.replace("，", ",").replace("、", ",").split(",") if part.strip()]
    return [_whole(part.strip()) for part in parts]


def _questions(post, survey):
    """A row whose words are emptied is taken away; new rows get a key of their own."""
    before = {one["key"]: one for one in survey.questions}
    found = []
    for place in range(MOST_ROWS):
        question = _question(post, place, survey.kind, before)
        if question is not None:
            found.append(question)
    taken = {one["key"] for one in found} | set(before)
    for question in found:
        if not question["key"]:
            question["key"] = next(key for n in range(1, 99) if (key := f"q{n}") not in taken)
            taken.add(question["key"])
    return found


def _question(post, place, kind, before):
    def said(name):
        return questionnaire.CONTROL.sub("", post.get(f"q{place}-{name}", "")).strip()

    old = before.get(said("key"), {})
    if not said("zh") and not said("en"):
        return None
    question = {"key": old.get("key", ""), "kind": old.get("kind") or said("kind") or "text"}
    question |= {name: said(name) for name in ("zh", "en", *ENDS) if said(name)}
    if question["key"] == questionnaire.SCORE and kind in SCALES:
        least, most = SCALES[kind]
        return question | {"kind": "scale", "least": least, "most": most, "required": True}
    if said("required") == "1":
        question["required"] = True
    if (when := WHEN[kind].get(said("when"))) is not None:
        question["when"] = when
    if question["kind"] == "scale":
        question |= {"least": old.get("least", 1), "most": old.get("most", 5)}
    if question["kind"] in {"choice", "choices"}:
        question["options"] = _options(said("options"), old.get("options", []))
    return question


def _options(text, before):
    """One per line, "Chinese | English"; a line keeps the key of the option that stood there."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    found = []
    by_words = {_line(one): one["key"] for one in before}
    taken = {one["key"] for one in before}
    for line in lines[: questionnaire.MOST_OPTIONS + 1]:
        zh, _bar, en = (part.strip() for part in line.partition("|"))
        words = {name: value for name, value in (("zh", zh), ("en", en)) if value}
        key = by_words.get(_line(words))
        if key is None:
            key = next(one for n in range(1, 99) if (one := f"o{n}") not in taken)
            taken.add(key)
        found.append({"key": key, **words})
    return found


def fault_of(errors, place, name):
    return errors.get(f"questions.{place}.{name}", "")
