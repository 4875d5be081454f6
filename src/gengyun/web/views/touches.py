"""The ledger of touches, one touch, and what people decide about them."""

from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from gengyun.engagement.actions import touch_approvals as approvals
from gengyun.engagement.actions import touch_decisions as actions
from gengyun.engagement.actions import touch_settling
from gengyun.engagement.calc.approving import decides
from gengyun.engagement.calc.touching import REASONS
from gengyun.engagement.models import Category, Channel, Touch
from gengyun.engagement.queries import touches as queries
from gengyun.engagement.queries.letters import unsubscribe_url
from gengyun.kernel.errors import NotFound, Refusal
from gengyun.team.queries.access import can
from gengyun.web.access import page
from gengyun.web.numbers import is_number
from gengyun.web.present import touches as present
from gengyun.web.refusals import refusal_text
from gengyun.web.render import back, is_htmx, render, toast

PAGE = 50
LONGEST_PAGE = 200  # pages of the list
TEXT = 80


@page()
def show(request):
    address = _address(request)
    rows = queries.ledger(request.user, _filters(address))
    counts = queries.counts(rows)
    if not address["tab"]:
        address["tab"] = next((tab for tab in ("drafts", "approvals") if counts[tab]), "all")
    number = int(address["page"] or 1)
    first = (number - 1) * PAGE
    found = list(queries.of_tab(rows, address["tab"])[first : first + PAGE + 1])
    context = {
        "rows": found[:PAGE],
        "has_next": len(found) > PAGE,
        "number": number,
        "counts": counts,
        "tabs": [
            (tab, present.tab_word(tab), counts[tab], _path(address, tab=tab, page=""))
            for tab in queries.TABS
        ],
        "address": address,
        "path": lambda **changes: _path(address, **changes),
        "is_filtered": any(address[name] for name in FILTERS),
        "reasons": queries.reasons(rows, request.now),
        "chips": _chips(request.user, address),
        "adders": _adders(address),
        "may_write": can(request.user, "touches.write"),
        "mine": set(queries.to_decide(rows, request.user, request.now).values_list("pk", flat=True))
        if address["tab"] == "approvals"
        else set(),
        "words": present,
    }
    return render(
        request, "touches/list.html", context, block="ledger" if is_htmx(request) else None
    )


FILTERS = ("customer", "contact", "kind", "category", "reason", "q", "scope", "source")


def _address(request):
    """What of the ledger is asked for; what makes no sense is left out."""
    given = request.GET
    known = {
        "kind": set(Channel.Kind.values),
        "category": set(Category.values),
        "reason": set(REASONS),
        "tab": set(queries.TABS),
        "scope": {"mine"},
        "source": {"sop:", "survey:"},
    }
    address = {
        name: given.get(name, "") if given.get(name, "") in choices else ""
        for name, choices in known.items()
    }
    for name in ("customer", "contact", "page"):
        text = given.get(name, "")
        address[name] = text if is_number(text) and int(text) > 0 else ""
    if address["page"] and int(address["page"]) > LONGEST_PAGE:
        address["page"] = ""
    address["q"] = " ".join(given.get("q", "").replace("\0", " ").split())[:TEXT]
    return address


def _filters(address):
    return queries.Filters(
        customer=int(address["customer"]) if address["customer"] else None,
        contact=int(address["contact"]) if address["contact"] else None,
        kind=address["kind"],
        category=address["category"],
        reason=address["reason"],
        text=address["q"],
        is_mine=address["scope"] == "mine",
        source=address["source"],
    )


def _path(address, **changes):
    wanted = {name: value for name, value in (address | changes).items() if value}
    query = urlencode(wanted)
    return reverse("web:touches") + (f"?{query}" if query else "")


def _chips(user, address):
    """(kind, text, address without it)"""
    found = []
    if address["customer"]:
        name = queries.customer_name(user, int(address["customer"]))
        found.append((_("Customer"), name, _path(address, customer="", page="")))
    if address["contact"]:
        name = queries.contact_name(user, int(address["contact"]))
        found.append((_("Contact"), name, _path(address, contact="", page="")))
    words = (
        ("kind", _("Channel"), present.kind_word),
        ("category", _("Kind of message"), present.category_word),
        ("reason", _("Reason"), present.reason_word),
        ("source", pgettext("touch", "From"), present.source_word),
    )
    for name, label, word in words:
        if address[name]:
            found.append((label, word(address[name]), _path(address, **{name: "", "page": ""})))
    return found


def _adders(address):
    def links(name, choices):
        return [(text, _path(address, **{name: key, "page": ""})) for key, text in choices]

    return [
        (_("Channel"), links("kind", present.kinds())),
        (_("Kind of message"), links("category", present.categories())),
        (_("Reason"), links("reason", [(one, present.reason_word(one)) for one in REASONS])),
        (pgettext("touch", "From"), links("source", [("sop:", "SOP"), ("survey:", _("Survey"))])),
    ]


@page()
def touch(request, pk):
    return _touch(request, queries.get(request.user, pk), {}, "")


def _touch(request, found, typed, problem, *, status=200):
    context = {
        "touch": found,
        "delivery": queries.delivery_of(found),
        "why": present.why(found, today=request.today),
        "unsubscribe": unsubscribe_url(found),
        "typed": {"subject": found.subject, "body": found.body, "why": ""} | typed,
        "is_asked": found.state == Touch.State.APPROVAL
        and can(request.user, "touches.write")
        and decides(request.user.role, found.approver),
        "problem": problem,
        "may_write": can(request.user, "touches.write"),
        "words": present,
    }
    return render(request, "touches/touch.html", context, status=status)


def _approve(request, found):
    """As it stands in the form, if it came from there."""
    typed = {k: v[:30_000] for k, v in request.POST.items() if k in {"subject", "body"}}
    row = actions.approve(actor=request.user, now=request.now, touch=found, **typed)
    toast(request, _said(row, request.today))
    return row


def _yes(request, found):
    row = approvals.approve(actor=request.user, now=request.now, touch=found)
    toast(request, _said(row, request.today))
    return row


def _refuse(request, found):
    row = approvals.refuse(
        actor=request.user, now=request.now, touch=found, why=request.POST.get("why", "")[:2_000]
    )
    undo = reverse("web:touch_act", args=[found.pk, "ask_again"])
    toast(request, _("Refused: it will not be sent"), undo=undo)
    return row


def _ask_again(request, found):
    row = approvals.ask_again(actor=request.user, now=request.now, touch=found)
    toast(request, _("It awaits approval again"))
    return row


def _save(request, found):
    row = actions.save_draft(
        actor=request.user,
        now=request.now,
        touch=found,
        subject=request.POST.get("subject", "")[:30_000],
        body=request.POST.get("body", "")[:30_000],
    )
    toast(request, _("Saved."))
    return row


def _reject(request, found):
    row = actions.reject(actor=request.user, now=request.now, touch=found)
    undo = reverse("web:touch_act", args=[found.pk, "restore"])
    toast(request, _("It will not be sent"), undo=undo)
    return row


def _restore(request, found):
    row = actions.restore(actor=request.user, now=request.now, touch=found)
    toast(request, _("It is a draft again"))
    return row


def _withdraw(request, found):
    row = actions.withdraw(actor=request.user, now=request.now, touch=found)
    toast(request, _("Taken back: it will not be sent"))
    return row


def _was_sent(request, found):
    return _settle(request, found, _("Noted: it was sent"), was_sent=True)


def _was_not_sent(request, found):
    return _settle(request, found, _("Noted: it was not sent"), was_sent=False)


def _settle(request, found, said, *, was_sent):
    row = touch_settling.settle(actor=request.user, now=request.now, touch=found, was_sent=was_sent)
    toast(request, said, undo=reverse("web:touch_act", args=[found.pk, "unsettle"]))
    return row


def _unsettle(request, found):
    row = touch_settling.unsettle(actor=request.user, now=request.now, touch=found)
    toast(request, _("Perhaps sent, as before"))
    return row


VERBS = {
    "approve": _approve,
    "yes": _yes,
    "refuse": _refuse,
    "ask_again": _ask_again,
    "save": _save,
    "reject": _reject,
    "restore": _restore,
    "withdraw": _withdraw,
    "was_sent": _was_sent,
    "was_not_sent": _was_not_sent,
    "unsettle": _unsettle,
}


@page("touches.write", methods=("POST",))
def act(request, pk, verb):
    if verb not in VERBS:
        raise NotFound
    found = queries.get(request.user, pk)
    try:
        VERBS[verb](request, found)
    except Refusal as refusal:
        if refusal.status != 422 or is_htmx(request) or verb not in {"approve", "save", "refuse"}:
            raise
        names = ("why",) if verb == "refuse" else ("subject", "body")
        typed = {name: request.POST.get(name, "") for name in names}
        return _touch(request, found, typed, refusal_text(refusal), status=422)
    if is_htmx(request):
        return render(request, "refusal.html", {}, block="nothing")
    return back(request, reverse("web:touch", args=[pk]))


class NothingChosen(Refusal):
    code = "no_touch_chosen"
    message = "No message is chosen."


@page("touches.write", methods=("POST",))
def bulk(request):
    """Several at once, as they are: drafts sent, or a yes to those that wait for one."""
    pks = [int(value) for value in request.POST.getlist("ids") if is_number(value)]
    if not pks:
        raise NothingChosen
    many = approvals.approve_many if request.POST.get("verb") == "yes" else actions.approve_many
    rows = many(actor=request.user, now=request.now, touch_ids=pks)
    going = sum(row.state == "queued" for row in rows)
    said = ngettext("%(num)s message goes out", "%(num)s messages go out", going) % {"num": going}
    if held := len(rows) - going:
        more = ngettext("%(num)s is not sent", "%(num)s are not sent", held) % {"num": held}
        said = _("%(one)s, %(two)s") % {"one": said, "two": more}
    toast(request, said)
    return back(request, reverse("web:touches"))


def _said(row, today):
    if row.state == "queued":
        return _("It goes out within the allowed hours")
    return _("Not sent: %(why)s") % {"why": present.why(row, today=today)}
