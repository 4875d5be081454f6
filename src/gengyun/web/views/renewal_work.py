"""One renewal in the side panel, and what can be done with it."""

import re
from decimal import Decimal

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from gengyun.alerts.models import RiskCause
from gengyun.churn.models import ChurnForecast
from gengyun.kernel.currencies import minor_of_one
from gengyun.kernel.errors import NotFound, Refusal
from gengyun.portfolio.models import CustomerSummary
from gengyun.revenue.actions import asking, checkpoints, renewal_outcomes, renewals
from gengyun.revenue.calc.checkpoints import QUESTIONS, views_at
from gengyun.revenue.models import Checkpoint, CheckpointState, RenewalLine, SelfCheck
from gengyun.revenue.queries import renewals as queries
from gengyun.revenue.queries.chances import calls
from gengyun.team.queries.access import can
from gengyun.web import undo
from gengyun.web.access import page
from gengyun.web.forms import Form
from gengyun.web.numbers import is_number
from gengyun.web.present import churn as present_churn
from gengyun.web.present import format as plain
from gengyun.web.present import renewals as present
from gengyun.web.render import back, is_htmx, render, toast
from gengyun.web.views.alert_work import cause_groups
from gengyun.web.views.renewals import TEMPLATE, address_of, board, rows_of
from gengyun.web.words import is_zh, pick

MOST_AT_ONCE = 200  # rows: a page holds fifty
BARE = re.compile(r"^[0-9][0-9,，]*(\.[0-9]+)?$")
UNITS = {"wan": 10_000, "k": 1_000}  # what a bare number in the column counts


SHARE = re.compile(r"^[+\-−]?[0-9]{1,3}(\.[0-9]{1,3})?%?$")


class ShareUnreadable(Refusal):
    code = "renewal_share_unreadable"
    message = "This is no share; write 6 or 6.5 for six or six and a half per cent more."


class PressUnclear(Refusal):
    code = "renewal_press_unclear"
    message = "A price in per cent was typed: press “Ask more of them”, or empty it to save."


class AmountUnreadable(Refusal):
    code = "renewal_amount_unreadable"
    message = "This is no amount; write 48.6 or 486000元."


@page()
def panel(request, pk):
    """One renewal beside the grid; without script, a page of its own."""
    return render_panel(request, queries.get(request.user, pk))


def render_panel(request, renewal, *, status=200):
    checks = {check.question: check for check in SelfCheck.objects.filter(renewal=renewal)}
    cause = RiskCause.objects.filter(key=renewal.cause).first() if renewal.cause else None
    lines = RenewalLine.objects.filter(renewal=renewal).select_related(
        "line__product", "line__edition", "line__contract"
    )
    said = queries.history(renewal)
    context = {
        "r": renewal,
        "customer": renewal.customer,
        "summary": CustomerSummary.objects.filter(pk=renewal.customer_id).first(),
        "mark": present.MARKS[renewal.category],
        **_churn_of(request.user, renewal),
        "questions": [(n, present.question(n), checks.get(n)) for n in QUESTIONS],
        "points": list(
            Checkpoint.objects.filter(renewal=renewal)
            .select_related("view_by", "decided_by")
            .order_by("-days")
        ),
        "views_at": views_at,
        "lines": list(lines),
        "history": said,
        "cause": pick(cause) if cause else renewal.cause,
        "causes": cause_groups(),
        "choices": [choice for choice in present.categories() if choice[0] != "lost"],
        "category_word": present.category_word,
        "signal_word": present.signal_word,
        "answer_word": present.answer_word,
        "facts": present.facts,
        "change_word": present.change_word,
        "change_value": present.change_value,
        "product_name": present.product_name(renewal),
        "live": renewal.state == "open",
        "STATE": CheckpointState,
        "may_work": can(request.user, "renewal.work"),
        "may_decide": can(request.user, "renewal.decide"),
        "may_contract": can(request.user, "contract.edit"),
        "amount": present.Row(renewal).plain_amount,
        "asked": present.Row(renewal).plain_asked,
        "asked_share": present.more_word(renewal.rise),
        "asked_change": next((one for one in said if one.field == "asked_minor"), None),
        "unit": "wan" if is_zh() else "k",
    }
    block = "panel" if is_htmx(request) else None
    return render(request, "renewals/panel.html", context, block=block, status=status)


def _churn_of(user, renewal):
    """The probability beside the human call, with its two strongest reasons."""
    found = ChurnForecast.objects.visible_to(user).filter(renewal=renewal)
    said = found.select_related("model").defer("model__content", "model__race").first()
    row = present.Row(renewal, known=calls())
    why = present_churn.why(said) if said else None
    return {
        "odds": said,
        "odds_why": why.drivers[:2] if why else [],
        "odds_apart": row.apart if row.is_apart else "",
    }


def amount_of(text, unit, currency):
    """Minor units: a bare number is in the unit of the column, another one says its own."""
    text = text.strip()
    if not text:
        return None
    if BARE.match(text) and unit in UNITS and len(text) <= 15:
        return round(Decimal(re.sub("[,，]", "", text)) * UNITS[unit] * minor_of_one(currency))
    form = Form.of({"amount": text})
    form.amount("amount", into="minor", currency=currency)
    if form.errors:
        raise AmountUnreadable
    return form.values["minor"]


@page("renewal.work", methods=("POST",))
def forecast(request, pk):
    """Category, amount and reason. From the grid: the grid anew; from the panel: the panel."""
    given = request.POST
    values = {}
    if given.get("category"):
        values["category"] = given["category"]
    if "amount" in given:
        currency = queries.get(request.user, pk).currency
        amount = amount_of(given["amount"], given.get("unit", ""), currency)
        if amount is not None or given.get("category") in {None, "unjudged"}:
            values["forecast_minor"] = amount
    if values.get("category") == "unjudged":
        values["forecast_minor"] = None
    if "asked" in given:
        currency = queries.get(request.user, pk).currency
        values["asked_minor"] = amount_of(given["asked"], given.get("unit", ""), currency)
    told = renewals.set_forecast(
        actor=request.user, now=request.now, renewal_id=pk, why=given.get("why", ""), **values
    )
    renewal = queries.get(request.user, pk)
    if told:
        toast(
            request,
            _said(renewal, told),
            undo=undo.remember(request, "renewal", {"pk": pk, "told": told}),
        )
    return _answer(request, renewal)


def _said(renewal, told):
    """What was changed, in a line."""
    parts = [present.category_word(renewal.category)]
    if renewal.forecast_minor is not None:
        parts.append(plain.money(renewal.forecast_minor, renewal.currency, zh=is_zh()))
    if "asked_minor" in told:
        asked = present.asked_word(renewal.asked_minor, renewal.due_minor, renewal.currency)
        parts = ([] if len(told) == 1 else parts) + [asked or _("no price asked")]
    return _("%(name)s: %(what)s") % {
        "name": renewal.customer.name,
        "what": ("，" if is_zh() else ", ").join(parts),
    }


@page("renewal.work", methods=("POST",))
def bulk(request):
    """One category, or one rise of the price, with its reason: for all of the rows or for none."""
    if request.POST.get("verb") == "ask":
        _ask_more(request)
    elif request.POST.get("more", "").strip():
        raise PressUnclear(field="more")  # Enter in the field presses the first button, "Save"
    else:
        _judge(request)
    if not is_htmx(request):
        return back(request, reverse("web:renewals"))
    address = address_of(request, request.POST)
    return render(request, TEMPLATE, board(request, address), block="board")


def _ask_more(request):
    """More of those ticked, or of all open ones that the view holds, on every page of it."""
    given = request.POST
    text = given.get("more", "").strip()
    if not SHARE.match(text):
        raise ShareUnreadable
    if given.get("whole") == "1":
        view = address_of(request, given)
        rows = rows_of(request.user, view, today=request.today).filter(state="open")
        ids = list(rows.order_by().values_list("pk", flat=True)[: asking.MOST_ASKED + 1])
    else:
        ids = [int(pk) for pk in given.getlist("ids") if is_number(pk)][:MOST_AT_ONCE]
    share = Decimal(text.rstrip("%").replace("−", "-"))
    told = asking.ask_more(
        actor=request.user,
        now=request.now,
        renewal_ids=ids,
        more=share / 100,
        why=given.get("why", "").strip()[:500],
    )
    said = ngettext(
        "%(num)s renewal: %(share)s asked", "%(num)s renewals: %(share)s asked", len(told)
    )
    path = undo.remember(request, "renewals_asked", list(told.items())) if told else ""
    toast(request, said % {"num": len(told), "share": f"{share:+}%"}, undo=path)


def _judge(request):
    given = request.POST
    ids = [int(pk) for pk in given.getlist("ids") if is_number(pk)][:MOST_AT_ONCE]
    told = {}
    if ids:
        told = renewals.set_many(
            actor=request.user,
            now=request.now,
            renewal_ids=ids,
            category=given.get("category", ""),
            why=given.get("why", "").strip()[:500],
        )
    said = ngettext("%(num)s renewal: %(category)s", "%(num)s renewals: %(category)s", len(told))
    word = present.category_word(given.get("category", ""))
    path = undo.remember(request, "renewals", list(told.items())) if told else ""
    toast(request, said % {"num": len(told), "category": word}, undo=path)


def _answer(request, renewal):
    if not is_htmx(request):
        return back(request, reverse("web:renewals"))
    if request.headers.get("HX-Target") == "board":
        address = address_of(request, request.POST)
        return render(request, TEMPLATE, board(request, address), block="board")
    response = render_panel(request, renewal)
    response["HX-Trigger"] = "renewals-changed"
    return response


@page("renewal.work", methods=("POST",))
def act(request, pk, verb):
    """A question answered, a view given, a disagreement decided, a loss recorded or taken back."""
    do = _VERBS.get(verb)
    if do is None:
        raise NotFound
    renewal = queries.get(request.user, pk)
    text = do(request, renewal, request.POST)
    toast(request, _("%(name)s: %(what)s") % {"name": renewal.customer.name, "what": text})
    return _answer(request, queries.get(request.user, pk))


def _check(request, renewal, form):
    number = form.get("question", "")
    checkpoints.answer_question(
        actor=request.user,
        now=request.now,
        renewal_id=renewal.pk,
        question=int(number) if is_number(number) else 0,
        answer=form.get("answer", ""),
        note=form.get("note", ""),
    )
    return _("answered")


def _point(renewal, form):
    number = form.get("point", "")
    found = is_number(number) and Checkpoint.objects.filter(pk=int(number), renewal=renewal)
    point = found.first() if found else None
    if point is None:
        raise NotFound
    return point.pk


def _view(request, renewal, form):
    point = checkpoints.give_view(
        actor=request.user,
        now=request.now,
        checkpoint_id=_point(renewal, form),
        view=form.get("view", ""),
        why=form.get("why", ""),
    )
    if point.state == CheckpointState.DISPUTED:
        return _("the signal says otherwise; a leader decides")
    return present.signal_word(point.view)


def _decide(request, renewal, form):
    point = checkpoints.decide(
        actor=request.user,
        now=request.now,
        checkpoint_id=_point(renewal, form),
        decided=form.get("decided", ""),
        why=form.get("why", ""),
    )
    return _("decided: %(view)s") % {"view": present.signal_word(point.decided)}


def _lose(request, renewal, form):
    wanted = form.get("cause", "")
    cause = RiskCause.objects.filter(key=wanted, retired_at__isnull=True).first()
    if wanted and cause is None:
        raise NotFound
    renewal_outcomes.lose(
        actor=request.user,
        now=request.now,
        renewal_id=renewal.pk,
        cause=wanted,
        involuntary=form.get("involuntary") == "1",
        note=form.get("note", ""),
    )
    return _("recorded as lost")


def _reopen(request, renewal, form):
    renewal_outcomes.take_back_loss(
        actor=request.user, now=request.now, renewal_id=renewal.pk, why=form.get("why", "")
    )
    return _("open again")


_VERBS = {
    "check": _check,
    "view": _view,
    "decide": _decide,
    "lose": _lose,
    "reopen": _reopen,
}
