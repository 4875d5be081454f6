"""What a task may hold, checked."""

from datetime import date, timedelta
from typing import Any

from gengyun.customers.models import Contact, Customer
from gengyun.kernel.errors import NotFound, Refusal
from gengyun.kernel.texts import keepable
from gengyun.tasks.models import Task
from gengyun.tasks.queries.roles import ROLES
from gengyun.team.models import User
from gengyun.team.queries.people import possible_owners

TITLE, BODY, SOURCE = 200, 20_000, 160
LARGEST_MINOR = 10**16
FARTHEST_DAYS = 3_660  # ten years


class TitleMissing(Refusal):
    code = "task_title_missing"
    message = "Say in a few words what is to be done."


class TaskTextTooLong(Refusal):
    code = "task_text_too_long"
    message = "The text is longer than %(limit)s characters."


class TaskDayFar(Refusal):
    code = "task_day_far"
    message = "Choose a day within ten years."


class TaskOwnerUnfit(Refusal):
    code = "task_owner_unfit"
    message = "Tasks can only be given to active colleagues who look after customers."


class TaskRoleUnknown(Refusal):
    code = "task_role_unknown"
    message = "There is no role %(role)s."


class TaskPriorityUnknown(Refusal):
    code = "task_priority_unknown"
    message = "There is no priority %(priority)s."


class TaskWorthBad(Refusal):
    code = "task_worth_bad"
    message = "This is no amount that a task can be worth."


class ContactOfOther(Refusal):
    code = "task_contact_of_other"
    message = "%(name)s is not a contact of this customer."


def plain(text: Any) -> str:
    """Without what neither database keeps: NUL and halves of characters."""
    return keepable(str(text if text is not None else ""))


def is_news(owner_id: int | None, actor: User | None) -> bool:
    """Whoever has it now did not take it themselves."""
    return owner_id is not None and (actor is None or actor.pk != owner_id)


def clean_title(text: Any, *, cut: bool = False) -> str:
    """One line. `cut`: a machine wrote it, what is too long loses its end."""
    title = " ".join(plain(text).split())
    if not title:
        raise TitleMissing
    if len(title) > TITLE:
        if not cut:
            raise TaskTextTooLong(limit=TITLE)
        title = title[: TITLE - 1] + "…"
    return title


def clean_text(text: Any, *, limit: int = BODY) -> str:
    found = plain(text).strip()
    if len(found) > limit:
        raise TaskTextTooLong(limit=limit)
    return found


def clean_day(day: date | None, *, today: date) -> date | None:
    if day is not None and abs(day - today) > timedelta(days=FARTHEST_DAYS):
        raise TaskDayFar
    return day


def clean_priority(priority: Any) -> int:
    if priority not in Task.Priority.values:
        raise TaskPriorityUnknown(priority=str(priority)[:20])
    return int(priority)


def clean_role(role: str) -> str:
    if role and role not in ROLES:
        raise TaskRoleUnknown(role=role[:20])
    return role


def clean_worth(amount: int | None) -> int | None:
    if amount is not None and not 0 <= amount <= LARGEST_MINOR:
        raise TaskWorthBad
    return amount


def check_owner(owner: User | None) -> None:
    if owner is not None and not possible_owners().filter(pk=owner.pk).exists():
        raise TaskOwnerUnfit


def check_customer(actor: User | None, customer: Customer | None) -> None:
    if customer is None or actor is None:
        return
    if not Customer.objects.visible_to(actor).filter(pk=customer.pk).exists():
        raise NotFound


def check_contact(contact: Contact | None, customer_id: int | None) -> None:
    if contact is not None and contact.customer_id != customer_id:
        raise ContactOfOther(name=contact.name)
