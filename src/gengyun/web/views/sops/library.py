"""Ready SOPs to begin with, as the page of a new SOP shows them."""

from dataclasses import dataclass

from gengyun.sop.actions.library import copy_ready
from gengyun.sop.queries.library import library
from gengyun.web.present import sop_words
from gengyun.web.views.sops.choices import touch_models
from gengyun.web.words import is_zh, language


@dataclass(frozen=True)
class Row:
    key: str
    name: str
    about: str
    steps: list
    bmat: list


def groups():
    """(touch model, ready SOPs) of those that there are."""
    words = {key: word for key, word, *_ in sop_words.bmat()}
    code = "zh" if is_zh() else "en"
    found = []
    for model, title in touch_models():
        rows = [
            Row(
                one.key,
                one.name[code],
                one.about[code],
                [step["title"][code] for step in one.form["steps"]],
                [words[sign] for sign in one.bmat()],
            )
            for one in library()
            if one.touch_model == model
        ]
        if rows:
            found.append((title, rows))
    return found


def copy(key, *, name, actor, now):
    return copy_ready(actor=actor, now=now, key=key, name=name, language=language())
