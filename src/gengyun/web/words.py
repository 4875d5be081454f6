"""The language of a rendering and its texts, asked for once and not once per cell.

A list of fifty rows says the same dozen words several hundred times; Django asks its catalogue
each time. Catalogues do not change while a process runs.
"""

from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache

from django.utils import translation

_language = ContextVar("language", default=None)


@contextmanager
def one_language():
    """The language does not change during a rendering."""
    token = _language.set(translation.get_language())
    try:
        yield
    finally:
        _language.reset(token)


def language():
    return _language.get() or translation.get_language() or "zh-hans"


def is_zh():
    return language().startswith("zh")


@lru_cache(maxsize=4000)
def _said(language, context, text):
    with translation.override(language):
        return translation.pgettext(context, text) if context else translation.gettext(text)


def gettext(text):
    return _said(language(), None, text)


def pgettext(context, text):
    return _said(language(), context, text)


def pick(thing, field="name"):
    """The text of a two-language field: pick(tier) is name_zh or name_en; works on dicts too."""
    first, second = ("zh", "en") if is_zh() else ("en", "zh")
    if isinstance(thing, dict):
        return thing.get(f"{field}_{first}") or thing.get(f"{field}_{second}") or ""
    if thing is None:
        return ""
    return getattr(thing, f"{field}_{first}", "") or getattr(thing, f"{field}_{second}", "")
