"""A touch as the letter that leaves."""

from django.conf import settings

from gengyun.engagement.calc.budget import OPERATIONAL
from gengyun.engagement.calc.letters import Letter
from gengyun.engagement.models import Touch


def unsubscribe_url(touch: Touch) -> str:
    """The link that ends this kind of message; valid for ever. "" where there is nothing to end:
    what goes to a group, and what its reader asked for."""
    base: str = settings.PUBLIC_ADDRESS
    if not base or touch.contact_id is None or touch.budget_class == OPERATIONAL:
        return ""
    if touch.person.startswith("customer:"):
        return ""
    return f"{base.rstrip('/')}/u/{touch.token}/"


def letter_of(touch: Touch) -> Letter:
    customer, contact = touch.customer, touch.contact
    owner = customer.owner
    reader: dict[str, str] = {}
    if contact is not None:
        reader = {
            "name": contact.name,
            "email": contact.email,
            "phone": contact.phone,
            "wecom_id": contact.wecom_id,
            "product_user_id": contact.product_user_id,
        }
    is_here = owner is not None and owner.is_active
    return Letter(
        subject=touch.subject,
        body=touch.body,
        language=touch.language,
        category=touch.category,
        unsubscribe_url=unsubscribe_url(touch),
        reply_to=owner.email if owner is not None and is_here else "",
        reply_name=owner.name if owner is not None and is_here else "",
        customer={"id": customer.external_id, "name": customer.name},
        contact=reader,
    )
