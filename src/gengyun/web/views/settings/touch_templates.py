"""Texts for messages to customers, with a preview for any customer."""

from django.utils.translation import gettext as _

from gengyun.customers.models import Customer
from gengyun.customers.queries.customers import contacts_of
from gengyun.engagement.actions import touch_templates as actions
from gengyun.engagement.calc.templates import LATER, VARIABLES, render_template
from gengyun.engagement.models import Category, TouchTemplate
from gengyun.engagement.queries.template_facts import facts_for
from gengyun.kernel.errors import NotFound, Refusal, filled
from gengyun.web.access import page
from gengyun.web.present import touches as present
from gengyun.web.refusals import refusal_text
from gengyun.web.render import is_htmx
from gengyun.web.views.settings.common import go, show

FIELDS = ("name", "category", "zh_subject", "zh_body", "en_subject", "en_body", "customer")


@page("settings.edit", methods=("GET", "POST"))
def template_new(request):
    return _page(request, None)


@page("settings.edit", methods=("GET", "POST"))
def template(request, pk):
    found = TouchTemplate.objects.filter(pk=pk).first()
    if found is None:
        raise NotFound
    return _page(request, found)


@page("settings.edit", methods=("POST",))
def template_retire(request, pk):
    found = TouchTemplate.objects.filter(pk=pk).first()
    if found is None:
        raise NotFound
    actions.retire_template(actor=request.user, now=request.now, template=found)
    return go(request, "settings_touches", said=_("It is not offered any more"))


def _page(request, found):
    if request.method == "GET":
        return _form(request, found, _values(found), {})
    typed = {name: request.POST.get(name, "").replace("\r\n", "\n")[:30_000] for name in FIELDS}
    if request.POST.get("verb") == "preview":
        return _form(request, found, typed, {}, block="preview" if is_htmx(request) else None)
    texts = {
        language: {part: typed[f"{language}_{part}"] for part in actions.PARTS}
        for language in actions.LANGUAGES
    }
    try:
        actions.save_template(
            actor=request.user,
            now=request.now,
            template=found,
            name=typed["name"],
            category=typed["category"],
            texts=texts,
        )
    except actions.TemplateInvalid as refusal:
        errors = {name: filled(_(text), params) for name, (text, params) in refusal.errors.items()}
        return _form(request, found, typed, errors, status=422)
    return go(request, "settings_touches", said=_("Saved."))


def _values(found):
    if found is None:
        return dict.fromkeys(FIELDS, "") | {"category": Category.SERVICE}
    values = {
        f"{language}_{part}": found.texts.get(language, {}).get(part, "")
        for language in actions.LANGUAGES
        for part in actions.PARTS
    }
    return values | {"name": found.name, "category": found.category, "customer": ""}


def _form(request, found, values, errors, *, block=None, status=200):
    customer = _customer(request, values["customer"])
    context = {
        "template": found,
        "values": values,
        "errors": errors,
        "categories": present.categories(),
        "variables": [(name, _(text)) for name, text in VARIABLES.items() if name not in LATER],
        "preview_of": customer,
        "previews": _previews(request, customer, values),
    }
    return show(
        request, "settings/touch_template.html", "touches", context, block=block, status=status
    )


def _customer(request, wanted):
    rows = Customer.objects.visible_to(request.user).present()
    text = " ".join(wanted.replace("\0", " ").split())[:80]
    if text:
        named = rows.filter(external_id=text).first() or rows.filter(name__icontains=text).first()
        if named is not None:
            return named
    return rows.order_by("pk").first()


def _previews(request, customer, values):
    """(language, subject, body, what is wrong) as this customer's first contact would get it."""
    if customer is None:
        return []
    contact = next(
        (one for one in contacts_of(request.user, customer) if one.left_on is None), None
    )
    found = []
    for language, code in (("zh", "zh-hans"), ("en", "en")):
        subject, body = values[f"{language}_subject"], values[f"{language}_body"]
        if not subject and not body:
            continue
        facts = facts_for(customer, contact, today=request.today, language=code)
        try:
            texts = render_template(subject, facts), render_template(body, facts)
        except Refusal as refusal:
            found.append((language, subject, "", refusal_text(refusal)))
        else:
            found.append((language, *texts, ""))
    return found
