"""What is known of the effect of an SOP, in a cell of the list."""

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from gengyun.web.present import format as plain
from gengyun.web.words import is_zh


@dataclass(frozen=True)
class Cell:
    tone: str
    word: str
    text: str = ""


def cell(verdict):
    """None where nothing was measured yet."""
    if verdict is None:
        return None
    tone, word = {
        "helps": ("a", _("helps")),
        "harms": ("d", _("harms")),
        "no_difference": ("n", _("no difference that matters")),
        "cannot_yet": ("n", _("cannot be said yet")),
        "not_randomised": ("c", _("compared, not causal")),
        "no_outcome": ("n", _("no outcome declared")),
    }.get(verdict.verdict, ("n", verdict.verdict))
    counted = ngettext(
        "%(treat)s carried out, %(holdout)s held out",
        "%(treat)s carried out, %(holdout)s held out",
        verdict.holdout,
    )
    text = counted % {
        "treat": plain.count(verdict.treat),
        "holdout": plain.count(verdict.holdout),
    }
    if verdict.value is not None and verdict.kind in {"renewed", "goal"}:
        points = plain.signed(verdict.value * 100, 1)
        shown = _("%(points)s points") % {"points": points}
        text = f"{shown}{'，' if is_zh() else ', '}{text}"
    return Cell(tone, word, text)
