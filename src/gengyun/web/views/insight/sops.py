"""Which SOP works: what the hold-outs of all of them say."""

from gengyun.sop.calc.measured import from_json
from gengyun.sop.models import Sop
from gengyun.sop.queries.effect import newest_of_all
from gengyun.sop.queries.forms import form_of
from gengyun.team.queries.access import can
from gengyun.usage.queries.metrics import metric_names
from gengyun.web.access import page
from gengyun.web.present import insight_sops as shapes
from gengyun.web.views.insight.common import ECONOMICS, ask_of, show
from gengyun.web.words import language


@page()
def sops(request):
    found = [
        (effect, from_json(effect.told), form_of(effect.version)) for effect in newest_of_all()
    ]
    with_money = can(request.user, ECONOMICS)
    rows = shapes.rows(
        found, metrics=metric_names(language()), today=request.today, with_money=with_money
    )
    context = {
        "rows": rows,
        "with_money": with_money,
        "without": Sop.objects.exclude(state=Sop.State.DRAFT)
        .exclude(pk__in=[row.pk for row in rows])
        .count(),
        "count": len(rows),
    }
    return show(request, "insight/sops.html", ask_of(request), context)
