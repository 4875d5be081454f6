"""Steps that reach the customer or another system: messages, questions, web addresses."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from gengyun.customers.models import Contact, Customer
from gengyun.engagement.actions import deliveries
from gengyun.engagement.actions.survey_mail import send_many
from gengyun.engagement.actions.surveys import invite_many
from gengyun.engagement.actions.touches import TouchRequest, request_many
from gengyun.engagement.calc.messages import Item
from gengyun.engagement.models import Channel, Delivery, Invitation, Survey, Touch
from gengyun.engagement.queries.template_facts import facts_for_many, languages_of
from gengyun.kernel.days import day_of
from gengyun.sop.actions.effects_inside import GONE
from gengyun.sop.calc.effects import DONE, FAILED, SUPPRESSED, Due, Told, effect
from gengyun.sop.calc.texts import letter_of
from gengyun.sop.queries.outcomes import outcomes_from
from gengyun.sop.queries.recipients import contacts_of, customers_of

# what takes a notice without a person's address
ROBOTS = (
    Channel.Kind.WEBHOOK,
    Channel.Kind.FEISHU,
    Channel.Kind.DINGTALK,
    Channel.Kind.WECOM_ROBOT,
)


@effect("message", mixed=True)
def send_message(due: Sequence[Due], now: datetime) -> list[Told]:
    """Every message goes through the ledger of touches, which says whether and when it goes."""
    customers = customers_of(due)
    here = [one for one in due if one.customer_id in customers]
    asked: dict[str, list[Due]] = defaultdict(list)
    for one in here:
        asked[one.step.params["to"]].append(one)
    contacts: dict[str, Contact] = {}
    for role, rows in asked.items():
        contacts |= contacts_of(rows, role)
    requests = _requests(here, customers, contacts, now)
    touches = request_many(now=now, requests=requests)
    return [_told(touches.get(one.key)) for one in due]


def _requests(
    due: Sequence[Due], customers: Mapping[int, Customer], contacts: Mapping[str, Contact],
    now: datetime,
) -> list[TouchRequest]:  # fmt: skip
    pairs = [(one.customer_id, _pk(contacts.get(one.key))) for one in due]
    languages = languages_of(pairs)
    found = []
    for code in sorted(set(languages.values())):
        rows = [one for one, pair in zip(due, pairs, strict=True) if languages[pair] == code]
        facts = facts_for_many(
            [(customers[one.customer_id], contacts.get(one.key)) for one in rows],
            today=day_of(now), language=code,
        )  # fmt: skip
        for one, known in zip(rows, facts, strict=True):
            customer, contact = customers[one.customer_id], contacts.get(one.key)
            found.append(_request(one, customer, contact, known, code=code, now=now))
    return found


def _pk(contact: Contact | None) -> int | None:
    return None if contact is None else contact.pk


def _request(
    one: Due, customer: Customer, contact: Contact | None, facts: Mapping[str, str | None],
    *, code: str, now: datetime,
) -> TouchRequest:  # fmt: skip
    """A value that the text needs and nobody knows: not sent, and the reason names it."""
    params = one.step.params
    waits = params["mode"] == "approve"
    letter = letter_of(params, facts, code)
    return TouchRequest(
        key=one.key,
        customer=customer,
        contact=contact,
        channel=params["channel"],
        category=params["category"],
        subject=letter.subject,
        body=letter.body,
        draft=params["mode"] == "draft",
        approver=params["approver"] if waits else "",
        answer_by=now + timedelta(days=params["answer_days"]) if waits else None,
        source=one.key,
        language=code,
        suppress="missing_value" if letter.missing else "",
        told={"name": letter.missing} if letter.missing else {},
    )


def _told(touch: Touch | None) -> Told:
    if touch is None:
        return GONE
    if touch.state == Touch.State.SUPPRESSED:
        return Told(SUPPRESSED, touch.reason, dict(touch.told), f"touch:{touch.pk}")
    facts = {"due_at": touch.due_at.isoformat() if touch.due_at else None}
    if touch.state == Touch.State.APPROVAL and touch.answer_by:
        facts |= {"approver": touch.approver, "answer_by": touch.answer_by.isoformat()}
    return Told(DONE, touch.state, facts, f"touch:{touch.pk}")


@effect("survey")
def ask(due: Sequence[Due], now: datetime) -> list[Told]:
    """One link per contact and wave; the SOP's questions of one month are one wave."""
    survey = Survey.objects.filter(key=due[0].step.params["survey"], retired_at=None).first()
    if survey is None:
        return [Told(FAILED, "survey_gone", {"survey": due[0].step.params["survey"]}) for _ in due]
    customers = customers_of(due)
    here = [one for one in due if one.customer_id in customers]
    contacts = contacts_of(here, due[0].step.params["to"])
    wave_key = f"{due[0].sop_key[:50]}-{day_of(now):%Y-%m}"
    people = {contact.pk: contact for contact in contacts.values()}
    invitations = invite_many(
        now=now, survey=survey, wave_key=wave_key, contacts=list(people.values()),
        source=due[0].key,
    )  # fmt: skip
    asked = {one.contact_id: one for one in invitations}
    touches = send_many(now=now, invitations=invitations)
    found = []
    for one in due:
        contact = contacts.get(one.key)
        if contact is None:
            told = GONE if one.customer_id not in customers else Told(SUPPRESSED, "no_contact")
        else:
            invitation = asked[contact.pk]
            told = _asked(touches.get(invitation.pk), f"invitation:{invitation.pk}")
        found.append(told)
    return found


def _asked(touch: Touch | None, ref: str) -> Told:
    if touch is None:
        return Told(SUPPRESSED, "answered_or_over", {}, ref)
    told = _told(touch)
    return Told(told.state, told.reason, told.facts, ref)


@effect("webhook")
def call_webhook(due: Sequence[Due], now: datetime) -> list[Told]:
    """A signed notice to a web address of the company's own; it leaves with the other notices."""
    name = due[0].step.params["channel"]
    channel = Channel.objects.filter(
        name=name, kind__in=ROBOTS, serves=Channel.Serves.TEAM, is_active=True
    ).first()
    if channel is None:
        return [Told(FAILED, "no_channel", {"channel": name}) for _ in due]
    customers = customers_of(due)
    rows = [
        deliveries.queue(
            now=now, channel=channel, key=one.key, due_at=now, about=f"run:{one.run_id}",
            item=_item(one, customers[one.customer_id]),
        )
        for one in due
        if one.customer_id in customers
    ]  # fmt: skip
    deliveries.write(rows)
    made = dict(
        Delivery.objects.filter(key__among=[row.key for row in rows]).values_list("key", "pk")
    )
    return [
        Told(reason="queued", ref=f"delivery:{made[one.key]}") if one.key in made else GONE
        for one in due
    ]


def _item(one: Due, customer: Customer) -> Item:
    """What a program needs to know it by: keys, not only words."""
    facts = (
        ("sop", one.sop_name),
        ("run", str(one.run_id)),
        ("step", one.step.key),
        ("customer", customer.name),
        ("customer_id", customer.external_id),
        ("product", one.product_key),
    )
    title = one.step.title.get("zh") or one.step.key
    return Item(
        title=f"{one.sop_name}：{title}"[:200],
        text=customer.name,
        facts=tuple(fact for fact in facts if fact[1]),
        url=f"/customers/{customer.pk}/",
    )


def _of_touches(ids: Collection[int]) -> Mapping[int, Collection[str]]:
    return {
        pk: [state] for pk, state in Touch.objects.filter(pk__in=ids).values_list("pk", "state")
    }


outcomes_from("touch", _of_touches)


def _of_invitations(ids: Collection[int]) -> Mapping[int, Collection[str]]:
    rows = Invitation.objects.filter(pk__in=ids).values_list("pk", "answered_at")
    return {pk: ["answered" if at else "not_answered"] for pk, at in rows}


outcomes_from("invitation", _of_invitations)


def _of_deliveries(ids: Collection[int]) -> Mapping[int, Collection[str]]:
    """On its way is nothing yet: neither sent nor failed."""
    over = (Delivery.State.SENT, Delivery.State.FAILED, Delivery.State.DROPPED)
    rows = Delivery.objects.filter(pk__in=ids, state__in=over)
    return {pk: [state] for pk, state in rows.values_list("pk", "state")}


outcomes_from("delivery", _of_deliveries)
