"""One opportunity: beside the board or on its own, and everything that is done with it."""

from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from gengyun.customers.queries import customers as customer_queries
from gengyun.kernel.errors import NotFound
from gengyun.portfolio.queries.customer_list import search
from gengyun.revenue.actions import opportunities as actions
from gengyun.revenue.models import OpportunityStage, Product
from gengyun.revenue.queries import opportunities as queries
from gengyun.team.models import User
from gengyun.team.queries.access import can
from gengyun.team.queries.people import possible_owners
from gengyun.web import undo
from gengyun.web.access import page
from gengyun.web.forms import Form
from gengyun.web.numbers import is_number
from gengyun.web.present import opportunities as present
from gengyun.web.present.contracts import KINDS, plain_amount
from gengyun.web.refusals import attempt, refusal_text
from gengyun.web.render import back, is_htmx, render, toast
from gengyun.web.views import opportunity_won
from gengyun.web.views.contract_forms import fault_text
from gengyun.web.views.contracts import present_context
from gengyun.web.words import is_zh, pick

CHANGED = "opportunities-changed"
FIELD_OF = {"amount_minor": "amount"}


@page()
def panel(request, pk):
    """Beside the board; without script, a page of its own."""
    return _panel(request, queries.get(request.user, pk))


def _panel(request, row, *, form=None, won=None, status=200):
    context = _context(request, row)
    doing = request.GET.get("do") or request.POST.get("do", "")
    context |= {
        "form": form or Form(_texts(row)),
        "won": won or opportunity_won.blank(row, request.today),
        "do": doing if doing in {"win", "lose", "edit", "link"} else "",
    }
    return render(
        request,
        "opportunities/panel.html",
        context,
        block="panel" if is_htmx(request) else None,
        status=status,
    )


def _context(request, row):
    zh = is_zh()
    changes = queries.history(row)
    is_open = not (row.stage.is_won or row.stage.is_lost)
    card = queries.cards([row], today=request.today)[0]
    return {
        "row": row,
        "is_open": is_open,
        "marks": present.marks(card, today=request.today, zh=zh),
        "stages": [s for s in queries.stages() if not (s.is_won or s.is_lost)],
        "may_edit": can(request.user, "opportunity.edit"),
        "history": present.history(changes, names=_names(changes, row), today=request.today, zh=zh),
        "kind_word": present.kind_word(row.kind),
        **choices(request.user, row),
        **opportunity_won.choices(row, request.today),
    }


def _names(changes, row):
    """What ids in the history are called."""
    ids = {"owner": set(), "product": set()}
    for one in changes:
        if one.field in ids:
            ids[one.field] |= {value for value in (one.old, one.new) if value}
    people = dict(User.objects.filter(pk__in=ids["owner"]).values_list("pk", "name"))
    products = {one.pk: pick(one) for one in Product.objects.filter(pk__in=ids["product"])}
    line = {}
    if row.won_line_id:
        line[row.won_line_id] = row.won_line.contract.number
    return {
        "stages": {one.key: one for one in OpportunityStage.objects.all()},
        "owner": people,
        "product": products,
        "won_line": line,
        "currency": row.currency,
    }


def choices(user, row=None):
    """What the fields of an opportunity offer."""
    products = [(one.pk, pick(one)) for one in Product.objects.filter(is_active=True)]
    if row is not None and row.product_id and row.product_id not in dict(products):
        products.append((row.product_id, pick(row.product)))
    return {
        "kinds": present.kinds(),
        "products": products,
        "owners": [(one.pk, one.name) for one in possible_owners().only("name")],
    }


def _texts(row):
    """The row as the form shows it."""
    return {
        "name": row.name,
        "kind": row.kind,
        "product": str(row.product_id or ""),
        "amount": plain_amount(row.amount_minor, row.currency),
        "currency": row.currency,
        "expected_on": row.expected_on.isoformat() if row.expected_on else "",
        "next_step": row.next_step,
        "next_step_on": row.next_step_on.isoformat() if row.next_step_on else "",
        "owner": str(row.owner_id or ""),
        "source": row.source,
        "note": row.note,
    }


def _read(form, currency):
    """The values that were typed; what cannot be read is in form.errors."""
    form.text("name", required=True)
    for name in ("next_step", "source", "note"):
        if name in form.raw:
            form.text(name)
    form.values["kind"] = form.get("kind")
    form.amount("amount", into="amount_minor", currency=form.get("currency").upper() or currency)
    if form.get("currency"):
        form.values["currency"] = form.get("currency").upper()
    form.day("expected_on")
    form.day("next_step_on")
    form.choice("product", Product.objects.all())
    form.choice("owner", possible_owners())
    return form


@page("opportunity.edit", methods=("GET", "POST"))
def new(request):
    """A new one: first whose it is, then what it is about."""
    asked = request.POST if request.method == "POST" else request.GET
    chosen = asked.get("customer", "")
    if not is_number(chosen):
        text = asked.get("q", "").strip()[:60]
        context = {"q": text, "found": search(request.user, text) if text else []}
        return render(request, "opportunities/choose.html", context)
    customer = customer_queries.get(request.user, int(chosen))
    form = Form.of(request.POST) if request.method == "POST" else Form(_suggested(request))
    if request.method == "POST":
        row = _try(
            form,
            customer.currency,
            lambda: actions.create_opportunity(
                actor=request.user, now=request.now, customer=customer, values=_given(form)
            ),
        )
        if row is not None:
            toast(request, _("%(name)s was added") % {"name": row.name})
            return HttpResponseRedirect(reverse("web:opportunity", args=[row.pk]))
    context = {"customer": customer, "form": form, **choices(request.user)}
    status = 422 if form.errors else 200
    return render(request, "opportunities/new.html", context, status=status)


def _given(form):
    """An owner that was left empty is the customer's; so is the currency."""
    return {k: v for k, v in form.values.items() if not (k == "owner" and v is None)}


def _suggested(request):
    product = request.GET.get("product", "")
    row = Product.objects.filter(pk=int(product)).first() if is_number(product) else None
    kind = request.GET.get("kind", "")
    return {
        "product": str(row.pk) if row else "",
        "kind": kind if kind in dict(present.kinds()) else "upsell",
        "name": pick(row) if row else "",
    }


def _try(form, currency, write):
    """What the action made, or None with the reason in the form; `currency` where none is typed."""
    _read(form, currency)

    def field_of(refusal):
        field = str(refusal.params.get("field", "name"))
        return FIELD_OF.get(field, field)

    return attempt(form, write, field_of)


@page("opportunity.edit", methods=("POST",))
def act(request, pk, verb):
    """One thing done with one opportunity; the board is told to follow."""
    row = queries.get(request.user, pk)
    do = _VERBS.get(verb)
    if do is None:
        raise NotFound
    answer = do(request, row)
    if answer is not None:  # a form with errors
        return answer
    if not is_htmx(request):
        return back(request, reverse("web:opportunity", args=[pk]))
    if request.POST.get("from") == "board":
        response = render(request, "refusal.html", {}, block="nothing")
    else:
        response = _panel(request, queries.get(request.user, pk))
    response["HX-Trigger"] = CHANGED
    return response


def _edit(request, row):
    form = Form.of(request.POST)
    saved = _try(
        form,
        row.currency,
        lambda: actions.edit_opportunity(
            actor=request.user,
            now=request.now,
            opportunity=row,
            changes=form.values,
            why=form.get("why"),
        ),
    )
    if saved is None:
        return _panel(request, row, form=form, status=422)
    toast(request, _("Saved"))
    return None


def _move(request, row):
    wanted = request.POST.get("stage", "")
    stage = OpportunityStage.objects.filter(pk=int(wanted)).first() if is_number(wanted) else None
    if stage is None:
        raise NotFound
    before = row.stage
    actions.move_opportunity(actor=request.user, now=request.now, opportunity=row, stage=stage)
    token = undo.remember(request, "opportunity_stage", {"pk": row.pk, "stage": before.pk})
    said = _("%(name)s: %(stage)s") % {"name": row.name, "stage": pick(stage)}
    toast(request, said, undo=token)


def _lose(request, row):
    try:
        actions.lose_opportunity(
            actor=request.user,
            now=request.now,
            opportunity=row,
            reason=request.POST.get("reason", ""),
        )
    except actions.LossReasonMissing as refusal:
        form = Form(_texts(row))
        form.errors["reason"] = refusal_text(refusal)
        return _panel(request, row, form=form, status=422)
    token = undo.remember(request, "opportunity_reopen", {"pk": row.pk})
    toast(request, _("%(name)s is lost") % {"name": row.name}, undo=token)
    return None


def _win(request, row):
    won, saved, flags = opportunity_won.read(request, row)
    if saved is None:
        return _panel(request, row, won=won, status=422)
    path = ""
    if saved.won_line_id is None:
        path = undo.remember(request, "opportunity_reopen", {"pk": row.pk})
    toast(request, _("%(name)s is won") % {"name": row.name}, undo=path)
    for flag in flags:
        toast(request, refusal_text(flag))
    return None


def _preview(request, row):
    """Nothing is written: the form of winning says what ARR would become."""
    found, said = opportunity_won.preview(request, row)
    context = present_context() | {
        "would": found,
        "said": said,
        "kinds": KINDS,
        "fault_text": fault_text,
    }
    return render(request, "opportunities/would.html", context)


def _reopen(request, row):
    actions.reopen_opportunity(actor=request.user, now=request.now, opportunity=row)
    toast(request, _("%(name)s is open again") % {"name": row.name})


def _link(request, row):
    line = opportunity_won.line_of(row, request.POST.get("line", ""))
    actions.link_line(actor=request.user, now=request.now, opportunity=row, line=line)
    toast(request, _("Linked to contract %(number)s") % {"number": line.contract.number})


_VERBS = {
    "edit": _edit,
    "move": _move,
    "lose": _lose,
    "win": _win,
    "preview": _preview,
    "reopen": _reopen,
    "link": _link,
}
