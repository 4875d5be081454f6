"""The navigation: pages that exist, and that this person may open."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from gengyun.team.queries.access import can
from gengyun.web.jinja import url_or_none


@dataclass(frozen=True)
class Entry:
    label: str
    href: str
    icon: str
    is_current: bool


def entries(request, user):
    found = [("today", _("Today"), "home"), ("customers", _("Customers"), "users-group")]
    found.append(("health", _("Health"), "heart-rate-monitor"))
    found.append(("journeys", _("Journeys"), "route"))
    found.insert(2, ("alerts", _("Alerts"), "bell"))
    found.insert(3, ("tasks", _("Tasks"), "clipboard-check"))
    found.append(("renewals", _("Renewals"), "refresh-dot"))
    found.append(("opportunities", _("Opportunities"), "target-arrow"))
    found.append(("sops", "SOP", "list-check"))
    found.append(("surveys", _("Surveys"), "message-question"))
    found.append(("touches", _("Touches"), "mail"))
    found.append(("insight", _("Insight"), "chart-histogram"))
    if can(user, "settings.read"):
        found.append(("settings", _("Settings"), "settings"))
    return [
        Entry(label, href, icon, _is_current(request.path, href))
        for name, label, icon in found
        if (href := url_or_none(name))
    ]


def _is_current(path, href):
    return path == href if href == "/" else path.startswith(href)
