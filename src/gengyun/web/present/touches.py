"""Touches in words: states, reasons, categories, where they came from."""

from datetime import datetime

from django.utils.dateparse import parse_datetime

from gengyun.engagement.models import Category, Channel, OptOut, Touch
from gengyun.kernel.days import company_zone
from gengyun.web.present import format as plain
from gengyun.web.words import gettext as _
from gengyun.web.words import is_zh, pgettext

TONES = {"sent": "a", "failed": "d", "bounced": "d", "unsure": "c", "suppressed": "", "draft": "c",
         "approval": "c"}  # fmt: skip


def state_word(state):
    return {
        "draft": pgettext("touch", "Draft"),
        "approval": pgettext("touch", "Awaiting approval"),
        "queued": pgettext("touch", "Planned"),
        "sent": pgettext("touch", "Sent"),
        "suppressed": pgettext("touch", "Not sent"),
        "failed": pgettext("touch", "Failed"),
        "bounced": pgettext("touch", "Bounced"),
        "unsure": pgettext("touch", "Perhaps sent"),
    }.get(state, state)


def approvers():
    return [("csm", _("the CSM, or who stands in")), ("leader", _("a leader"))]


def waits_for(touch: Touch, *, today):
    """Whose yes it waits for, and until when."""
    until = touch.answer_by.astimezone(company_zone()) if touch.answer_by else None
    params = {
        "who": dict(approvers()).get(touch.approver, touch.approver),
        "until": plain.moment(until, today=today, zh=is_zh()) if until else "",
    }
    return _("%(who)s, until %(until)s") % params


def tab_word(tab):
    return {
        "drafts": pgettext("touch", "Drafts"),
        "approvals": pgettext("touch", "To approve"),
        "planned": pgettext("touch", "Planned"),
        "sent": pgettext("touch", "Sent"),
        "not_sent": pgettext("touch", "Not sent"),
        "trouble": pgettext("touch", "Came back or unsure"),
        "all": pgettext("touch", "All"),
    }[tab]


def category_word(category):
    return {
        Category.SERVICE: _("Service"),
        Category.EDUCATION: _("Training and tips"),
        Category.MARKETING: _("Offers and news"),
        Category.SURVEY: _("Surveys"),
        Category.RELATION: _("Personal contact"),
        OptOut.ALL: _("All messages"),
    }.get(category, category)


def class_word(name):
    return {
        "all": pgettext("budget", "All together"),
        "service": pgettext("budget", "Service and personal contact"),
        "campaign": pgettext("budget", "Training, tips, offers and news"),
        "survey": pgettext("budget", "Surveys"),
        "operational": pgettext("budget", "Asked for, counts in no cap"),
    }.get(name, name)


def kind_word(kind):
    return {
        "feishu": _("Feishu group"),
        "dingtalk": _("DingTalk group"),
        "wecom_robot": _("WeCom group"),
        "email": _("Mail"),
        "webhook": _("Webhook"),
        "nowhere": _("Record only"),
    }.get(kind, kind)


def reason_word(reason):
    return {
        "customer_gone": _("The customer is archived"),
        "contact_left": _("The contact has left"),
        "no_contact": _("No contact to write to"),
        "no_address": _("The contact has no mail address"),
        "no_channel": _("No channel leads to this customer"),
        "no_unsubscribe": _("The address of this system is not set, so nobody could unsubscribe"),
        "empty": _("The message is empty"),
        "missing_value": _("A value that the text needs is not known"),
        "opted_out": _("The contact has unsubscribed from these messages"),
        "bounced": _("Mail to this address comes back"),
        "cap_1d": _("Cap of one day reached"),
        "cap_7d": _("Cap of seven days reached"),
        "cap_30d": _("Cap of thirty days reached"),
        "too_late": _("It could not leave for three days, so it was out of date"),
        "rejected": _("A colleague decided not to send it"),
        "withdrawn": _("Taken back"),
        "refused": _("Refused"),
        "unanswered": _("Not approved in time"),
        "asker_ended": _("The SOP had ended for this customer before the yes"),
    }.get(reason, reason)


def why(touch: Touch, *, today):
    """Why it was not sent, or what became of it, as one sentence; "" where nothing is to say."""
    told = touch.told or {}
    if touch.reason.startswith("cap_"):
        return _cap(touch, told, today)
    if touch.reason:
        return _not_sent(touch.reason, told)
    if touch.state == Touch.State.BOUNCED:
        said = str(told.get("said", ""))
        return _("It came back: %(said)s") % {"said": said} if said else _("It came back.")
    if touch.state in {Touch.State.FAILED, Touch.State.UNSURE}:
        text = str(told.get("text", ""))
        if told.get("settled"):
            text = "It did not leave, as a colleague found out."
        return _(text) if text else ""
    return ""


def _not_sent(reason, told):
    if reason == "missing_value":
        name = str(told.get("name", ""))
        return _("The text needs %(name)s, which is not known here.") % {"name": name}
    if reason == "refused" and told.get("why"):
        return _("Refused by %(who)s: %(why)s") % {"who": told.get("by", ""), "why": told["why"]}
    return _("%(reason)s.") % {"reason": reason_word(reason)}


def _cap(touch, told, today):
    params = {
        "cap": told.get("cap", ""),
        "window": _window(told.get("days")),
        "counted": told.get("counted", ""),
        "what": class_word(told.get("budget_class", "")),
    }
    text = _("Cap reached: at most %(cap)s in %(window)s (%(what)s), %(counted)s counted.")
    free_at = moment_of(told.get("free_at"))
    if free_at is None:
        return text % params
    params["free"] = plain.moment(free_at, today=today, zh=is_zh())
    free = _("There is room again from %(free)s.") % params
    return f"{text % params}{'' if is_zh() else ' '}{free}"


def _window(days):
    return {1: _("one day"), 7: _("seven days"), 30: _("thirty days")}.get(days, "")


def moment_of(text) -> datetime | None:
    found = parse_datetime(text) if isinstance(text, str) else None
    return found.astimezone(company_zone()) if found is not None else None


def source_word(source):
    """Where a touch came from: an SOP, a survey, a person."""
    if source.startswith("sop:"):
        return "SOP"
    if source.startswith("survey:"):
        return _("Survey")
    return source


def kinds():
    return [(kind, kind_word(kind)) for kind in Channel.Kind.values]


def categories(*, with_all=False):
    found = [(one, category_word(one)) for one in Category.values]
    return [*found, (OptOut.ALL, category_word(OptOut.ALL))] if with_all else found
