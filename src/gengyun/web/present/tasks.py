"""Tasks as they are shown: words for parts, states and the log, one row of the list."""

from dataclasses import dataclass

from gengyun.kernel.calc.workdays import working_days_between
from gengyun.tasks.calc import when
from gengyun.tasks.models import Task
from gengyun.team.models import Role
from gengyun.web.present import format as plain
from gengyun.web.words import gettext as _
from gengyun.web.words import is_zh, pgettext

SNOOZES = (1, 3, 7, 14, 30)
MOVES = (0, 1, 3, 5, 10)  # working days from today


@dataclass(frozen=True)
class Row:
    task: Task
    tone: str  # d late, c today, "" otherwise
    due: str
    part: str  # of calc.when
    amount: str  # what it is worth; "" where nothing is known
    is_said: bool  # its maker said so, it was not worked out
    may_open: bool  # the customer's page
    stands_for: str  # "for Zhang San", where a colleague is on leave
    comments: int
    files: int

    @property
    def is_sop(self):
        return self.task.source.startswith("sop:")


def part_word(part):
    return {
        when.LATE: _("Overdue"),
        when.TODAY: pgettext("need", "Today"),
        when.WEEK: _("This week"),
        when.NEXT: _("Next week"),
        when.AFTER: pgettext("task", "Later on"),
        when.NEVER: _("No due day"),
    }.get(part, part)


def column_word(key):
    """The head of a column of the board."""
    words = {
        "done": _("Done in 7 days"),
        "todo": _("To do"),
        "doing": _("In work"),
        "later": _("Put off"),
    }
    return words.get(key) or part_word(key)


def day_word(day, today):
    return plain.due(day, today=today, zh=is_zh()) if day else _("on no day")


def state_word(task, today):
    """(tone, word) of the mark beside a task that is not simply open."""
    if task.state == Task.State.DONE:
        return "a", pgettext("task", "Done")
    if task.state == Task.State.DROPPED:
        return "", pgettext("task", "Dropped")
    if task.snoozed_until and task.snoozed_until > today:
        day = plain.day(task.snoozed_until, today=today, zh=is_zh())
        return "", _("put off until %(day)s") % {"day": day}
    if task.started_at:
        return "b", _("in work")
    return None


def priorities():
    return [
        (1, pgettext("priority", "High")),
        (2, pgettext("priority", "Normal")),
        (3, pgettext("priority", "Low")),
    ]


def priority_word(priority):
    return dict(priorities()).get(priority, "")


def role_word(role):
    return str(Role(role).label) if role in Role.values else ""


def due_text(task, today):
    """逾期 3 天 in days of the calendar; a deadline soon also says its weekday."""
    day = task.due_on
    if day is None:
        return _("no due day")
    text = plain.due(day, today=today, zh=is_zh())
    if 1 < (day - today).days <= 13:
        text = f"{text} {plain.weekday(day, zh=is_zh())}"
    return text


def due_hint(task, today):
    """How many working days are left, or have passed."""
    if task.due_on is None:
        return ""
    left = working_days_between(today, task.due_on)
    day = plain.day_full(task.due_on, zh=is_zh())
    if left < 0:
        return _("%(day)s, %(num)s working days ago") % {"day": day, "num": -left}
    return _("%(day)s, %(num)s working days left") % {"day": day, "num": left}


def rows(tasks, *, user, today, seen, marks):
    """`seen`: customers whose page may be opened; `marks`: task -> (comments, files)."""
    names = _absent(tasks, user, today)
    return [
        Row(
            task=task,
            tone=tone(task, today),
            due=due_text(task, today),
            part=when.bucket(task.due_on, today),
            amount=amount(task),
            is_said=task.worth_minor is not None,
            may_open=task.customer_id in seen,
            stands_for=names.get(task.owner_id, ""),
            comments=marks.get(task.pk, (0, 0))[0],
            files=marks.get(task.pk, (0, 0))[1],
        )
        for task in tasks
    ]


def tone(task, today):
    if task.state != Task.State.OPEN or task.due_on is None:
        return ""
    if task.due_on < today:
        return "d"
    return "c" if task.due_on == today else ""


def amount(task):
    minor = task.amount_minor
    if minor is None:
        return ""
    currency = task.customer.currency if task.customer else "CNY"
    return plain.money(minor, currency, zh=is_zh())


def _absent(tasks, user, today):
    """Owner id -> name, of colleagues on leave for whom the reader stands in."""
    covered = set(user.covered_ids(today))
    return {
        task.owner_id: task.owner.name
        for task in tasks
        if task.owner is not None and task.owner_id in covered
    }


def size_text(count):
    """Of a file: 640 B, 12.3 kB, 4.1 MB; thousands, as file managers show them."""
    if count < 1_000:
        return f"{count} B"
    if count < 1_000_000:
        return f"{plain.number(count / 1_000, 1)} kB"
    return f"{plain.number(count / 1_000_000, 1)} MB"
