"""Texts to start from: kept in both languages, checked before they are saved."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from gengyun.engagement.actions.touches import BODY_LENGTH, SUBJECT_LENGTH, line_of, text_of
from gengyun.engagement.calc.templates import check_template
from gengyun.engagement.models import Category, TouchTemplate
from gengyun.kernel.errors import NotFound, Refusal, filled
from gengyun.team.actions.audit import record
from gengyun.team.models import User
from gengyun.team.queries.access import require

LANGUAGES = ("zh", "en")
PARTS = ("subject", "body")
LENGTHS = {"subject": SUBJECT_LENGTH, "body": BODY_LENGTH}

TOO_LONG = "At most %(limit)s characters."
HALF = "Subject and text belong together."
NEEDED = "Write the text in one language at least."


class TemplateInvalid(Refusal):
    """`errors`: {field: (msgid, params)}; fields are name, category and for example zh_body."""

    code = "touch_template_invalid"
    message = "The text cannot be used like this."

    def __init__(self, errors: Mapping[str, tuple[str, Mapping[str, str]]]) -> None:
        super().__init__()
        self.errors = dict(errors)

    def said(self) -> str:
        """For a log: the errors in English."""
        return "; ".join(filled(text, params) for text, params in self.errors.values())


@transaction.atomic
def save_template(
    *, actor: User | None, now: datetime, template: TouchTemplate | None, name: str,
    category: str, texts: Mapping[str, Mapping[str, str]],
) -> TouchTemplate:  # fmt: skip
    """`texts`: {"zh" | "en": {"subject", "body"}}; a language left empty is not offered."""
    require(actor, "settings.edit")
    kept = _clean(name, category, texts)
    row = template
    if row is not None:
        row = TouchTemplate.objects.select_for_update().filter(pk=row.pk).first()
        if row is None:
            raise NotFound
    is_new = row is None
    row = row or TouchTemplate(key="", updated_at=now)
    was = "" if is_new else row.name
    row.name, row.category, row.texts = line_of(name), category, kept
    row.updated_at, row.retired_at = now, None
    if is_new:
        row.key = f"new-{now.timestamp():.0f}-{TouchTemplate.objects.count()}"
        row.save()
        row.key = f"text-{row.pk}"
    row.save()
    action = "touch_template.create" if is_new else "touch_template.edit"
    record(actor=actor, now=now, action=action, obj=row, changes={"name": [was, row.name]})
    return row


@transaction.atomic
def retire_template(*, actor: User | None, now: datetime, template: TouchTemplate) -> None:
    """Not offered any more; what was written from it stays."""
    require(actor, "settings.edit")
    row = TouchTemplate.objects.select_for_update().filter(pk=template.pk).first()
    if row is None:
        raise NotFound
    row.retired_at = now
    row.save(update_fields=["retired_at"])
    record(
        actor=actor, now=now, action="touch_template.retire", obj=row,
        changes={"retired_at": [None, now]},
    )  # fmt: skip


def _clean(
    name: str, category: str, texts: Mapping[str, Mapping[str, str]]
) -> dict[str, dict[str, str]]:
    errors: dict[str, tuple[str, Mapping[str, str]]] = {}
    if not line_of(name):
        errors["name"] = ("The text needs a name.", {})
    elif len(name) > 80:
        errors["name"] = (TOO_LONG, {"limit": "80"})
    if category not in Category.values:
        errors["category"] = ("Choose a kind of messages.", {})
    kept: dict[str, dict[str, str]] = {}
    for language in LANGUAGES:
        parts = {part: text_of(texts.get(language, {}).get(part, "")) for part in PARTS}
        if not any(parts.values()):
            continue
        kept[language] = parts
        for part, text in parts.items():
            wrong = _wrong(part, text)
            if wrong is not None:
                errors[f"{language}_{part}"] = wrong
    if not kept:
        errors.setdefault("zh_body", (NEEDED, {}))
    if errors:
        raise TemplateInvalid(errors)
    return kept


def _wrong(part: str, text: str) -> tuple[str, Mapping[str, str]] | None:
    if not text:
        return HALF, {}
    if len(text) > LENGTHS[part]:
        return TOO_LONG, {"limit": str(LENGTHS[part])}
    problems = check_template(text)
    return (problems[0].message, problems[0].params) if problems else None
