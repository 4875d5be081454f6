"""What the import pages call things: kinds, fields, states. Pure."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from gengyun.web.present import import_revenue

KINDS: dict[str, tuple[Any, Any]] = {
    "customers": (
        _("Customers"),
        _("One row per company. The id that your product sends with events, and a name."),
    ),
    "contacts": (_("Contacts"), _("One row per person, with the customer's name or id.")),
    "activities": (
        _("Activities"),
        _("Calls, meetings, notes of the past, each with customer and time."),
    ),
    "periods": (
        _("Subscription periods"),
        _(
            "One row per period, with customer, first day and the day it ends: they say since when "
            "each is a customer without a break."
        ),
    ),
    **import_revenue.KINDS,
}

FIELDS: dict[str, Any] = {
    "external_id": _("Customer id"),
    "name": _("Name"),
    "uscc": _("Unified social credit code"),
    "industry": _("Industry"),
    "region": _("Region"),
    "parent": _("Parent customer"),
    "owner": _("Owner (CSM)"),
    "tier": _("Tier"),
    "stage": _("Stage"),
    "arr": "ARR",
    "currency": _("Currency"),
    "seats": _("Seats bought"),
    "edition": _("Edition"),
    "started_on": _("Start date"),
    "renews_on": _("Renewal date"),
    "starts_on": _("First day"),
    "ends_on": _("Ends on (no longer covered)"),
    "tags": _("Tags"),
    "next_step": _("Next step"),
    "next_step_on": _("Date of the next step"),
    "customer": _("Customer (id or name)"),
    "title": _("Job title"),
    "part": _("Role in decisions"),
    "email": _("Email"),
    "phone": _("Phone"),
    "wecom_id": _("WeCom id"),
    "product_user_id": _("User id in the product"),
    "note": _("Note"),
    "left_on": _("Left on"),
    "kind": _("Kind"),
    "body": _("What happened"),
    "happened_at": _("When"),
    "outcome": _("Outcome"),
    "author": _("Written by"),
    "contact": _("Contact"),
    "contacts": _("Contacts"),
    "subject": _("Subject"),
    **import_revenue.FIELDS,
}

STATES: dict[str, tuple[str, Any]] = {
    "uploaded": ("c", _("Columns not confirmed yet")),
    "checked": ("c", _("Dry run done, not imported")),
    "running": ("br", _("Importing")),
    "done": ("a", _("Imported")),
    "failed": ("d", _("Stopped")),
}

OUTCOMES: dict[str, tuple[str, Any]] = {
    "created": ("a", pgettext_lazy("import row", "new")),
    "changed": ("b", pgettext_lazy("import row", "changes")),
    "same": ("", pgettext_lazy("import row", "unchanged")),
    "error": ("d", pgettext_lazy("import row", "refused")),
}


def field_label(field: str, kind: str = "") -> Any:
    """Fields of the file and of the customer: `owner_id` and `arr_minor` are owner and ARR."""
    if field in (own := import_revenue.OF_KIND.get(kind, {})):
        return own[field]
    return FIELDS.get(field) or FIELDS.get(
        field.removesuffix("_id"), FIELDS.get(field.removesuffix("_minor"), field)
    )


def header_for(names: tuple[str, ...], *, zh: bool) -> str:
    """The header of the sample file in the reader's language, one that is recognised again."""
    for name in names:
        if name.isascii() != zh:
            return name
    return names[0]
