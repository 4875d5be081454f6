"""Refusals: what the product says no to, with a stable code. Each face translates them once."""

from collections.abc import Mapping
from typing import Any


def filled(text: str, params: Mapping[str, Any]) -> str:
    """A message with its slots filled. "%%" is one percent sign, also where there are no slots."""
    return text % params if params or "%%" in text else text


class Refusal(Exception):
    """An expected "no". `code` is stable; `message` is an English msgid with %(name)s slots.

    Faces translate `message` through the catalogue and fill in `params`; `status` is the HTTP
    answer (404, 409, 422, 403). Subclasses live beside the function that raises them.
    """

    code = "refused"
    status = 422
    message = "This cannot be done."

    def __init__(self, message: str | None = None, **params: Any) -> None:
        self.message = message or type(self).message
        self.params = params
        super().__init__(filled(self.message, params))


class NotFound(Refusal):
    """Not there, or not for this person: the two answers are the same on purpose."""

    code = "not_found"
    status = 404
    message = "Not found."


class NotAllowed(Refusal):
    """The person may see it but their role may not do this."""

    code = "not_allowed"
    status = 403
    message = "Your role does not allow this."
