"""Renewals of the pages bench: one for each customer, spread over five quarters."""

import random
from datetime import UTC, datetime, timedelta
from itertools import islice

from gengyun.cli.benches.bulk import analyze, insert, without_indexes

STEP = 100_000
BACK, AHEAD = 120, 330  # days around today
CATEGORIES = ("commit", "expected", "at_risk", "unjudged")
CHANGED = 400  # renewals that somebody changed this week


def build(customers: int, now: datetime) -> None:
    """Every customer has one renewal; the four questions are answered where it is near."""
    from gengyun.revenue.models import Renewal, RenewalChange, SelfCheck

    chance = random.Random(13)  # noqa: S311 - made-up data
    today = now.date()
    due_on = {
        pk: today + timedelta(days=chance.randint(-BACK, AHEAD)) for pk in range(1, customers + 1)
    }

    def renewals():
        for pk, due in due_on.items():
            category = chance.choices(CATEGORIES, (40, 30, 15, 15))[0]
            amount = int(chance.lognormvariate(15, 1))
            yield {
                "id": pk,
                "customer_id": pk,
                "group": "core",
                "due_on": due,
                "due_minor": amount,
                "currency": "USD" if chance.random() < 0.02 else "CNY",
                "state": "open",
                "category": category,
                "forecast_minor": None if category == "unjudged" else amount,
                "asked_minor": None if pk % 3 else amount + amount // 16,
                "cause": "",
                "involuntary": False,
                "note": "",
                "signal": "renew",
                "signal_why": [],
                "signal_on": today,
                "churn_probability": _chance_of(pk),
                "churn_on": today,
                "gap": chance.choices((0, 1, 2, 3), (85, 8, 5, 2))[0],
                "created_at": now - timedelta(days=200),
            }

    def checks():
        for pk, due in due_on.items():
            for question in (1, 2, 3, 4) if (due - today).days < 180 else ():
                yield {
                    "renewal_id": pk,
                    "question": question,
                    "auto_answer": chance.choice(("yes", "no", "")),
                    "evidence": [],
                    "answer": "",
                    "note": "",
                }

    for model, rows in ((Renewal, renewals()), (SelfCheck, checks())):
        with without_indexes(model):
            while part := list(islice(rows, STEP)):
                insert(model, part)
    _changes(RenewalChange, now, chance, customers)
    _forecasts(customers, due_on, now)
    analyze()


def _chance_of(pk: int) -> float | None:
    """The same for renewal and forecast; a tenth is refused."""
    return None if pk % 10 == 0 else round((pk * 37 % 97) / 110, 4)


def _forecasts(customers: int, due_on: dict, now: datetime) -> None:
    """What the night says of each renewal, with its reasons and half a year of weeks."""
    from gengyun.churn.models import ChurnForecast, ChurnModel

    today = now.date()
    model = ChurnModel.objects.create(
        event="non_renewal", rung="L2", state="champion", content={}, trained_at=now,
        cutoff=today, promoted_at=now, outcomes=900, events=200,
    )  # fmt: skip
    driver = {"feature": "rate_trend", "reason": "use_trend", "points": 0.08,
              "contribution": 0.4, "fact": {"rate_trend": -0.5}}  # fmt: skip
    weeks = [today - timedelta(weeks=back) for back in range(25, -1, -1)]

    def rows():
        for pk in range(1, customers + 1):
            p = _chance_of(pk)
            history = [[day.isoformat(), p, p and p * 0.6, p and p * 1.4, 1] for day in weeks]
            yield {
                "customer_id": pk, "renewal_id": pk, "as_of": today, "event": "non_renewal",
                "due_on": due_on[pk], "lag_days": (due_on[pk] - today).days, "probability": p,
                "low": p and p * 0.6, "high": p and p * 1.4, "p30": p, "p90": p, "p180": p,
                "base": 0.2, "grade": "B" if p else "", "refused": "" if p else "past_due",
                "drivers": [driver] * 5, "missing": [], "counterfactuals": [], "history": history,
                "model_id": model.pk, "amount_minor": 1_000_000, "currency": "CNY",
                "computed_at": now,
            }  # fmt: skip

    with without_indexes(ChurnForecast):
        made = rows()
        while part := list(islice(made, STEP)):
            insert(ChurnForecast, part)


def _changes(model, now: datetime, chance: random.Random, customers: int) -> None:
    from gengyun.revenue.models import ExchangeRate
    from gengyun.team.models import User

    actor = User.objects.order_by("pk").first()
    model.objects.bulk_create(
        model(renewal_id=pk, at=now, actor=actor, field="category", old="unjudged", new="commit")
        for pk in chance.sample(range(1, customers + 1), min(CHANGED, customers))
    )
    ExchangeRate.objects.create(
        currency="USD", base="CNY", on=now.date() - timedelta(days=30), rate=7, known_at=now
    )


def scenarios() -> list[tuple[str, list[str]]]:
    """The grid of every quarter and month, in each order, filtered, and its later pages."""
    today = datetime.now(UTC).date()
    quarter = (today.month - 1) // 3 + 1
    this = f"{today.year}q{quarter}"
    following = f"{today.year + 1}q1" if quarter == 4 else f"{today.year}q{quarter + 1}"
    base = "/renewals/?scope=team"
    grid = [f"{base}&p={key}{more}" for key in (this, following) for more in ("", "&sort=amount")]
    grid += [f"{base}&p={following}&sort=gap", f"{base}&by=month&p={today:%Y-%m}"]
    grid += [f"{base}&p={following}&page=3", f"{base}&p={this}&page=20"]
    narrow = [f"{base}&p={following}&{one}" for one in (
        "only=unjudged", "only=gap&sort=gap", "only=changed", "cat=at_risk", "tier=1"
    )]  # fmt: skip
    tabs = [
        f"/renewals/{part}/?scope=team&p={key}"
        for part in ("tabs", "apart")
        for key in (this, following)
    ]
    cards = [f"/customers/{pk}/churn/" for pk in range(1, 4000, 67)]
    return [
        ("renewals", grid),
        ("renewals_filter", narrow),
        ("renewals_tabs", tabs),
        ("customer_churn", cards),
    ]
