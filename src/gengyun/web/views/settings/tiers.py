"""Tiers and the table of rules that fills them; a preview counts who would move."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from gengyun.customers.actions import tiers as tier_actions
from gengyun.customers.models import Tier, TierRule, TouchModel
from gengyun.customers.queries.tiers import tiers_with_counts
from gengyun.kernel.clock import utc_now
from gengyun.kernel.errors import NotFound, Refusal
from gengyun.team.queries.access import require
from gengyun.web.access import page
from gengyun.web.present import tier_form
from gengyun.web.render import is_htmx
from gengyun.web.views.settings.common import go, refusal_text, show, translated
from gengyun.web.words import is_zh, pick

TEMPLATE = "settings/tiers.html"
PROBLEMS = {
    "rule_after_default": gettext_noop(
        "Rule %(rule)s has no condition, so the rules below it never apply."
    ),
    "default_missing": gettext_noop(
        "The last rule must have no condition: it takes the customers left over."
    ),
    "tier_unknown": gettext_noop("Rule %(rule)s names a tier that no longer exists."),
}


def _context(draft, errors, *, changed):
    """The editor and, when the rules can be read, what saving them would move."""
    zh = is_zh()
    preview, general = None, ""
    rules, found = tier_form.rules_from_draft(draft, zh=zh)
    errors = {**translated(found), **errors} if changed else errors
    if not found:
        try:
            preview = tier_actions.preview_rules(rules)
        except tier_actions.RulesInvalid as refusal:
            text = PROBLEMS.get(refusal.params["problem"])
            general = _(text) % refusal.params if text else refusal_text(refusal)
    tiers = tiers_with_counts()
    return {
        "draft": draft,
        "errors": errors | ({"": general} if general and changed else {}),
        "preview": preview,
        "changed": changed,
        "tiers": tiers,
        "tier_choices": [(tier.pk, pick(tier)) for tier in tiers],
        "zh": zh,
    }


@page("settings.read", methods=("GET", "POST"))
def tiers(request):
    if request.method == "GET":
        draft = tier_form.draft_from_rules(TierRule.objects.all(), zh=is_zh())
        return show(request, TEMPLATE, "tiers", _context(draft, {}, changed=False))
    require(request.user, "settings.edit")
    draft = tier_form.draft_from_post(request.POST)
    step = request.POST.get("step", "preview")
    if step == "save":
        return _save(request, draft)
    first = Tier.objects.order_by("position").values_list("pk", flat=True).first()
    draft = tier_form.apply_step(draft, step, str(first or ""))
    context = _context(draft, {}, changed=True)
    return show(request, TEMPLATE, "tiers", context, block="editor" if is_htmx(request) else None)


def _save(request, draft):
    rules, errors = tier_form.rules_from_draft(draft, zh=is_zh())
    general = {}
    if not errors:
        try:
            moved = tier_actions.save_rules(actor=request.user, now=utc_now(), rules=rules)
        except Refusal as refusal:
            general = {"": refusal_text(refusal)}
        else:
            said = ngettext(
                "Rules saved; %(count)s customer moved.",
                "Rules saved; %(count)s customers moved.",
                moved,
            )
            return go(request, "settings_tiers", said=said % {"count": moved})
    context = _context(draft, {}, changed=True)
    context["errors"] = general | context["errors"]
    block = "editor" if is_htmx(request) else None
    return show(request, TEMPLATE, "tiers", context, block=block, status=422)


def _form(request, tier, values, errors, status=200):
    context = {
        "tier": tier,
        "values": values,
        "errors": errors,
        "touch_models": TouchModel.choices,
    }
    return show(request, "settings/tier_form.html", "tiers", context, status=status)


@page("settings.edit", methods=("GET", "POST"))
def tier_new(request):
    if request.method == "GET":
        return _form(request, None, {"touch_model": TouchModel.TECH}, {})
    values = {k: request.POST.get(k, "") for k in ("name_zh", "name_en", "touch_model")}
    key = values["name_en"].strip().lower().replace(" ", "-")[:40]
    try:
        tier_actions.create_tier(actor=request.user, now=utc_now(), key=key, **values)
    except Refusal as refusal:
        return _form(request, None, values, {"": refusal_text(refusal)}, 422)
    said = _("Tier created. Now add a rule that puts customers into it.")
    return go(request, "settings_tiers", said=said)


@page("settings.edit", methods=("GET", "POST"))
def tier_edit(request, pk):
    tier = Tier.objects.filter(pk=pk).first()
    if tier is None:
        raise NotFound
    fields = ("name_zh", "name_en", "touch_model")
    if request.method == "GET":
        return _form(request, tier, {k: getattr(tier, k) for k in fields}, {})
    values = {k: request.POST.get(k, "") for k in fields}
    try:
        if request.POST.get("step") == "delete":
            tier_actions.delete_tier(actor=request.user, now=utc_now(), tier=tier)
        else:
            tier_actions.edit_tier(actor=request.user, now=utc_now(), tier=tier, **values)
    except Refusal as refusal:
        return _form(request, tier, values, {"": refusal_text(refusal)}, 422)
    return go(request, "settings_tiers", said=_("Saved."))
