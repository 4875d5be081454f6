"""The part of a customer's page about surveys: what people said, who was asked and said nothing."""

from django.urls import reverse
from django.utils.translation import gettext as _

from gengyun.customers.models import Contact
from gengyun.customers.queries import customers as customer_queries
from gengyun.engagement.actions import survey_mail
from gengyun.engagement.actions import surveys as actions
from gengyun.engagement.calc import questionnaire
from gengyun.engagement.calc.invitations import is_silent, quarter_key
from gengyun.engagement.models import Invitation, Survey
from gengyun.engagement.queries import surveys as queries
from gengyun.engagement.queries.survey_links import path_of
from gengyun.kernel.errors import NotFound, Refusal
from gengyun.team.queries.access import can
from gengyun.web.access import page
from gengyun.web.numbers import is_number
from gengyun.web.present import surveys as present
from gengyun.web.refusals import refusal_text
from gengyun.web.render import back, is_htmx, render, toast
from gengyun.web.views.customer import header
from gengyun.web.words import language

TEMPLATE = "customer/surveys.html"


@page()
def show(request, pk):
    customer = customer_queries.get(request.user, pk)
    return _part(request, customer)


@page("survey.send", methods=("POST",))
def ask(request, pk):
    """One person: by mail within the caps, or a link to pass on oneself."""
    customer = customer_queries.get(request.user, pk)
    contact = _contact(request, customer)
    survey = _survey(request)
    try:
        invitation = actions.invite(
            actor=request.user,
            now=request.now,
            survey=survey,
            wave_key=quarter_key(request.today),
            contact=contact,
            source=f"user:{request.user.pk}",
        )
        if request.POST.get("by") == "mail":
            touch = survey_mail.send(now=request.now, invitation=invitation, actor=request.user)
            said = _mail_said(touch, contact)
        else:
            said = _("The link for %(name)s is below: copy it, then say that you passed it on.")
    except Refusal as refusal:
        if refusal.status == 404:
            raise
        return _part(request, customer, error=refusal_text(refusal), status=refusal.status)
    toast(request, said % {"name": contact.name})
    return _answer(request, customer)


def _mail_said(touch, contact):
    if touch is None:
        return _("%(name)s has answered already.")
    if touch.state == "suppressed":
        reason = present.unsent_words().get(touch.reason, touch.reason)
        return _("Not sent to %(name)s:") + " " + reason.replace("%", "%%")
    return _("The link goes to %(name)s by mail.")


@page("survey.send", methods=("POST",))
def passed(request, pk):
    """The link was passed on by hand."""
    customer = customer_queries.get(request.user, pk)
    wanted = request.POST.get("invitation", "")
    mine = Invitation.objects.visible_to(request.user).filter(customer=customer)
    found = mine.filter(pk=int(wanted)).first() if is_number(wanted) else None
    if found is None:
        raise NotFound
    actions.pass_on(actor=request.user, now=request.now, invitation=found)
    toast(request, _("Noted: %(name)s has the link.") % {"name": found.contact.name})
    return _answer(request, customer)


def _contact(request, customer):
    wanted = request.POST.get("contact", "")
    rows = Contact.objects.visible_to(request.user).filter(customer=customer)
    found = rows.filter(pk=int(wanted)).first() if is_number(wanted) else None
    if found is None:
        raise NotFound
    return found


def _survey(request):
    wanted = request.POST.get("survey", "")
    if not is_number(wanted):
        raise NotFound
    return queries.get(int(wanted))


def _answer(request, customer):
    if is_htmx(request):
        return _part(request, customer)
    return back(request, reverse("web:customer", args=[customer.pk]))


def _part(request, customer, *, error="", status=200):
    context = header(request, customer) | _context(request, customer) | {"survey_error": error}
    block = "surveys" if is_htmx(request) else None
    return render(request, TEMPLATE, context, block=block, status=status)


def _context(request, customer):
    found = queries.of_customer(request.user, customer, now=request.now)
    people = Contact.objects.visible_to(request.user).filter(customer=customer, left_on=None)
    may_ask = can(request.user, "survey.send") and customer.archived_at is None
    words = present.unsent_words()
    return {
        "found": found,
        "answers": [
            (
                one,
                present.tone(one.survey.kind, one.score),
                present.said(one.survey, one, lambda item: questionnaire.words(item, language())),
            )
            for one in found.answers
        ],
        "waiting": [
            (
                one,
                words.get(one.unsent_reason, one.unsent_reason),
                is_silent(one.sent_at, None, request.now),
                one.expires_at > request.now and one.wave.closed_at is None,
                request.build_absolute_uri(path_of(one)) if may_ask else "",
            )
            for one in found.waiting
        ],
        "part_word": present.part_words(),
        "may_ask": may_ask,
        "askable": list(people.order_by("name", "pk")) if may_ask else [],
        "offered": list(Survey.objects.filter(retired_at=None)) if may_ask else [],
        "wave_key": quarter_key(request.today),
    }
