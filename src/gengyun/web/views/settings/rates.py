"""Exchange rates: what one unit of a currency was worth from a day on."""

from decimal import Decimal, InvalidOperation

from django.utils.translation import gettext as _

from gengyun.kernel.errors import Refusal
from gengyun.revenue.actions.rates import set_rate
from gengyun.revenue.models import ExchangeRate
from gengyun.revenue.queries import settings as queries
from gengyun.team.queries.access import require
from gengyun.web.access import page
from gengyun.web.forms import Form
from gengyun.web.views.settings.common import field_of, go, show

TEMPLATE = "settings/rates.html"
SHOWN = 200
ERRORS = {"currency_unknown": "currency", "rate_of_one": "currency", "rate_not_positive": "rate"}


@page("settings.read", methods=("GET", "POST"))
def rates(request):
    if request.method == "GET":
        return _form(request, Form({"on": request.today.isoformat()}))
    require(request.user, "settings.edit")
    form = Form.of(request.POST)
    form.day("on")
    form.text("currency", required=True)
    rate = _rate(form)
    if not form.get("on"):
        form.errors["on"] = _("This is needed.")
    if not form.errors:
        try:
            set_rate(
                actor=request.user,
                now=request.now,
                currency=form.values["currency"],
                base=queries.current().base_currency,
                on=form.values["on"],
                rate=rate,
                source=form.get("source")[:80],
            )
        except Refusal as refusal:
            form.errors |= field_of(refusal, ERRORS)
        else:
            return go(request, "settings_rates", said=_("Rate written down"))
    return _form(request, form, 422)


def _rate(form):
    try:
        return Decimal(form.get("rate").replace(",", ""))
    except InvalidOperation:
        form.errors["rate"] = _("A number is needed here.")
        return None


def _form(request, form, status=200):
    rows = ExchangeRate.objects.order_by("currency", "base", "-on", "-known_at", "-pk")
    context = {
        "rates": list(rows[:SHOWN]),
        "rate_count": rows.count(),
        "form": form,
        "base": queries.current().base_currency,
    }
    return show(request, TEMPLATE, "rates", context, status=status)
