"""Every number on the screen with its definition."""

from gengyun.health.models import Scorecard
from gengyun.health.queries.cards import version_in_force
from gengyun.usage.queries import metrics as queries
from gengyun.web.access import page
from gengyun.web.clock import today
from gengyun.web.present.definitions import chapters
from gengyun.web.views.settings.common import show
from gengyun.web.views.settings.scorecards import scope_words
from gengyun.web.words import is_zh, pick


@page(None)
def definitions(request):
    lang = "zh" if is_zh() else "en"
    names = queries.metric_names(lang)
    metrics = [
        (
            metric.key,
            pick(metric),
            queries.sentence(metric, lang, names),
            pick(metric, "description"),
        )
        for metric in queries.active_metrics()
    ]
    cards = [
        (card, version_in_force(card, today()))
        for card in Scorecard.objects.filter(retired_at__isnull=True).prefetch_related("versions")
    ]
    context = {
        "chapters": chapters(),
        "metrics": metrics,
        "cards": [(card, version) for card, version in cards if version],
        "metric_names": names,
        "scopes": scope_words([card for card, _version in cards]),
    }
    return show(request, "settings/definitions.html", "definitions", context)
