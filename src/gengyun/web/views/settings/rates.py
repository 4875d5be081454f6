"""Exchange rates: what one unit of a currency was worth from a day on."""

from gengyun.revenue.models import ExchangeRate
from gengyun.revenue.queries import settings as queries
from gengyun.web.access import page
from gengyun.web.forms import Form
from gengyun.web.views.settings.common import show

TEMPLATE = "settings/rates.html"
SHOWN = 200


@page("settings.read")
def rates(request):
    return _form(request, Form({"on": request.today.isoformat()}))


def _form(request, form, status=200):
    rows = ExchangeRate.objects.order_by("currency", "base", "-on", "-known_at", "-pk")
    context = {
        "rates": list(rows[:SHOWN]),
        "rate_count": rows.count(),
        "form": form,
        "base": queries.current().base_currency,
    }
    return show(request, TEMPLATE, "rates", context, status=status)
