"""Opening an alert: the step's own line asks for it, and the rule "asked for by an SOP" opens it,
with the budgets, routes and cool-downs of every other alert."""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta

from gengyun.alerts.calc.customer_rules import Asked
from gengyun.alerts.models import AlertRule
from gengyun.alerts.queries.asked import asked_by
from gengyun.kernel.days import day_of, start_of
from gengyun.kernel.outbox import emit
from gengyun.sop.actions.effects_inside import GONE, filled
from gengyun.sop.calc.effects import DONE, FAILED, Due, Told, effect
from gengyun.sop.models import StepRun, step_key_of
from gengyun.sop.queries.recipients import contacts_of, customers_of

REF = "alert:"


@effect("alert")
def open_alert(due: Sequence[Due], now: datetime) -> list[Told]:
    """Said as failed where the rule is switched off: nothing would open."""
    rules = AlertRule.objects.filter(kind=AlertRule.Kind.ASKED_FOR)
    if not rules.filter(is_active=True, retired_at=None).exists():
        return [Told(FAILED, "no_alert_rule") for _ in due]
    from gengyun.engagement.queries.template_facts import facts_for_many

    customers = customers_of(due)
    here = [one for one in due if one.customer_id in customers]
    contacts = contacts_of(here, "any")
    pairs = [(customers[one.customer_id], contacts.get(one.key)) for one in here]
    titles: dict[str, dict[str, str]] = {one.key: {} for one in here}
    for code, language in (("zh", "zh-hans"), ("en", "en")):
        facts = facts_for_many(pairs, today=day_of(now), language=language)
        for one, known in zip(here, facts, strict=True):
            titles[one.key][f"title_{code}"] = filled(one.step.params["title"][code], known)
    if here:
        emit("sop.alerted", {"customer_ids": sorted({one.customer_id for one in here})}, now=now)
    return [
        Told(
            DONE,
            "asked",
            {"severity": one.step.params["severity"], "cause": one.step.params["cause"],
             **titles[one.key]},
            f"{REF}{one.run_id}",
        )
        if one.key in titles
        else GONE
        for one in due
    ]  # fmt: skip


@asked_by
def asked(first: date, last: date, customer_ids: Collection[int] | None) -> list[Asked]:
    # the index of references holds them together
    lines = StepRun.objects.filter(
        ref__gte=REF,
        ref__lt=REF[:-1] + ";",
        kind="alert",
        state=StepRun.State.DONE,
        at__gte=start_of(first),
        at__lt=start_of(last + timedelta(days=1)),
    ).order_by("pk")
    if customer_ids is not None:
        lines = lines.filter(run__customer_id__in=list(customer_ids))
    return [
        Asked(
            customer_id=customer_id,
            key=step_key_of(run_id, step_key, ordinal),
            severity=int(told["severity"]),
            title_zh=str(told["title_zh"]),
            title_en=str(told["title_en"]),
            asked_on=day_of(at),
        )
        for run_id, step_key, ordinal, customer_id, told, at in lines.values_list(
            "run_id", "step_key", "ordinal", "run__customer_id", "told", "at"
        )
    ]
