"""What each colleague saw at their last visit, so that the pages can say what changed since."""

from collections.abc import Iterable
from datetime import date

from gengyun.portfolio.actions.seen import note_seen
from gengyun.portfolio.queries.today import counters, need_list
from gengyun.team.models import User


def note_visits(users: Iterable[User], *, today: date) -> None:
    """As if each had opened the page of `today`, whose judgement has just been made."""
    for user in users:
        for scope in ("mine", "team"):
            needs = need_list(user, scope=scope, today=today)
            figures = counters(user, scope=scope, today=today, needs_total=needs.total)
            note_seen(user=user, scope=scope, values={f.code: f.value for f in figures})
