"""The health page: standing by value, movers with causes, missing data."""

from django.http import JsonResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from gengyun.health.models import HealthScore
from gengyun.health.queries.cards import metric_infos
from gengyun.kernel.errors import NotFound
from gengyun.portfolio.queries import health_board as board
from gengyun.portfolio.queries.health_moves import SINCE, moves
from gengyun.portfolio.queries.today import default_scope
from gengyun.web.access import page
from gengyun.web.numbers import is_number
from gengyun.web.present import charts
from gengyun.web.present import health_board as present
from gengyun.web.render import is_htmx, render
from gengyun.web.words import is_zh, pick

TEMPLATE = "health/board.html"
PER_PAGE = 100


def _chosen(request):
    scope = request.GET.get("scope", "")
    if scope not in {"mine", "team"}:
        scope = default_scope(request.user)
    return {
        "scope": scope,
        "by": "arr" if request.GET.get("by") == "arr" else "tier",
        "since": request.GET.get("since") if request.GET.get("since") in SINCE else "week",
        "sort": "arr" if request.GET.get("sort") == "arr" else "points",
    }


@page()
def show(request):
    chosen = _chosen(request)
    block = request.headers.get("HX-Target", "") if is_htmx(request) else None
    block = block if block in {"matrix", "movers"} else None
    context = {
        "chosen": chosen,
        "path": lambda **changes: present.path(reverse("web:health"), chosen, changes),
    }
    if block != "movers":
        found = board.matrix(request.user, scope=chosen["scope"], by=chosen["by"])
        context |= {
            "matrix": found,
            "lines": present.matrix_rows(found, zh=is_zh()),
            "base": present.base_filter(chosen["scope"]),
        }
    if block != "matrix":
        found = moves(request.user, scope=chosen["scope"], since=chosen["since"], by=chosen["sort"])
        context |= {"moves": found, "cause": lambda move: present.cause(move, zh=is_zh())}
    if block is None:
        context["coverage"] = board.coverage(request.user, scope=chosen["scope"])
        context["scopes"] = _scopes(request.user)
    return render(request, TEMPLATE, context, block=block)


def _scopes(user):
    if default_scope(user) == "team":
        return []  # no customers of one's own: nothing to choose
    return [("mine", _("Mine")), ("team", _("All I may see"))]


@page()
def weeks(request):
    """Data of the chart: customers by band and week, marks where rules changed."""
    found = board.weeks(request.user, scope=_chosen(request)["scope"])
    marks = board.published_between(found[0].day, found[-1].day) if found else []
    return JsonResponse(charts.bands(found, marks, today=request.today, zh=is_zh()))


@page()
def missing(request, metric):
    """The customers whose score lacks a metric, the most valuable first; or who have no number."""
    chosen = _chosen(request)
    infos = metric_infos()
    if metric not in infos and metric not in {"number", "override"}:
        raise NotFound
    rows = board.scored(request.user, scope=chosen["scope"])
    if metric == "number":
        rows, title = rows.filter(band="N"), _("Not enough data for a number")
    elif metric == "override":
        rows, title = rows.filter(is_overridden=True), _("Set by hand")
    else:
        rows = rows.filter(board.lacks(metric))
        title = _("Without data: %(name)s") % {"name": pick(infos[metric])}
    ordered = rows.select_related("customer__owner", "customer__tier").order_by(
        "-customer__arr_minor", "pk"
    )
    number = request.GET.get("page", "1")
    number = max(1, int(number)) if is_number(number) else 1
    total = rows.count()
    context = {
        "title": title,
        "metric": metric,
        "rows": list(ordered[(number - 1) * PER_PAGE : number * PER_PAGE]),
        "total": total,
        "number": number,
        "pages": max(1, -(-total // PER_PAGE)),
        "names": lambda row: present.lacking(row.explanation, zh=is_zh()),
        "chosen": chosen,
        "newest": HealthScore.objects.order_by("-as_of").values_list("as_of", flat=True).first(),
    }
    return render(request, "health/missing.html", context)
