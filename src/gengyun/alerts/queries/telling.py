"""What an alert says: the reading that stands for it, and the names in its evidence."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from gengyun.alerts.calc.sentences import sentence
from gengyun.alerts.calc.wording import Names, Told
from gengyun.alerts.models import Alert, AlertRule, Episode
from gengyun.customers.models import Stage
from gengyun.health.calc.manual import NAMES, SENTIMENT
from gengyun.usage.models import Metric


def names_of(rules: Iterable[AlertRule]) -> Names:
    """Names of the metrics that these rules read, and of all stages."""
    keys = {str(rule.params["metric"]) for rule in rules if rule.params.get("metric")}
    metrics = {
        row.key: (row.name_zh, row.name_en, row.unit)
        for row in (Metric.objects.filter(key__in=keys) if keys else ())
    }
    metrics[SENTIMENT] = (*NAMES[SENTIMENT], SENTIMENT)
    stages = {row.pk: (row.name_zh, row.name_en) for row in Stage.objects.all()}
    return Names(metrics, stages)


def main_episodes(alerts: Sequence[Alert]) -> dict[int, Episode]:
    """{alert id: the episode that speaks for it}: open first, then urgent, then new."""
    ids = [alert.pk for alert in alerts]
    found: dict[int, Episode] = {}
    rows = Episode.objects.filter(alert_id__in=ids).select_related("rule")
    for row in sorted(rows, key=_rank):
        if row.alert_id is not None:
            found.setdefault(row.alert_id, row)
    return found


def _rank(episode: Episode) -> tuple[bool, int, int, int]:
    is_closed = episode.closed_on is not None
    return is_closed, episode.severity, -episode.opened_on.toordinal(), -episode.pk


def told_reading(episode: Episode) -> dict[str, Any]:
    """The newest reading on which the condition held: later ones tell of its end."""
    held = [one for one in episode.evidence if one["on"] <= episode.last_seen_on.isoformat()]
    found = held or episode.evidence
    return dict(found[-1]) if found else {}


def tell(episode: Episode, *, names: Names, zh: bool, today: date) -> str:
    """An episode as a sentence."""
    return tell_reading(episode, told_reading(episode), names=names, zh=zh, today=today)


def tell_reading(
    episode: Episode, reading: dict[str, Any], *, names: Names, zh: bool, today: date
) -> str:
    rule = episode.rule
    return sentence(
        Told(
            kind=rule.kind,
            params=rule.params,
            value=reading.get("value", episode.value),
            reference=reading.get("reference", episode.reference),
            facts=reading,
            names=names,
            zh=zh,
            today=today,
        )
    )
