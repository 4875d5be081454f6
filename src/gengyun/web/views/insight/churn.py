"""How right the churn probability was: the report, its renewals, and one click for a new one."""

from collections.abc import Mapping
from urllib.parse import urlencode

from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from gengyun.churn.actions.backtest import RUNS, ask_backtest
from gengyun.churn.jobs import backtest_on_history
from gengyun.churn.models import Backtest
from gengyun.churn.queries import backtests as queries
from gengyun.churn.queries.models import champion
from gengyun.churn.queries.settings import current, event_of
from gengyun.customers.models import Customer, Tier
from gengyun.kernel.errors import NotFound
from gengyun.kernel.jobs import add
from gengyun.kernel.models import Job
from gengyun.team.queries.access import can
from gengyun.web.access import page
from gengyun.web.present import churn_cases, churn_inputs, churn_names, churn_reasons
from gengyun.web.present import churn_report as present
from gengyun.web.present import churn_report_tables as tables
from gengyun.web.present import renewals as renewal_words
from gengyun.web.render import is_htmx, render, toast
from gengyun.web.views.insight.common import ask_of, page_number, tabs
from gengyun.web.words import pick

REPORT = "insight/churn.html"


@page()
def report(request):
    """The newest report of the event that holds here, and one that is being made."""
    event = event_of(current())
    running = queries.made(event).filter(state=Backtest.State.RUNNING).first()
    newest = queries.made(event).exclude(state=Backtest.State.RUNNING).first()
    if is_htmx(request) and request.GET.get("progress"):
        if running is None:  # done or given up: the whole page anew
            address = reverse("web:insight_churn")
            return HttpResponse(status=204, headers={"HX-Redirect": address})
        return render(request, REPORT, _base(request, event, running), block="progress")
    failed = newest if newest and newest.state == Backtest.State.FAILED else None
    done = queries.newest_done(event) if failed else newest
    return render(
        request, REPORT, _base(request, event, running) | _shown(request, done) | {"failed": failed}
    )


@page()
def report_of(request, pk):
    """An earlier report, as it was found."""
    found = _found(pk)
    base = _base(request, found.event, None)
    return render(request, REPORT, base | _shown(request, found) | {"is_earlier": True})


def _found(pk):
    found = queries.made().filter(pk=pk, state=Backtest.State.DONE).first()
    if found is None:
        raise NotFound
    return found


@page(RUNS, methods=("POST",))
def report_run(request):
    made, is_new = ask_backtest(actor=request.user, now=request.now)
    add(backtest_on_history, made.pk, unique_key=f"churn_backtest:{made.pk}")
    toast(request, _("The back-test has begun.") if is_new else _("One is being made already."))
    address = reverse("web:insight_churn")
    if is_htmx(request):
        return HttpResponse(status=204, headers={"HX-Redirect": address})
    return HttpResponseRedirect(address, status=303)


def _base(request, event, running):
    return {
        "tabs": tabs(request, ask_of(request)),
        "event": event,
        "running": running,
        "job": _job(running),
        "is_abandoned": running is not None and queries.is_abandoned(running, request.now),
        "may_run": can(request.user, RUNS),
        "model": champion(event),
        "earlier": list(queries.made(event).filter(state=Backtest.State.DONE)[:12]),
        "result": None,
        "failed": None,
        "is_earlier": False,
    }


def _job(running):
    if running is None:
        return None
    jobs = Job.objects.filter(unique_key=f"churn_backtest:{running.pk}")
    return jobs.order_by("-created_at").first()


def names_of():
    tiers = {tier.key: pick(tier) for tier in Tier.objects.all()}
    return present.Names(tiers=tiers, features=churn_names.feature_name)


def _shown(request, done):
    """Everything the page draws of a report."""
    if done is None or not done.result:
        return {"backtest": done}
    result, names = done.result, names_of()
    base = {
        "backtest": done,
        "result": result,
        "verdict": present.verdict_words(result),
        "tone": present.tone(result),
        "tone_word": present.tone_word(result),
        "answers": present.answers(result, names),
        "cutoffs": tables.cutoffs(result),
    }
    if result.get("refused"):
        return base

    def link(**where):
        return f"{reverse('web:insight_churn_cases', args=[done.pk])}?{urlencode(where)}"

    keys = ["by_tier", "by_lag", "by_quarter"]
    found = tables.misses(result, reason_words)
    seen = Customer.objects.visible_to(request.user).filter(pk__in={m.account for m in found})
    return base | {
        "plot": present.plot(result["reliability"]),
        "methods": tables.methods(result),
        "parts": [tables.parts(result, key, names, link) for key in keys if result[key]],
        "budget": tables.budget(result),
        "by_amount": tables.by_amount(result),
        "misses": found,
        "customers": dict(seen.values_list("pk", "name")),
        "category_word": renewal_words.category_word,
        "link": link,
    }


def reason_words(why: Mapping) -> str:
    """The fact behind a reason of a stored report."""
    fact = churn_inputs.from_inputs(why["fact"])
    return churn_reasons.sentence(why["reason"], fact, why["points"] > 0, feature=why["feature"])


@page()
def cases(request, pk):
    """The renewals behind a figure: a group of the plot, a tier, a quarter, those told of."""
    done = _found(pk)
    names = names_of()
    chosen = churn_cases.read(request.GET)
    seen = dict(Customer.objects.visible_to(request.user).values_list("pk", "name"))
    number = page_number(request)
    shown = churn_cases.page_of(
        done.rows or {}, chosen, lead=done.result["settings"]["lead"], seen=seen, page=number
    )
    context = {
        "tabs": tabs(request, ask_of(request)),
        "backtest": done,
        "found": shown,
        "title": churn_cases.title(chosen, done.result, names.tier),
        "tier_name": names.tier,
        "at": f"?{urlencode(chosen)}",
    }
    return render(request, "insight/churn_cases.html", context)
