"""The stages of opportunities: names, order, and how likely each is to be won."""

from decimal import Decimal, InvalidOperation

from django.db.models import Count
from django.utils.translation import gettext as _

from gengyun.kernel.errors import NotFound, Refusal
from gengyun.revenue.actions import opportunity_stages as actions
from gengyun.revenue.models import Opportunity, OpportunityStage
from gengyun.web.access import page
from gengyun.web.forms import Form
from gengyun.web.refusals import refusal_text
from gengyun.web.views.settings.common import go, show

TEMPLATE = "settings/opportunity_stages.html"
SECTION = "opportunity_stages"


@page("settings.read")
def stages(request):
    return _list(request)


def _list(request, *, form=None, at=None, status=200):
    """`form`: what was typed and refused, of the stage `at` or of a new one."""
    actions.install_defaults(now=request.now)
    held = Opportunity.objects.order_by().values_list("stage").annotate(Count("pk"))
    context = {
        "stages": [
            (row, form if form and at == row.pk else Form(_texts(row)))
            for row in OpportunityStage.objects.order_by("position", "pk")
        ],
        "used": dict(held),
        "new": form if form and at is None else Form({}),
    }
    return show(request, TEMPLATE, SECTION, context, status=status)


def _texts(row):
    return {
        "name_zh": row.name_zh,
        "name_en": row.name_en,
        "probability": f"{row.probability_bp / 100:g}",
    }


@page("settings.edit", methods=("POST",))
def stage_new(request):
    form = Form.of(request.POST)
    values = _read(form)
    return _tried(
        request,
        form,
        None,
        lambda: actions.create_stage(actor=request.user, now=request.now, **values),
    )


@page("settings.edit", methods=("POST",))
def stage(request, pk, verb):
    row = OpportunityStage.objects.filter(pk=pk).first()
    if row is None or verb not in {"edit", "up", "delete"}:
        raise NotFound
    form = Form.of(request.POST) if verb == "edit" else Form(_texts(row))
    common = {"actor": request.user, "now": request.now, "stage": row}
    values = _read(form) if verb == "edit" else {}
    do = {"edit": actions.edit_stage, "up": actions.raise_stage, "delete": actions.delete_stage}
    return _tried(request, form, row.pk, lambda: do[verb](**common, **values))


def _read(form):
    text = form.get("probability").removesuffix("%").strip()
    try:
        share = Decimal(text)
        basis = int(share * 100) if share.is_finite() and abs(share) <= 1_000 else -1
    except InvalidOperation:
        basis = -1
    return {
        "name_zh": form.get("name_zh"),
        "name_en": form.get("name_en"),
        "probability_bp": basis,
    }


def _tried(request, form, at, write):
    try:
        write()
    except Refusal as refusal:
        if refusal.status in {403, 404}:
            raise
        form.errors[""] = refusal_text(refusal)
        return _list(request, form=form, at=at, status=422)
    return go(request, "settings_opportunity_stages", said=_("Saved."))
