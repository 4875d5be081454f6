"""A refusal on the screen: its sentence in the reader's language, beside the field it is about."""

from collections.abc import Callable
from typing import TypeVar

from django.utils.translation import gettext

from gengyun.kernel.errors import Refusal, filled
from gengyun.web.forms import Form

Made = TypeVar("Made")


def refusal_text(refusal: Refusal) -> str:
    return filled(gettext(refusal.message), refusal.params)


def attempt(
    form: Form, write: Callable[[], Made], field_of: Callable[[Refusal], str]
) -> Made | None:
    """What `write` made, or None with the reason in the form, at the field that `field_of` names.

    What the person may not see or not do is no matter of a field: that refusal goes on up.
    """
    if form.errors:
        return None
    try:
        return write()
    except Refusal as refusal:
        if refusal.status in {403, 404}:
            raise
        form.errors[field_of(refusal)] = refusal_text(refusal)
        return None
