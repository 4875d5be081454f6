"""The messages of an SOP as one customer would get them; nothing is written."""

from dataclasses import dataclass
from datetime import date

from gengyun.customers.models import Contact, Customer
from gengyun.engagement.calc.templates import TemplateBroken
from gengyun.engagement.queries.template_facts import facts_for, languages_of
from gengyun.sop.calc.effects import Due
from gengyun.sop.calc.form import Form
from gengyun.sop.calc.texts import Letter, letter_of
from gengyun.sop.queries.recipients import contacts_of

NO_CONTACT = "no_contact"
MOST = 20


@dataclass(frozen=True)
class Preview:
    step_key: str
    contact: Contact | None  # whom it would go to
    letter: Letter
    problem: str = ""  # a reason key; "" where nothing stands in the way that is known today


def previews(form: Form, customer: Customer, *, day: date) -> list[Preview]:
    """Every message step in the order of the form, with today's facts; whatever caps and quiet
    hours say then is not known today. Where contacts go through it: to the first of the role."""
    due = [
        Due(step.key, 0, "", "", customer.pk, None, "", form, step)
        for step in form.steps.values()
        if step.kind == "message"
    ][:MOST]
    found = []
    for one in due:
        role = form.contact_role if form.identity == "contact" else one.step.params["to"]
        contact = contacts_of([one], role).get(one.key)
        pair = (customer.pk, contact.pk if contact is not None else None)
        language = languages_of([pair])[pair]
        facts = facts_for(customer, contact, today=day, language=language)
        found.append(_preview(one, contact, facts, language))
    return found


def _preview(
    one: Due, contact: Contact | None, facts: dict[str, str | None], language: str
) -> Preview:
    try:
        letter = letter_of(one.step.params, facts, language)
    except TemplateBroken as broken:
        letter = Letter(missing=str(broken.params.get("near", "")))
    problem = ""
    if contact is None and one.step.params["channel"] == "email":
        problem = NO_CONTACT
    elif contact is not None and one.step.params["channel"] == "email" and not contact.email:
        problem = "no_address"
    elif letter.missing:
        problem = "missing_value"
    return Preview(one.step.key, contact, letter, problem)
