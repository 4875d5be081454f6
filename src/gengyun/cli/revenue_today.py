"""Metrics of revenue that are told per customer, person or step instead of per period: share of
wallet, capacity of CSMs, the bow-tie. The numbers are those of the insight pages."""

import click

from gengyun.cli.revenue_figures import number, plain

STEPS = "Bow-tie: from opportunities to customers to renewal and growth; a share is of its step."


def wallet(asked) -> list[dict]:
    from gengyun.revenue.queries.wallets import wallets

    found = wallets(None, among=None, today=asked.as_of)
    return [
        {
            "customer": one.customer.external_id,
            "name": one.customer.name,
            "category": one.wallet.budget.category,
            "year": one.wallet.budget.year,
            "budget_minor": one.wallet.budget.amount_minor,
            "budget_currency": one.wallet.budget.currency,
            "said_by": one.wallet.budget.said_by,
            "said_on": one.wallet.budget.said_on and one.wallet.budget.said_on.isoformat(),
            "share_of_wallet": plain(one.wallet.share),
            "headroom_minor": one.wallet.headroom_minor,
        }
        for one in found.rows
    ]


def capacity(asked) -> list[dict]:
    from gengyun.portfolio.queries.capacity import capacity as carried

    found = carried(_administrator(), today=asked.as_of)
    return [
        {
            "csm": one.user.name,
            "arr_minor": one.load.arr_minor,
            "currency": found.currency,
            "customers": one.load.customers,
            "weighted_customers": number(one.load.weighted),
            "salary_minor": one.load.salary_minor,
            "ratio": number(one.load.ratio),
            "low_minor": one.load.low_minor,
            "high_minor": one.load.high_minor,
            "state": one.load.state,
            "open_alerts": one.open_alerts,
        }
        for one in found.rows
    ]


def bow_tie(asked) -> list[dict]:
    from django.db.models import Q

    from gengyun.portfolio.queries.bow_tie import bow_tie as tied

    steps = tied(
        _administrator(),
        asked.book,
        asked.due,
        first=asked.spans[0].start,
        last=min(asked.spans[-1].end, asked.as_of),
        as_of=asked.as_of,
        policy=asked.policy,
        among=Q(),
    )
    counts = {step.key: step.count for step in steps}
    return [
        {
            "step": step.key,
            "count": step.count,
            "amount_minor": step.amount_minor,
            "of": step.of,
            "share": round(step.count / counts[step.of], 10)
            if step.of and counts[step.of]
            else None,
        }
        for step in steps
    ]


def _administrator():
    """These pages are for those who see everybody; the command sees what they see."""
    from gengyun.team.models import Role, User

    found = User.objects.filter(role=Role.ADMIN, is_active=True).order_by("pk").first()
    if found is None:
        raise click.ClickException("there is no administrator yet; run: gengyun init")
    return found


LISTS = {"wallet": wallet, "capacity": capacity, "bow-tie": bow_tie}
_ONE_DAY = {
    "since": "it holds for one day, which --known says",
    "policies": "none of the conventions enters it",
}
# what a list cannot follow, and why: it is refused, for a figure that ignores it would be another
IGNORED = {
    "wallet": {"by": "it is told customer by customer", **_ONE_DAY},
    "capacity": {"by": "it is told CSM by CSM", **_ONE_DAY},
    "bow-tie": {"by": "its steps are those of all customers together"},
}


def definition(name: str) -> str:
    from gengyun.revenue.calc.unit_economics import CAPACITY, WALLET

    return {"wallet": WALLET, "capacity": CAPACITY, "bow-tie": STEPS}[name]
