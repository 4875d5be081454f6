"""The objects that the walk of `gengyun demo --check` asks for: such as the person may see.

What is in the demo depends on the day it is built for (weekend, holiday, end of a quarter) and on
what its worker did since, so nothing here goes by a number: a row is looked for among those that
the person's own pages are drawn from. Where there is none, the sample is None, and 404 is right.
"""

from typing import Any

from django.apps import apps

# path before the argument -> whose first row is asked for, and by which field
SAMPLES = {
    "settings/tiers": ("customers.Tier", "pk"),
    "settings/stages": ("customers.Stage", "pk"),
    "settings/fields": ("customers.CustomField", "pk"),
    "settings/team/users": ("team.User", "pk"),
    "settings/team/teams": ("team.Team", "pk"),
    "settings/sources": ("usage.Source", "pk"),
    "settings/metrics/key": ("usage.Metric", "key"),
    "settings/scorecards": ("health.Scorecard", "pk"),
    "settings/alerts": ("alerts.AlertRule", "pk"),
    "settings/channels": ("engagement.Channel", "pk"),
    "settings/touches/texts": ("engagement.TouchTemplate", "pk"),
    "settings/products": ("revenue.Product", "pk"),
    "insight/churn/models": ("churn.ChurnModel", "pk"),
    "sops": ("sop.Sop", "pk"),
    "surveys": ("engagement.Survey", "pk"),
    "alerts": ("alerts.Alert", "pk"),
    "opportunities": ("revenue.Opportunity", "pk"),
    "segments": ("portfolio.Segment", "pk"),
    "sop-runs": ("sop.Run", "pk"),
    "tasks": ("tasks.Task", "pk"),
    "touches": ("engagement.Touch", "pk"),
}


def samples(user) -> dict[str, object]:
    """Argument, or the path before `<int:pk>` -> what to put there; `user` None: a stranger."""
    found: dict[str, object] = {"kind": "customers", "field": "next_step", "metric": "number"}
    for place, (model, field) in SAMPLES.items():
        found[place] = _first(_seen(model, user), field)
    found |= _files_of(user)
    renewals = _seen("revenue.Renewal", user).exclude(state="merged")
    found["renewals"] = _first(renewals)
    reports = apps.get_model("churn.Backtest").objects.filter(state="done")
    found["insight/churn/reports"] = _first(reports.order_by("pk"))
    written = _seen("engagement.Touch", user).exclude(contact=None)
    found["u/token"] = _first(written, "token")
    found["s/token"] = _survey_token()
    return found | _of_a_customer(user)


def _seen(model: str, user) -> Any:
    """Rows by age; those that the person may see, where the model knows who sees what."""
    rows = apps.get_model(model).objects.order_by("pk")
    return rows.visible_to(user) if hasattr(rows, "visible_to") else rows


def _first(rows, field: str = "pk") -> object:
    return rows.values_list(field, flat=True).first()


def _files_of(user) -> dict[str, object]:
    """An import that has every file to download, of those the person may look at; an export."""
    from gengyun.customers.queries import exports, imports
    from gengyun.team.queries.access import can

    if user is None:
        return {"imports": None, "exports": None}
    # who may not import is refused before the run is looked for: any number will do
    runs = imports.runs(user if can(user, "customer.import") else None)
    whole = runs.exclude(rows_path="").exclude(error_path="").order_by("pk")
    made = exports.exports(user).exclude(stored_path="").order_by("pk")
    return {"imports": _first(whole), "exports": _first(made)}


def _survey_token() -> str | None:
    """A link that can still be answered."""
    from gengyun.engagement.models import Invitation
    from gengyun.engagement.queries.survey_links import token_of
    from gengyun.kernel.clock import utc_now

    open_ = Invitation.objects.filter(
        answered_at=None, wave__closed_at=None, expires_at__gt=utc_now()
    )
    invitation = open_.order_by("-expires_at", "-pk").first()
    return token_of(invitation) if invitation else None


# ---- a customer, and what belongs to it


def _of_a_customer(user) -> dict[str, object]:
    """A customer with as much to look at as the person has, and the objects on its pages."""
    customers = _seen("customers.Customer", user).present()
    activity = _activity(user, customers)
    customer = activity.customer if activity else customers.first()
    if customer is None:
        return {}
    found: dict[str, object] = {
        "customers": customer.pk,
        "insight/ledger": customer.pk,
        "activity": activity and activity.pk,
        "contact": _first(customer.contacts.order_by("pk")),
        "other": _first(customers.exclude(pk=customer.pk)),
        "factor": _factor(customer.pk),
    }
    return found | _of_its_books(customer.pk)


def _activity(user, customers):
    """A note is its author's to change, so one they wrote if they only see their own customers."""
    written = _seen("engagement.Activity", user).present().exclude(author=None)
    if user is not None and user.role == "csm":
        written = written.filter(author=user)
    return written.filter(customer__in=customers).first()


def _factor(customer_id: int) -> str | None:
    """A factor of the customer's score; None where it has none to be explained."""
    judged = apps.get_model("health.HealthScore").objects.filter(pk=customer_id).first()
    groups = judged.explanation.get("groups", []) if judged else []
    return next((factor["key"] for group in groups for factor in group["factors"]), None)


def _of_its_books(customer_id: int) -> dict[str, object]:
    """A line that can still be corrected, its contract, an invoice."""
    from gengyun.kernel.clock import utc_now
    from gengyun.kernel.days import day_of
    from gengyun.revenue.queries.contracts import contract_states

    invoices = apps.get_model("revenue.Invoice").objects.filter(customer_id=customer_id)
    found: dict[str, object] = {
        "invoice": _first(invoices.order_by("pk")),
        "verb": "correct",
        "line": None,
        "contract": None,
    }
    for contract in contract_states(None, customer_id, today=day_of(utc_now())):
        for state in contract.lines:
            if state.is_open and state.later_minor:
                return found | {"line": state.line.pk, "contract": contract.contract.pk}
    return found
