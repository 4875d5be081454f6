"""A ready SOP becomes a draft of one's own; what it asks for is installed where it is missing."""

from datetime import datetime

from django.db import transaction

from gengyun.engagement.actions.survey_defaults import install_defaults
from gengyun.sop.actions.drafts import create_sop
from gengyun.sop.models import Sop
from gengyun.sop.queries.library import ready
from gengyun.team.models import User


@transaction.atomic
def copy_ready(
    *, actor: User | None, now: datetime, key: str, name: str = "", language: str = "zh-hans"
) -> Sop:
    """A draft with the steps, texts and conditions of the library; it does nothing until somebody
    publishes it. `language` chooses its name where none is given; texts stay in both languages."""
    found = ready(key)
    install_defaults(now=now)  # the standard surveys, which steps may name
    chosen = name or found.name["zh" if language.startswith("zh") else "en"]
    return create_sop(
        actor=actor,
        now=now,
        name=chosen,
        form=found.own_form(),
        touch_model=found.touch_model,
        library_key=found.key,
    )
