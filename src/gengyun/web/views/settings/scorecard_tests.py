"""A configuration tried on history: its progress, its result, and publishing what was tried."""

from django.utils.translation import gettext as _

from gengyun.customers.models import Customer
from gengyun.health.actions.trials import WEEKS
from gengyun.health.calc import silence
from gengyun.health.models import HistoryTest
from gengyun.kernel.errors import NotFound, Refusal
from gengyun.kernel.models import Job
from gengyun.team.queries.access import require
from gengyun.web.access import page
from gengyun.web.clock import today
from gengyun.web.present import trial as present
from gengyun.web.present.scorecard_diff import diff
from gengyun.web.render import is_htmx
from gengyun.web.views.settings.common import field_of, go, show
from gengyun.web.views.settings.scorecard_editor import day_asked, publish, published_words
from gengyun.web.views.settings.scorecards import found_card, newest_of
from gengyun.web.words import is_zh, pick

TEMPLATE = "settings/scorecard_test.html"
LISTED = 12


def _found(pk, test_pk):
    test = HistoryTest.objects.filter(pk=test_pk, scorecard_id=pk).select_related("asked_by")
    test = test.first()
    if test is None:
        raise NotFound
    return test


@page("settings.read", methods=("GET", "POST"))
def scorecard_test(request, pk, test_pk):
    scorecard, test = found_card(pk), _found(pk, test_pk)
    if request.method == "POST":
        return _publish(request, scorecard, test)
    block = "progress" if is_htmx(request) and test.state == HistoryTest.State.WAITING else None
    if is_htmx(request) and block is None:
        return go(request, "settings_scorecard_test", pk, test_pk)
    return show(request, TEMPLATE, "scorecards", _context(request, scorecard, test), block=block)


def _publish(request, scorecard, test):
    require(request.user, "settings.edit")
    day, errors = day_asked(request), {}
    if day is None:
        errors = {"effective_from": _("Choose a day.")}
    else:
        try:
            version = publish(request, scorecard, test.config, day)
        except Refusal as refusal:
            errors = field_of(refusal, {"effective_day_past": "effective_from"})
        else:
            return go(request, "settings_scorecards", said=published_words(version))
    context = _context(request, scorecard, test) | {"errors": errors}
    return show(request, TEMPLATE, "scorecards", context, status=422)


def _context(request, scorecard, test):
    newest = newest_of(scorecard)
    result = test.result or {}
    ids = present.customer_ids(result)
    names = dict(
        Customer.objects.visible_to(request.user).filter(pk__in=ids).values_list("pk", "name")
    )
    whole = request.GET.get("all") == "1"
    return {
        "scorecard": scorecard,
        "test": test,
        "job": Job.objects.filter(unique_key=f"health_test:{test.pk}")
        .order_by("-created_at")
        .first(),
        "result": result,
        "story": present.story(result, zh=is_zh()) if result else None,
        "names": names,
        "top": present.scale(result),
        "listed": None if whole else LISTED,
        "whole": whole,
        "ranks": lambda value: present.ranks(value, zh=is_zh()),
        "newest": newest,
        "changes": diff(newest.config if newest else None, test.config),
        "metric_names": {f["key"]: pick(f) for f in result.get("factors", [])},
        "silent_days": silence.SILENT_DAYS,
        "ahead_days": silence.AHEAD_DAYS,
        "weeks": WEEKS,
        "note": request.POST.get("note", ""),
        "effective_from": request.POST.get("effective_from") or today().isoformat(),
    }
