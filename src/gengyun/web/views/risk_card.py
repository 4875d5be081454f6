"""The risks that people noted, and the form that notes one: for the customer's page."""

from gengyun.alerts.models import RiskCause
from gengyun.engagement.queries.risks import of_customer
from gengyun.team.queries.access import can

NO_RISK = {"growth", "data", "health"}  # families of causes that nobody hears from a customer


def card(request, customer):
    """What the part of the customer's page shows of risks."""
    causes = {one.key: one for one in RiskCause.objects.all()}
    families = [one for one in causes.values() if one.parent_id is None and not one.retired_at]
    return {
        "risks": [(row, causes.get(row.cause)) for row in of_customer(customer.pk)],
        "risk_causes": [
            (family, [c for c in causes.values() if c.parent_id == family.pk and not c.retired_at])
            for family in families
            if family.key not in NO_RISK
        ],
        "may_note": can(request.user, "activity.write") and customer.archived_at is None,
    }
