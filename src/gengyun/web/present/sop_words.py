"""The words of SOPs: kinds of steps, what a step does in one line, states, reasons."""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from gengyun.web.present import sop_tree, touches
from gengyun.web.words import is_zh

DOT = " · "


def kinds():
    """[(kind, name, what it is for, icon)] in the order that they are offered."""
    return [
        ("task", pgettext("SOP step", "Task"), _("somebody does something by a day"),
         "clipboard-check"),
        ("message", pgettext("SOP step", "Message"), _("to a contact, on a channel"), "send"),
        ("wait", pgettext("SOP step", "Wait"), _("some days, or until something is true"),
         "hourglass"),
        ("branch", pgettext("SOP step", "Branch"), _("different ways for different cases"),
         "git-branch"),
        ("survey", pgettext("SOP step", "Survey"), _("a link to a questionnaire"),
         "message-question"),
        ("set", pgettext("SOP step", "Set a field"), _("the stage or a field of your own"),
         "pencil"),
        ("alert", pgettext("SOP step", "Open an alert"), _("into the queue of the CSM"), "bell"),
        ("hand", pgettext("SOP step", "Hand to a person"), _("with what is known so far"),
         "user-share"),
        ("note", pgettext("SOP step", "Note"), _("a line in the run log"), "note"),
        ("webhook", pgettext("SOP step", "Webhook"), _("tell another system"), "webhook"),
    ]  # fmt: skip


def kind_word(kind):
    return next((name for key, name, _about, _icon in kinds() if key == kind), kind)


def kind_icon(kind):
    return next((icon for key, _name, _about, icon in kinds() if key == kind), "note")


def roles():
    return [
        ("csm", pgettext("role", "CSM")),
        ("leader", pgettext("role", "Leader")),
        ("operations", pgettext("role", "Operations")),
    ]


def recipients():
    return [("champion", _("the champion")), ("decider", _("the decision maker")),
            ("any", _("the first contact with an address"))]  # fmt: skip


def modes():
    return [
        ("draft", _("a draft: the CSM edits and sends it")),
        ("approve", _("sent once approved")),
        ("send", _("sent by itself")),
    ]


def bmat():
    """B = MAT: what a step works on."""
    return [
        ("m", pgettext("B=MAT", "Motivation"), _("they see why")),
        ("a", pgettext("B=MAT", "Ability"), _("it gets easier for them")),
        ("t", pgettext("B=MAT", "Trigger"), _("they are reminded at the right moment")),
    ]


def entry_kinds():
    return [
        ("condition", _("when a condition becomes true")),
        ("snapshot", _("whoever fulfils a condition on a day")),
        ("event", _("when something happens")),
        ("date", _("relative to a date of the customer")),
        ("hand", _("by hand only")),
        ("api", _("by the API only")),
    ]


def identities():
    return [("customer", _("each customer once")), ("contact", _("each contact once")),
            ("product", _("each product of a customer once"))]  # fmt: skip


def outcome_kinds():
    return [
        ("", pgettext("outcome", "not measured")),
        ("renewed", pgettext("outcome", "that it renews")),
        ("health", pgettext("outcome", "the health score")),
        ("metric", pgettext("outcome", "a metric")),
        ("goal", pgettext("outcome", "that the goal is reached")),
    ]


def state(sop_state):
    """(tone of the tag, word)"""
    return {
        "draft": ("c", _("Draft")),
        "live": ("a", pgettext("SOP", "Running")),
        "paused": ("n", pgettext("SOP", "Paused")),
        "stopped": ("n", pgettext("SOP", "Stopped")),
    }.get(sop_state, ("n", sop_state))


def run_state(run):
    if run.arm == "holdout":
        return ("br", _("Hold-out"))
    return {
        "running": ("b", pgettext("run", "Running")),
        "waiting": ("b", pgettext("run", "Waiting")),
        "done": ("a", pgettext("run", "Done")),
        "exited": ("n", pgettext("run", "Left early")),
        "stopped": ("n", pgettext("run", "Stopped")),
        "failed": ("d", pgettext("run", "Failed")),
    }.get(run.state, ("n", run.state))


def day_count(count):
    return ngettext("%(n)s day", "%(n)s days", count) % {"n": count}


def working_days(count):
    return ngettext("%(n)s working day", "%(n)s working days", count) % {"n": count}


def counted(kind, typed):
    """ "5 working days"; what is no number stands as it is."""
    try:
        count = int(typed)
    except (TypeError, ValueError):
        return "?"
    return working_days(count) if kind == "working_days" else day_count(count)


def relative(field_label, days, side):
    """90 days before Renews"""
    values = {"days": counted("days", days), "field": field_label}
    if str(days) == "0":
        return _("on the day of %(field)s") % values
    if side == "after":
        return _("%(days)s after %(field)s") % values
    return _("%(days)s before %(field)s") % values


class StepWords:
    """One line for each step of a checklist, from the draft of `sop_form`."""

    def __init__(self, sentence, *, channels, surveys, settable, values, dates, causes, webhooks):
        self.sentence = sentence  # of a condition of the draft
        self.channels, self.surveys, self.webhooks = dict(channels), dict(surveys), dict(webhooks)
        self.settable, self.dates, self.causes = dict(settable), dict(dates), dict(causes)
        self.values = {field: dict(options) for field, options in values.items()}

    def wait(self, item):
        kind = item["wait"]
        if kind == "until":
            told = self.sentence(item["until"])
            if not told:
                return _("Wait until …")
            return _("Wait until %(condition)s, at most %(days)s") % {
                "condition": told,
                "days": counted("days", item["timeout_days"]),
            }
        if kind == "date":
            when = relative(
                self.dates.get(item["date_field"], item["date_field"]),
                item["date_days"],
                item["date_side"],
            )
            return _("Wait until %(when)s") % {"when": when}
        return _("Wait %(days)s") % {"days": counted(kind, item["n"])}

    def title(self, item):
        """What stands in the list: the title, or what the step does."""
        if item["kind"] == "wait":
            return self.wait(item)
        return (
            item["title"]
            or {
                "message": item.get("zh_subject") if is_zh() else item.get("en_subject"),
            }.get(item["kind"])
            or kind_word(item["kind"])
        )

    def text(self, item):
        """The line below the title."""
        kind = item["kind"]
        if kind == "message":
            first, second = ("zh", "en") if is_zh() else ("en", "zh")
            subject = item[f"{first}_subject"] or item[f"{second}_subject"]
            body = item[f"{first}_body"] or item[f"{second}_body"]
            return subject if subject and subject != item["title"] else short(body)
        if kind == "set":
            value = self.values.get(item["field"], {}).get(item["value"], item["value"])
            return _("%(field)s becomes %(value)s") % {
                "field": self.settable.get(item["field"], item["field"]) or "?",
                "value": value or "?",
            }
        if kind in {"note", "hand"}:
            return short(item["text"])
        if kind == "task":
            return short(item["body"])
        if kind == "alert" and item["cause"]:
            return self.causes.get(item["cause"], item["cause"])
        return ""

    def mode(self, item):
        """How a message goes out, and whose yes it needs."""
        word = dict(modes()).get(item["mode"], item["mode"])
        if item["mode"] != "approve":
            return word
        who = dict(touches.approvers()).get(item["approver"], item["approver"])
        return _("%(mode)s: %(who)s") % {"mode": word, "who": who}

    def meta(self, item):
        """[first line, second line] at the right."""
        kind = item["kind"]
        word, role = kind_word(kind), dict(roles()).get(item.get("role", ""), item.get("role", ""))
        if kind == "task":
            days = counted("working_days", item["due_working_days"])
            return [word + DOT + role, _("within %(days)s") % {"days": days}]
        if kind == "message":
            channel = self.channels.get(item["channel"], item["channel"])
            return [
                channel + DOT + dict(recipients()).get(item["to"], item["to"]),
                self.mode(item),
            ]
        if kind == "hand":
            return [word, role]
        if kind == "survey":
            return [word, self.surveys.get(item["survey"], item["survey"])]
        if kind == "webhook":
            return [word, self.webhooks.get(item["channel"], item["channel"])]
        return [word, ""]


def span(form):
    """How long the longest way takes, "21 days"; "" where nothing is waited for."""
    steps = {step["key"]: step for step in form.get("steps") or ()}
    longest = _longest(steps, form.get("first"), frozenset())
    return day_count(longest) if longest else ""


def _longest(steps, key, passed):
    if key not in steps or key in passed:
        return 0
    step = steps[key]
    days = step.get("days") or step.get("timeout_days") or 0
    days += round((step.get("working_days") or step.get("due_working_days") or 0) * 7 / 5)
    ways = sop_tree.ways(step)
    return days + max((_longest(steps, way, passed | {key}) for way in ways), default=0)


def short(text, most=90):
    line = " ".join((text or "").split())
    return line if len(line) <= most else line[: most - 1] + "…"
