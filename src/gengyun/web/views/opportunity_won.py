"""What came of a won opportunity: a line that is in a contract already, or one still to come."""

from gengyun.kernel.errors import NotFound, Refusal
from gengyun.revenue.actions import opportunities as actions
from gengyun.revenue.queries import opportunities as queries
from gengyun.web.forms import Form
from gengyun.web.middleware import refusal_text
from gengyun.web.numbers import is_number
from gengyun.web.words import gettext as _

HOW = ("link", "later")


def blank(row):
    return Form({"how": "link" if queries.free_lines(row) else "later"})


def choices(user, row):
    """Lines that it may be."""
    return {"lines": [] if row.won_line_id else queries.free_lines(row)}


def line_of(row, wanted):
    if not is_number(wanted):
        raise NotFound
    found = next((line for line in queries.free_lines(row) if line.pk == int(wanted)), None)
    if found is None:
        raise NotFound
    return found


def read(request, row):
    """(the form, the won opportunity or None where the form has errors)."""
    form = Form.of(request.POST)
    if form.get("how") not in HOW:
        form.errors["how"] = _("Choose one of the list.")
        return form, None
    try:
        line = line_of(row, form.get("line")) if form.get("how") == "link" else None
        won = actions.win_opportunity(
            actor=request.user, now=request.now, opportunity=row, line=line
        )
    except NotFound:
        form.errors["line"] = _("Choose one of the list.")
        return form, None
    except Refusal as refusal:
        form.errors["how"] = refusal_text(refusal)
        return form, None
    return form, won
