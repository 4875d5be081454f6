"""Open work items of many customers, said in both languages: for lists and summary rows."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from gengyun.alerts.models import Alert, AlertRule
from gengyun.alerts.queries.telling import main_episodes, names_of, tell


@dataclass(frozen=True)
class OpenAlert:
    """A ticket; those that wait in the digest are none. `covers`: kinds of its running rules."""

    id: int
    severity: int
    since: date
    is_snoozed: bool
    facts: dict[str, Any]  # id, rule names, the sentence in zh and en, time limits as ISO text
    covers: frozenset[str]


def open_alerts(customer_ids: Sequence[int], *, today: date) -> dict[int, list[OpenAlert]]:
    """Customer -> its tickets, the most urgent first. A few queries however many customers."""
    rows = list(
        Alert.objects.open()
        .tickets()
        .filter(customer_id__in=customer_ids, in_digest=False)
        .order_by("severity", "opened_at", "pk")
    )
    if not rows:
        return {}
    rules = AlertRule.objects.in_bulk()
    names = names_of(rules.values())
    main = main_episodes(rows)
    covers = _covers(rows, rules)
    found: dict[int, list[OpenAlert]] = defaultdict(list)
    for alert in rows:
        rule, episode = rules[alert.rule_id], main.get(alert.pk)
        said = {
            lang: tell(episode, names=names, zh=lang == "zh", today=today) if episode else ""
            for lang in ("zh", "en")
        }
        facts = {
            "alert": alert.pk,
            "name_zh": rule.name_zh,
            "name_en": rule.name_en,
            "text_zh": said["zh"],
            "text_en": said["en"],
            "response_due_at": _iso(alert.response_due_at if not alert.responded_at else None),
            "resolve_due_at": _iso(alert.resolve_due_at),
        }
        is_snoozed = alert.state == Alert.State.SNOOZED
        if alert.customer_id is not None:
            found[alert.customer_id].append(
                OpenAlert(
                    alert.pk,
                    alert.severity,
                    alert.opened_on,
                    is_snoozed,
                    facts,
                    frozenset(covers[alert.pk]),
                )
            )
    return dict(found)


def _covers(rows: Sequence[Alert], rules: dict[int, AlertRule]) -> dict[int, set[str]]:
    """Alert -> kinds of the rules that hold in it and in its parts."""
    ids = [alert.pk for alert in rows]
    found: dict[int, set[str]] = defaultdict(set)
    running = Alert.objects.filter(episodes__closed_on__isnull=True)
    own = running.filter(pk__in=ids).values_list("pk", "episodes__rule_id")
    parts = running.filter(parent_id__in=ids).values_list("parent_id", "episodes__rule_id")
    for pk, rule_id in (*own, *parts):
        if pk is not None and rule_id is not None:
            found[pk].add(rules[rule_id].kind)
    return found


def _iso(instant: Any) -> str | None:
    return instant.isoformat() if instant is not None else None
