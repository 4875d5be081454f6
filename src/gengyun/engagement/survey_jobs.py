"""Reminders of surveys, once an hour; and what became of their messages, as soon as it is known."""

from datetime import datetime, timedelta
from typing import Any

from django_tasks import task

from gengyun.engagement.actions import survey_mail
from gengyun.engagement.queries import survey_facts
from gengyun.kernel.clock import utc_now
from gengyun.kernel.jobs.schedule import Every, repeat
from gengyun.kernel.outbox import on

__all__ = ["remind_surveys", "survey_facts"]


@task()
def remind_surveys():
    """Who got a link and has not answered, on the days that the survey names."""
    return survey_mail.remind_due(now=utc_now())


repeat("remind_surveys", Every(timedelta(hours=1)), remind_surveys)


@on("touch.changed")
def note_touches(payload: dict[str, Any], now: datetime) -> None:
    survey_mail.note_touches(payload["touch_ids"])
