"""Ctrl+K: customers, contacts and pages by a few characters."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from gengyun.customers.queries.contacts import contacts_named
from gengyun.portfolio.models import CustomerSummary
from gengyun.portfolio.queries.customer_list import search
from gengyun.team.queries.access import can
from gengyun.web import nav
from gengyun.web.access import page
from gengyun.web.jinja import url_or_none
from gengyun.web.render import is_htmx, render

SHOWN = 8


@dataclass(frozen=True)
class Hit:
    group: str
    label: str
    href: str
    icon: str
    note: str = ""
    summary: CustomerSummary | None = None


@page()
def go(request):
    text = request.GET.get("q", "").strip()[:80]
    to_log = request.GET.get("for") == "log" and can(request.user, "activity.write")
    hits = _customers(request.user, text, to_log=to_log)
    if text:
        hits += _contacts(request.user, text)
    if not to_log:
        hits += _pages(request, text)
    context = {"text": text, "hits": hits, "to_log": to_log}
    return render(request, "palette.html", context, block="results" if is_htmx(request) else None)


def _customers(user, text, *, to_log):
    rows = CustomerSummary.objects.visible_to(user).select_related("owner")
    if text:
        rows = search(user, text, limit=SHOWN) or list(rows.filter(customer__external_id=text))
        group = _("Log for") if to_log else _("Customers")
    else:
        rows = rows.filter(need_rank__gt=0).order_by("-need_rank", "pk")[:SHOWN]
        group = _("Log for") if to_log else _("They need you")
    anchor = "?log=1#s-timeline" if to_log else ""
    return [
        Hit(
            group,
            row.name,
            (url_or_none("customer", row.pk) or "") + anchor,
            "notes" if to_log else "users-group",
            note=row.owner.name if row.owner else "",
            summary=row,
        )
        for row in rows
    ]


def _contacts(user, text):
    rows = contacts_named(user, text, limit=5)
    return [
        Hit(
            _("Contacts"),
            row.name,
            (url_or_none("customer", row.customer_id) or "") + "#s-contacts",
            "user",
            note=row.customer.name,
        )
        for row in rows
    ]


def _pages(request, text):
    known = [(entry.label, entry.href, entry.icon) for entry in nav.entries(request, request.user)]
    wanted = [
        ("customer_new", _("New customer"), "plus", "customer.create"),
        ("imports", _("Import customers"), "database-import", "customer.import"),
        ("sources", _("Sources and keys"), "plug", "settings.read"),
        ("metrics", _("Metrics"), "chart-line", "settings.read"),
        ("scorecards", _("Scorecards"), "heart-rate-monitor", "settings.read"),
        ("definitions", _("Definitions"), "help-circle", None),
        ("profile", _("My settings"), "user", None),
    ]
    for name, label, icon, capability in wanted:
        href = url_or_none(name)
        if href and (capability is None or can(request.user, capability)):
            known.append((label, href, icon))
    lowered = text.lower()
    return [
        Hit(_("Pages"), label, href, icon)
        for label, href, icon in known
        if not lowered or lowered in label.lower()
    ]
