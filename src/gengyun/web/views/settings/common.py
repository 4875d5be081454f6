"""What the settings pages share: the list of sections, fragments, refusals beside their field."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from gengyun.kernel.errors import Refusal
from gengyun.team.models import User
from gengyun.team.queries.access import can
from gengyun.web.jinja import url_or_none
from gengyun.web.refusals import refusal_text
from gengyun.web.render import is_htmx, render, toast


@dataclass(frozen=True)
class Section:
    key: str
    url: str
    capability: str | None
    icon: str
    name: Any
    about: Any


SECTIONS = (
    Section(
        "imports", "imports", "customer.import", "database-import", _("Import"),
        _("Bring customers, contacts and activities in from CSV, Excel or JSONL."),
    ),
    Section(
        "exports", "exports", None, "download", _("Exports"),
        _("The files you took out of the lists, and those still being written."),
    ),
    Section(
        "sources", "settings_sources", "settings.read", "plug", _("Sources and keys"),
        _("Where usage events come from, the keys that let them in, and what arrived."),
    ),
    Section(
        "metrics", "settings_metrics", "settings.read", "chart-line", _("Metrics"),
        _("What is counted for each customer, over which days."),
    ),
    Section(
        "scorecards", "settings_scorecards", "settings.read", "heart-rate-monitor",
        _("Scorecards"), _("How metrics become a health score, for each tier."),
    ),
    Section(
        "tiers", "settings_tiers", "settings.read", "stairs", _("Tiers"),
        _("Which customers get how much of our time."),
    ),
    Section(
        "stages", "settings_stages", "settings.read", "route", _("Journey"),
        _("The stages a customer goes through, and how long each should take."),
    ),
    Section(
        "fields", "settings_fields", "settings.read", "list-details", _("Fields"),
        _("What your company wants to know of a customer beyond what is built in."),
    ),
    Section(
        "alerts", "settings_alerts", "settings.read", "bell", _("Alert rules"),
        _("What opens an alert, how urgent it is, and how often it was right."),
    ),
    Section(
        "channels", "settings_channels", "settings.read", "mail", _("Channels"),
        _("Feishu, DingTalk, WeCom, mail: who is told of alerts outside the product, and when."),
    ),
    Section(
        "touches", "settings_touches", "settings.read", "message-chatbot",
        _("Touches"),
        _("How many messages one person may get, and at which hours."),
    ),
    Section(
        "products", "settings_products", "settings.read", "briefcase", _("Products"),
        _("What contracts sell, in which editions, and what renews what."),
    ),
    Section(
        "opportunity_stages", "settings_opportunity_stages", "settings.read", "target-arrow",
        _("Opportunity stages"), _("The columns of the board and how likely each is to be won."),
    ),
    Section(
        "rates", "settings_rates", "settings.read", "repeat", _("Exchange rates"),
        _("Dated rates, by which amounts of other currencies are converted."),
    ),
    Section(
        "revenue", "settings_revenue", "settings.read", "chart-histogram", _("Revenue"),
        _("How metrics of revenue count, grace after a term, capacity, gross margin, spend."),
    ),
    Section(
        "churn", "settings_churn", "settings.read", "gauge", _("Churn probability"),
        _("Its event, and the weights, base rates and thresholds people put in, with sources."),
    ),
    Section(
        "team", "settings_team", "team.edit", "users", _("Users and teams"),
        _("Who may come in, in which role, and who leads whom."),
    ),
    Section(
        "audit", "settings_audit", "audit.read", "history", _("Audit log"),
        _("Every change: who, when, from what to what."),
    ),
    Section(
        "definitions", "definitions", None, "ruler-measure", _("Definitions"),
        _("What every number on the screen means and how it is computed."),
    ),
    Section(
        "profile", "profile", None, "user", _("My settings"),
        _("Language, colours, row height, password."),
    ),
)  # fmt: skip


def sections_for(user: User) -> list[Section]:
    open_to = [s for s in SECTIONS if s.capability is None or can(user, s.capability)]
    return [s for s in open_to if url_or_none(s.url)]


def show(
    request: HttpRequest,
    template: str,
    section: str,
    context: Mapping[str, Any] | None = None,
    *,
    block: str | None = None,
    status: int = 200,
) -> HttpResponse:
    """A settings page, or one block of it where htmx asked for a fragment."""
    full = {
        "sections": sections_for(request.user),
        "section": section,
        "may_edit": can(request.user, "settings.edit"),
        "errors": {},
        **(context or {}),
    }
    return render(request, template, full, block=block, status=status)


def go(request: HttpRequest, name: str, *args: Any, said: str = "", undo: str = "") -> HttpResponse:
    """To another page after a change; htmx is told to load it as a whole page."""
    if said:
        toast(request, said, undo=undo)
    address = reverse(f"web:{name}", args=args)
    if is_htmx(request):
        return HttpResponse(status=204, headers={"HX-Redirect": address})
    return HttpResponseRedirect(address, status=303)


def field_of(refusal: Refusal, fields: Mapping[str, str]) -> dict[str, str]:
    """{field: sentence} for a refusal; `fields` says which code belongs to which field."""
    return {fields.get(refusal.code, ""): refusal_text(refusal)}


def translated(errors: Mapping[str, str]) -> dict[str, str]:
    """Error msgids of pure code in the reader's language."""
    return {name: gettext(text) for name, text in errors.items()}
