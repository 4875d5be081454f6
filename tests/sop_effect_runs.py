"""Runs of both arms of an SOP with the renewals they are measured by."""

from datetime import timedelta

from factories import NOW, make_customer, make_renewal, make_run

from gengyun.sop.actions.measuring import measure

DAY = NOW.date()
DUE = DAY + timedelta(days=90)
READ = DUE + timedelta(days=60)  # grace


def form(kind="renewed", holdout=0.2, **outcome):
    return {
        "entry": {"kind": "hand"},
        "outcome": {"kind": kind, "window_days": 28, **outcome},
        "holdout": holdout,
        "cost_minor": 20_000,
        "steps": [{"key": "call", "kind": "task", "title": "打电话", "role": "csm"}],
        "first": "call",
    }


def renewing(version, count, kept, arm="treat", on=DAY, **facts):
    """Runs whose customers have a renewal; `kept` of them renewed on the due day."""
    made = []
    for number in range(count):
        customer = make_customer()
        is_kept = number < kept
        renewal = make_renewal(
            customer,
            on + timedelta(days=90),
            state="renewed" if is_kept else "open",
            decided_on=on + timedelta(days=90) if is_kept else None,
            outcome_minor=9_000_000 if is_kept else None,
        )
        chance = 0.2 + 0.3 * (number % 5 == 0)
        facts_of = {"renewal_id": renewal.pk, "churn": chance, "currency": "CNY", **facts}
        made.append(make_run(version, customer, arm, on, entry_facts=facts_of))
    return made


def run_measure(on):
    measure(as_of=on, now=NOW)
