"""Why a run did what it did: reason keys of the engine as sentences with their facts."""

from datetime import date

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from gengyun.kernel.days import day_of
from gengyun.web.present import format as plain
from gengyun.web.present import touches
from gengyun.web.words import is_zh


def _texts():
    return {
        # a step of its own
        "time": _("the days are over"),
        "condition": _("what was waited for came true"),
        "date": _("the day has come"),
        "timed_out": _("the time ran out"),
        "otherwise": _("none of the cases held"),
        "no_effect": _("steps of this kind cannot be carried out"),
        "no_owner": _("nobody looks after the customer"),
        "error": _("this went wrong; it is our fault"),
        # the end of a run
        "end": _("went to its last step"),
        "goal": _("the goal is reached"),
        "exit": _("left: the condition to leave early holds"),
        "lost": _("left: what let it in holds no more"),
        "gone": _("the customer is not there any more"),
        "contact_left": _("the contact has left"),
        "handed": _("handed to a person"),
        "holdout_over": _("the time of the hold-out is over"),
        "no_step": _("the step it stood at is not in this version"),
        "too_many_steps": _("stopped after too many steps"),
        "stopped": _("stopped by a person"),
        "sop_stopped": _("the SOP was stopped"),
        "undone": _("taken back by the person who started it"),
        # who does not enter
        "running": _("is in it already"),
        "before": _("was in it before, and it enters never again"),
        "too_soon": _("was in it not long ago"),
        "other_sop": _("is in another SOP"),
        "no_contact": _("has no contact of this role"),
        "no_product": _("has no product"),
        "entered_already": _("came in by this already"),
        "holdout": _("is in the hold-out: chance decided that nothing is done"),
        "has_run": _("was in it before"),
        "not_fitting": _("does not fulfil the condition"),
        "unknown": _("something that the condition asks about is not known"),
        "not_fresh": _("fulfilled the condition before the SOP began to look"),
        "inside": _("fulfilled the condition before the SOP began to look"),
        "would_enter": _("enters with the next judgement"),
        "by_other_way": _("comes in by an event, a date or by hand"),
        "stage_gone": _("the stage is not there any more"),
        "field_gone": _("the field is not there any more"),
        "value_unfit": _("the value does not fit the field"),
        "survey_gone": _("the survey is not there any more"),
        "answered_or_over": _("was answered already, or its time is over"),
        "queued": _("is planned"),
        "draft": _("a draft that the CSM edits and sends"),
        "approval": _("awaits approval"),
        "condition_false": _("does not fulfil the condition"),
        "condition_unknown": _("something that the condition asks about is not known"),
        "no_condition": _("enters by an event or by hand only"),
        "not_live": _("the SOP does not run"),
        # what is not sent
        "customer_gone": _("the customer is not there any more"),
        "no_address": _("the contact has no address"),
        "no_channel": _("there is no channel to this customer"),
        "no_unsubscribe": _("the address of this installation is not set, so nobody could opt out"),
        "empty": _("the text is empty"),
        "missing_value": _("the text needs something that is not known of this customer"),
        "opted_out": _("the contact does not want messages of this kind"),
        "has_bounced": _("mail to this address came back before"),
        "bounced": _("mail to this address came back before"),
        "cap_1d": _("the contact has had enough messages for one day"),
        "cap_7d": _("the contact has had enough messages for seven days"),
        "cap_30d": _("the contact has had enough messages for thirty days"),
        "too_late": _("waited so long that nobody wants it any more"),
        "rejected": _("a colleague decided not to send it"),
        "withdrawn": _("taken back before it was sent"),
        "refused": pgettext("touch", "refused"),
        "unanswered": _("nobody answered in time"),
        "asker_ended": _("the SOP had ended for this customer before the yes"),
    }


def sentence(reason, told=None):
    """ "" for no reason; a key that nobody named stands as it is."""
    if not reason:
        return ""
    told = told or {}
    if reason == "case":
        return _("case %(n)s held") % {"n": int(told.get("case", 0)) + 1}
    text = _texts().get(reason, reason)
    facts = _facts(reason, told)
    return _("%(reason)s (%(facts)s)") % {"reason": text, "facts": facts} if facts else text


def _facts(reason, told):
    if reason == "too_soon" and told.get("free_on"):
        return _("may again from %(day)s on") % {"day": _day(told["free_on"])}
    if reason == "before" and told.get("ended_on"):
        return _("ended %(day)s") % {"day": _day(told["ended_on"])}
    if reason == "other_sop" and told.get("sop"):
        return str(told["sop"])
    if reason.startswith("cap_") and told.get("counted") is not None:
        counted = int(told["counted"])
        words = ngettext("%(n)s of at most %(cap)s", "%(n)s of at most %(cap)s", counted)
        return words % {"n": counted, "cap": told.get("cap", "?")}
    if reason == "missing_value" and told.get("name"):
        return str(told["name"])
    return _answered(reason, told)


def _answered(reason, told):
    """Of what waited for a yes."""
    if reason == "refused" and told.get("by"):
        return _("by %(who)s: %(why)s") % {"who": told["by"], "why": told.get("why", "")}
    if reason in {"approval", "unanswered"} and told.get("answer_by"):
        who = dict(touches.approvers()).get(told.get("approver"), "")
        return _("%(who)s, until %(day)s") % {"who": who, "day": _moment_day(told["answer_by"])}
    return ""


def _moment_day(iso):
    """The company's day of an instant."""
    found = parse_datetime(str(iso))
    return _day(day_of(found).isoformat()) if found else ""


def _day(iso):
    try:
        found = date.fromisoformat(str(iso)[:10])
    except ValueError:
        return str(iso)
    return plain.day_full(found, zh=is_zh())
