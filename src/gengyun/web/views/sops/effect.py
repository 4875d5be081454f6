"""What an SOP does: the page, the small pane beside the editor, and the customers behind it."""

from django.core.paginator import Paginator
from django.db.models import Min
from django.utils.translation import gettext as _

from gengyun.kernel.errors import NotFound
from gengyun.sop.calc.measured import from_json
from gengyun.sop.models import Effect, RunOutcome, SopVersion
from gengyun.sop.queries.effect import newest, past, same_before
from gengyun.sop.queries.forms import form_of
from gengyun.team.queries.access import can, customer_scope
from gengyun.usage.queries.metrics import metric_names
from gengyun.web.access import page
from gengyun.web.numbers import is_number
from gengyun.web.present import sop_effect as shapes
from gengyun.web.render import is_htmx
from gengyun.web.views.insight.common import ECONOMICS
from gengyun.web.views.sops.common import found_sop, show
from gengyun.web.words import language

PAGE = 50
ARMS = {"treat": True, "holdout": False}


@page()
def effect(request, pk):
    """Asked for by the editor: only the card."""
    sop = found_sop(pk)
    version = _version(request, sop)
    found = newest(version) if version else None
    context = {"panel": None, "version": version, "why": _why(version), "numbers": _numbers(sop)}
    is_pane = is_htmx(request)
    if found is not None:
        context["panel"] = _panel(request, found, is_pane=is_pane)
    return show(request, "sops/effect.html", sop, "effect", context,
                block="pane" if is_pane else None)  # fmt: skip


def _panel(request, found, *, is_pane=False):
    form = form_of(found.version)
    since = RunOutcome.objects.filter(version__in=same_before(found.version, form)).aggregate(
        first=Min("entered_on")
    )["first"]
    return shapes.panel(
        found,
        from_json(found.told),
        form,
        today=request.today,
        since=since,
        metric=_metric(form),
        past=() if is_pane else list(past(found.version)),
        with_money=can(request.user, ECONOMICS),
    )


def _metric(form):
    if form.outcome is None or form.outcome.kind != "metric":
        return ""
    return metric_names(language()).get(form.outcome.key, form.outcome.key)


def _numbers(sop):
    """Versions of which something was said, newest first."""
    measured = Effect.objects.filter(version__sop=sop).order_by().values("version__number")
    return sorted({row["version__number"] for row in measured}, reverse=True)


def _version(request, sop):
    """The one asked for; else the newest that something was said of, or that was published."""
    ran = SopVersion.objects.filter(sop=sop, published_at__isnull=False).select_related("sop")
    asked = request.GET.get("version", "")
    if asked:
        if not is_number(asked) or len(asked) > 6:
            raise NotFound
        found = ran.filter(number=int(asked)).first()
        if found is None:
            raise NotFound
        return found
    numbers = _numbers(sop)
    if numbers:
        return ran.filter(number=numbers[0]).first()
    return ran.order_by("-number").first()


def _why(version):
    if version is None:
        return _("It was never published.")
    if form_of(version).outcome is None:
        return _(
            "This version declares no outcome. Say in the editor what it is to move, before it "
            "starts; an outcome that is chosen afterwards proves nothing."
        )
    return _("The first night after the start measures it.")


@page()
def outcomes(request, pk):
    """The customers behind the figures, those that one may see."""
    sop = found_sop(pk)
    version = _version(request, sop)
    if version is None:
        raise NotFound
    form = form_of(version)
    arm = request.GET.get("arm", "")
    rows = RunOutcome.objects.filter(
        customer_scope(request.user, owner="run__customer__owner"),
        version__in=same_before(version, form),
    )
    if arm in ARMS:
        rows = rows.filter(is_treated=ARMS[arm])
    rows = rows.select_related("run__customer", "version").order_by("-mature_on", "-run")
    number = request.GET.get("page", "1")
    found = Paginator(rows, PAGE).get_page(
        int(number) if is_number(number) and len(number) < 7 else 1
    )
    context = {
        "found": found,
        "rows": [_row(row, form, request.today) for row in found.object_list],
        "arm": arm if arm in ARMS else "",
        "version": version,
        "path": f"?version={version.number}" + (f"&arm={arm}" if arm in ARMS else ""),
        "outcome": shapes.outcome_sentence(form, _metric(form)),
        "filters": [("", _("All")), ("treat", _("Carried out")), ("holdout", _("Hold-out"))],
    }
    return show(request, "sops/effect_outcomes.html", sop, "effect", context)


def _row(row, form, today):
    return {
        "row": row,
        "customer": row.run.customer,
        "outcome": shapes.outcome_of(row, form, today=today),
        "arm": _("Carried out") if row.is_treated else _("Hold-out"),
    }
