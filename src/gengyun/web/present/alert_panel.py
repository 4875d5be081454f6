"""One alert with everything that proves it: for the side panel and the page of its own."""

from datetime import date

from django.db.models import F

from gengyun.alerts.actions.routing import delivered
from gengyun.alerts.models import AlertRule, RiskCause
from gengyun.alerts.queries.telling import main_episodes, names_of, tell, tell_reading
from gengyun.alerts.queries.use import use_line
from gengyun.churn.models import ChurnForecast
from gengyun.health.queries import scores
from gengyun.portfolio.models import CustomerSummary
from gengyun.team.models import User
from gengyun.team.queries.access import can
from gengyun.web.present import alert_chart
from gengyun.web.present import alerts as present

Kind = AlertRule.Kind
USE = {Kind.USAGE_DROP, Kind.DORMANT, Kind.SLOW_SLIDE}
HEALTH = {Kind.BAND_CHANGE, Kind.SCORE_DROP}
READ = {Kind.METRIC, Kind.ACTIVATION_LOW}
SHOWN_READINGS = 6


def context(found, *, now, today, zh, user):
    alert = found.alert
    main = main_episodes([alert]).get(alert.pk)
    names = names_of(episode.rule for episode in found.episodes)
    summary = (
        CustomerSummary.objects.filter(pk=alert.customer_id).select_related("tier").first()
        if alert.customer_id
        else None
    )
    people = User.objects.in_bulk(
        {pair[-1] for e in found.log for pair in [e.detail.get("owner") or [None]] if pair[-1]}
    )
    return {
        "alert": alert,
        "customer": alert.customer,
        "summary": summary,
        "main": main,
        "rule": main.rule if main else alert.rule,
        "suspected": _suspected(main, alert),
        "shows_churn": main is not None and main.rule.kind == Kind.CHURN_JUMP,
        "sentence": tell(main, names=names, zh=zh, today=today) if main else "",
        "is_over": _is_over(main),
        "severity": present.severity(alert.severity),
        "deadline": present.deadline(alert, now=now, zh=zh),
        "state": present.state_tag(alert),
        "close_reason": present.close_reason(alert),
        "verdict_word": present.verdict_word(alert.verdict),
        "chart": _chart(alert, main, names, zh=zh, today=today),
        "episodes": [
            {
                "episode": episode,
                "sentence": tell(episode, names=names, zh=zh, today=today),
                "is_open": episode.closed_on is None,
            }
            for episode in found.episodes
            if main is None or episode.pk != main.pk
        ],
        "parts": present.rows(found.parts, now=now, today=today, zh=zh),
        "readings": _readings(main, names, zh=zh, today=today),
        "log": present.log_lines(found.log, people, zh=zh, today=today),
        "earlier": [(one, present.verdict_word(one.verdict)) for one in found.earlier],
        "notices": delivered(alert),
        "may_work": can(user, "alert.work")
        and (alert.customer_id is not None or can(user, "sources.edit")),
        "kinds": needs_kinds(),
        "may_write": can(user, "activity.write") and alert.customer_id is not None,
        "contact_action": alert.customer_id is not None,
    }


def needs_kinds():
    from gengyun.web.views.customer import kinds

    return kinds()


def _is_over(main):
    """The condition does not hold any more, but the alert has not ended yet."""
    if main is None or main.closed_on is not None or not main.evidence:
        return False
    return main.evidence[-1]["on"] > main.last_seen_on.isoformat()


def _readings(main, names, *, zh, today):
    """The newest readings of the rule that speaks, with the sentence of each."""
    if main is None or len(main.evidence) < 2:
        return []
    newest = main.evidence[-SHOWN_READINGS:][::-1]
    return [
        {
            "on": date.fromisoformat(one["on"]),
            "held": one["on"] <= main.last_seen_on.isoformat(),
            "text": tell_reading(main, one, names=names, zh=zh, today=today),
        }
        for one in newest
    ]


def _chart(alert, main, names, *, zh, today):
    if main is None:
        return None
    kind, opened = main.rule.kind, main.opened_on
    if kind in USE:
        return alert_chart.usage(
            use_line(alert),
            reference=main.reference,
            opened_on=opened,
            today=today,
            zh=zh,
        )
    if kind in HEALTH:
        row = scores.latest(alert.customer_id)
        return row and alert_chart.score(_points(row), opened_on=opened, today=today, zh=zh)
    if kind in READ:
        key = str(main.rule.params.get("metric", ""))
        is_share = names.unit(key) in {"ratio", "percent", "change"}
        name = names.metric(key, zh=zh)
        return alert_chart.readings(
            main.evidence,
            threshold=main.rule.params.get("enter"),
            name=f"{name}（%）" if is_share and zh else f"{name} (%)" if is_share else name,
            opened_on=opened,
            today=today,
            zh=zh,
            scale=100.0 if is_share else 1.0,
        )
    if kind == Kind.CHURN_JUMP:
        return _churn_chart(alert, main, zh=zh, today=today)
    return None


def _churn_chart(alert, main, *, zh, today):
    """The weekly line of the renewal that the alert is about, with the mark of its tier."""
    facts = main.evidence[-1] if main.evidence else {}
    rows = ChurnForecast.objects.filter(customer_id=alert.customer_id, due_on=facts.get("due_on"))
    row = rows.order_by(F("amount_minor").desc(nulls_last=True), "pk").first()
    points = main.evidence
    if row is not None and row.history:
        points = [{"on": one[0], "value": one[1]} for one in row.history]
        if points[-1]["on"] < row.as_of.isoformat():
            points.append({"on": row.as_of.isoformat(), "value": row.probability})
    return alert_chart.readings(
        points,
        threshold=facts.get("mark"),
        name="断约概率（%）" if zh else "Churn probability (%)",
        opened_on=main.opened_on,
        today=today,
        zh=zh,
        scale=100.0,
    )


def _suspected(main, alert):
    """The cause behind it: a noted risk names its own."""
    rule = main.rule if main else alert.rule
    if main is None or main.rule.kind != Kind.RISK_NOTED or not main.evidence:
        return rule.cause
    return RiskCause.objects.filter(key=main.evidence[-1].get("cause")).first() or rule.cause


def _points(row):
    return [(date.fromisoformat(day), value) for day, value in row.history]
