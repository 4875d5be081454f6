"""A person writes to a customer: from a text or freely, looked at first, then sent or kept."""

import secrets

from django.urls import reverse
from django.utils.translation import gettext as _

from gengyun.customers.queries import customers as customer_queries
from gengyun.engagement.actions import touches as actions
from gengyun.engagement.calc.templates import LATER, VARIABLES, render_template
from gengyun.engagement.models import Category, TouchTemplate
from gengyun.engagement.queries.reach import GROUP_KINDS, Channels
from gengyun.engagement.queries.template_facts import facts_for, languages_of
from gengyun.kernel.errors import NotFound, Refusal
from gengyun.web.access import page
from gengyun.web.numbers import is_number
from gengyun.web.present import touches as present
from gengyun.web.refusals import refusal_text
from gengyun.web.render import is_htmx, render, toast
from gengyun.web.views.customer import header
from gengyun.web.views.settings.common import go

TEMPLATE = "customer/write.html"
LONGEST = 30_000


class TextMissing(Refusal):
    code = "message_text_missing"
    message = "A message needs a subject and a text."


@page("touches.write", methods=("GET", "POST"))
def write(request, pk):
    customer = customer_queries.get(request.user, pk)
    if customer.archived_at is not None:
        raise NotFound
    people = [
        one for one in customer_queries.contacts_of(request.user, customer) if one.left_on is None
    ]
    if request.method == "GET":
        return _form(request, customer, people, _start(request, customer, people))
    typed = {
        name: request.POST.get(name, "").replace("\r\n", "\n")[:LONGEST]
        for name in ("contact", "kind", "category", "language", "subject", "body", "once")
    }
    verb = request.POST.get("verb", "preview")
    if verb == "preview":
        block = "preview" if is_htmx(request) else None
        return _form(request, customer, people, typed, block=block)
    try:
        touch = _ask(request, customer, people, typed, is_draft=verb == "draft")
    except Refusal as refusal:
        if refusal.status != 422:
            raise
        problem = refusal_text(refusal)
        return _form(request, customer, people, typed, problem=problem, status=422)
    if touch.state == "suppressed":
        why = present.why(touch, today=request.today)
        toast(request, _("Not sent: %(why)s") % {"why": why})
    said = {"draft": _("Kept as a draft"), "queued": _("It goes out within the allowed hours")}
    return go(request, "touch", touch.pk, said=said.get(touch.state, ""))


def _ask(request, customer, people, typed, *, is_draft):
    subject, body = _rendered(request, customer, people, typed)
    if not subject.strip() or not body.strip():
        raise TextMissing
    return actions.request(
        now=request.now,
        # a second click on the button asks for the same message
        key=f"hand:{request.user.pk}:{customer.pk}:{_once(typed)}",
        customer=customer,
        contact=_person(people, typed),
        channel=typed["kind"],
        category=typed["category"],
        subject=subject,
        body=body,
        draft=is_draft,
        language=typed["language"] if typed["language"] in {"zh-hans", "en"} else "zh-hans",
        actor=request.user,
    )


def _once(typed):
    """Given with the form; made up where somebody sent none."""
    given = typed["once"][:40]
    return given if given.isascii() and given.isalnum() else secrets.token_hex(8)


def _person(people, typed):
    return next((one for one in people if str(one.pk) == typed["contact"]), None)


def _rendered(request, customer, people, typed):
    facts = facts_for(
        customer, _person(people, typed), today=request.today, language=typed["language"]
    )
    return render_template(typed["subject"], facts), render_template(typed["body"], facts)


def _start(request, customer, people):
    """An empty form, or the text that was chosen, in the language of the contact."""
    wanted, asked = request.GET.get("template", ""), request.GET.get("contact", "")
    person = next((one for one in people if str(one.pk) == asked), people[0] if people else None)
    pair = (customer.pk, person.pk if person is not None else None)
    language = languages_of([pair])[pair]
    values = {
        "contact": str(person.pk) if person is not None else "",
        "kind": "email",
        "category": Category.RELATION,
        "language": language,
        "subject": "",
        "body": "",
        "once": secrets.token_hex(8),
    }
    found = TouchTemplate.objects.filter(retired_at__isnull=True)
    chosen = found.filter(pk=int(wanted)).first() if is_number(wanted) else None
    if chosen is None:
        return values
    short = "zh" if language.startswith("zh") else "en"
    text = chosen.texts.get(short) or next(iter(chosen.texts.values()), {})
    return values | {
        "subject": text.get("subject", ""),
        "body": text.get("body", ""),
        "category": chosen.category,
    }


def _form(request, customer, people, values, *, problem="", block=None, status=200):
    ways = Channels()
    try:
        subject, body = _rendered(request, customer, people, values)
        wrong = ""
    except Refusal as refusal:
        subject, body, wrong = values["subject"], "", refusal_text(refusal)
    context = header(request, customer) | {
        "values": values,
        "people": people,
        "ways": [
            (kind, label)
            for kind, label in present.kinds()
            if ways.find(kind, customer) is not None
        ],
        "group_kinds": GROUP_KINDS,
        "categories": present.categories(),
        "templates": list(TouchTemplate.objects.filter(retired_at__isnull=True)),
        "variables": [(name, _(text)) for name, text in VARIABLES.items() if name not in LATER],
        "problem": problem,
        "preview": {"subject": subject, "body": body, "wrong": wrong},
        "here": reverse("web:customer_write", args=[customer.pk]),
    }
    return render(request, TEMPLATE, context, block=block, status=status)
