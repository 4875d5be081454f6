"""Alerts as rows, for tests of pages and routing that need no judgement to make them."""

from datetime import timedelta

from factories import NOW

from gengyun.alerts.actions.defaults import install_defaults
from gengyun.alerts.models import Alert, AlertEvent, AlertRule, Episode
from gengyun.kernel.days import day_of

TODAY = day_of(NOW)
FACTS = {"z": -4.2, "ratio": 0.55, "observed": 172.0, "expected": 310.0}


def make_rules():
    """The default rules by key."""
    install_defaults(now=NOW)
    return {rule.key: rule for rule in AlertRule.objects.all()}


def make_alert(rule, customer=None, *, at=NOW, value=12.0, facts=None, readings=1, **values):
    """An open alert with its running episode and the line that opened it."""
    day = day_of(at)
    key = values.pop("key", f"c:{customer.pk}:{rule.key}" if customer else rule.key)
    defaults = {
        "family": "adoption",
        "severity": rule.severity,
        "owner": customer.owner if customer else None,
        "opened_on": day,
        "opened_at": at,
        "last_seen_on": day,
        "updated_at": at,
        "response_due_at": at + timedelta(hours=9),
        "resolve_due_at": at + timedelta(days=14),
    }
    alert = Alert.objects.create(customer=customer, key=key, rule=rule, **(defaults | values))
    evidence = [
        {
            "on": (day - timedelta(days=n)).isoformat(),
            "value": value + n,
            "severity": 2,
            **(facts or FACTS),
        }
        for n in range(readings - 1, -1, -1)
    ]
    Episode.objects.create(
        rule=rule,
        customer=customer,
        dedupe_key=key,
        alert=alert,
        state="open",
        opened_on=day,
        last_seen_on=day,
        judged_on=day,
        severity=rule.severity,
        value=value,
        reference=22.0,
        evidence=evidence,
        created_at=at,
        updated_at=at,
    )
    AlertEvent.objects.create(alert=alert, at=at, kind="opened")
    return alert
