"""Plain factory functions with boring defaults; every test says what matters to it."""

import itertools
from datetime import UTC, datetime
from functools import cache

NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)  # a Monday, 10:00 in Shanghai
_count = itertools.count(1)


def make_team(name=None, **values):
    from gengyun.team.models import Team

    return Team.objects.create(name=name or f"Team {next(_count)}", **values)


@cache
def _hashed(password):
    """Hashing is slow on purpose: once for all users of a test run."""
    from django.contrib.auth.hashers import make_password

    return make_password(password)


def make_user(role="csm", **values):
    from gengyun.team.models import User

    n = next(_count)
    defaults = {"email": f"user{n}@example.cn", "name": f"User {n}", "created_at": NOW}
    user = User(role=role, **(defaults | values))
    user.password = _hashed("correct horse battery")
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


def make_contact(customer, name=None, **values):
    from gengyun.customers.models import Contact

    n = next(_count)
    defaults = {"name": name or f"联系人 {n}", "created_at": NOW, "updated_at": NOW}
    return Contact.objects.create(customer=customer, **(defaults | values))


def make_activity(customer, author=None, **values):
    from gengyun.engagement.models import Activity

    defaults = {"kind": "call", "body": "聊了上线进度", "happened_at": NOW, "recorded_at": NOW}
    return Activity.objects.create(customer=customer, author=author, **(defaults | values))


def make_tiers():
    """The default tiers with their rules and stages; returns {key: Tier}."""
    from gengyun.customers.actions.defaults import install_defaults
    from gengyun.customers.models import Tier

    install_defaults(now=NOW)
    return {tier.key: tier for tier in Tier.objects.all()}


class People:
    """The cast of every permission test: who owns, who does not, who leads, who is a stranger."""

    def __init__(self):
        self.north = make_team("北区")
        self.south = make_team("南区")
        self.owner = make_user("csm", team=self.north)
        self.colleague = make_user("csm", team=self.north)  # same role and team, other book
        self.leader = make_user("leader", team=self.north)
        self.stranger = make_user("leader", team=self.south)  # leads others
        self.operations = make_user("operations")
        self.viewer = make_user("viewer")
        self.admin = make_user("admin")


def make_product(name="协同办公", key="suite", **values):
    from gengyun.revenue.models import Product

    defaults = {"name_zh": name, "name_en": name, "family": key}
    return Product.objects.create(key=key, **(defaults | values))


def make_opportunity(customer, name="加购", **values):
    """In the first stage unless said otherwise; made by the action, so that history is there."""
    from gengyun.revenue.actions.opportunities import create_opportunity
    from gengyun.revenue.actions.opportunity_stages import install_defaults

    install_defaults(now=NOW)
    given = {"kind": "upsell", "name": name, "amount_minor": 1_000_000} | values
    return create_opportunity(actor=None, now=NOW, customer=customer, values=given)


def make_churn_model(rung="L1", **values):
    """A model as forecasts name it; it cannot score."""
    from gengyun.churn.models import ChurnModel

    defaults = {
        "event": "non_renewal",
        "rung": rung,
        "state": "retired",
        "content": {},
        "trained_at": NOW,
        "cutoff": NOW.date(),
        "outcomes": 212,
        "events": 31,
    }
    return ChurnModel.objects.create(**(defaults | values))


def make_renewal(customer, due_on, due_minor=10_000_000, **values):
    """An open renewal as it is, without contract lines."""
    from gengyun.revenue.models import Renewal

    defaults = {"group": f"g{next(_count)}", "created_at": NOW, "owner": customer.owner}
    return Renewal.objects.create(
        customer=customer, due_on=due_on, due_minor=due_minor, **(defaults | values)
    )


def make_forecast(renewal, probability=0.34, model=None, **values):
    """Today's churn probability of a renewal; `probability` None: refused."""
    from gengyun.churn.models import ChurnForecast

    given = {} if probability is None else {
        "low": max(0.0, probability - 0.12),
        "high": min(1.0, probability + 0.13),
        "grade": "B",
    }  # fmt: skip
    defaults = {
        "as_of": NOW.date(),
        "event": "non_renewal",
        "due_on": renewal.due_on,
        "lag_days": (renewal.due_on - NOW.date()).days,
        "amount_minor": renewal.due_minor,
        "currency": renewal.currency,
        "tier": renewal.customer.tier,
        "computed_at": NOW,
    }
    return ChurnForecast.objects.create(
        customer=renewal.customer,
        renewal=renewal,
        probability=probability,
        model=model,
        **(defaults | given | values),
    )


def make_sop(form=None, name="用量下降", **values):
    """A running SOP with one published version; `form` is what matters to the test."""
    from gengyun.sop.models import Sop, SopVersion

    n = next(_count)
    sop = Sop.objects.create(
        key=f"sop-{n}", name=name, state="live", created_at=NOW, changed_at=NOW, started_at=NOW
    )
    return SopVersion.objects.create(
        sop=sop,
        number=1,
        state=SopVersion.State.PUBLISHED,
        form=form or {},
        created_at=NOW,
        changed_at=NOW,
        published_at=NOW,
        **values,
    )


def make_run(version, customer, arm="treat", entered_on=None, **values):
    """A run as the entry made it, placed by chance."""
    from gengyun.sop.models import Run

    day = entered_on or NOW.date()
    defaults = {
        "identity_key": f"c:{customer.pk}",
        "entry_key": f"test:{next(_count)}",
        "state": "done",
        "entered_at": NOW,
        "entry_facts": {},
        "stratum": "2:-",
    }
    return Run.objects.create(
        sop=version.sop,
        version=version,
        customer=customer,
        arm=arm,
        entered_on=day,
        **(defaults | values),
    )
