"""What a hold-out could show, in a sentence under its share. Pure."""

from django.utils.translation import gettext as _

from gengyun.sop.calc.form import Form
from gengyun.sop.queries.effect_plan import Planned
from gengyun.web.present import format as plain
from gengyun.web.present.sop_effect import difference, month_of


def power(form: Form, planned: Planned | None) -> str:
    if form.outcome is None:
        return ""
    if planned is None:
        return _("Without a hold-out nobody will know whether it helps.")
    held = round(planned.when.needed * form.holdout)
    given = {
        "worth": _("three tenths of the usual spread")
        if planned.worth is None
        else difference(planned.worth, form.outcome.kind).lstrip("+"),
        "needed": plain.count(planned.when.needed),
        "held": plain.count(held),
    }
    said = _(
        "To see a difference of %(worth)s with a chance of 80 %%, %(needed)s outcomes are needed, "
        "%(held)s of them of the hold-out."
    )
    return f"{said % given} {_pace(planned)}".strip()


def _pace(planned: Planned) -> str:
    if planned.when.on is not None:
        return _("At the pace of the last 90 days: about %(month)s.") % {
            "month": month_of(planned.when.on)
        }
    if planned.per_day:
        return _("At the pace of the last 90 days that takes more than ten years.")
    return _("When that is depends on how many enter; the dry run shows it.")
