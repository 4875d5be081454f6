"""Plain factory functions with boring defaults; every test says what matters to it."""

import itertools
from datetime import UTC, datetime

NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)  # a Monday, 10:00 in Shanghai
_count = itertools.count(1)


def make_team(name=None, **values):
    from gengyun.team.models import Team

    return Team.objects.create(name=name or f"Team {next(_count)}", **values)


def make_user(role="csm", **values):
    from gengyun.team.models import User

    n = next(_count)
    defaults = {"email": f"user{n}@example.cn", "name": f"User {n}", "created_at": NOW}
    user = User(role=role, **(defaults | values))
    user.set_password("correct horse battery")
    user.save()
    return user


def make_customer(name=None, **values):
    """A customer row as it is; use the action `create_customer` where history matters."""
    from gengyun.customers.models import Customer

    n = next(_count)
    defaults = {
        "external_id": f"acct_{n}",
        "name": name or f"客户 {n}",
        "known_at": NOW,
        "created_at": NOW,
        "updated_at": NOW,
    }
    return Customer.objects.create(**(defaults | values))
