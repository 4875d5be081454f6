"""Customers and SOPs for `bench sop`: rows as the nights before left them, put in by COPY."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import numpy as np

from gengyun.cli.benches.bulk import analyze, insert, without_indexes

CHUNK = 50_000
SOPS = 50
OWNERS = 50
PLANS = ("basic", "team", "company")
STAGES_MOVED = 200  # one in so many customers is in another stage the next day
MOVED = 50  # one in so many has quite other numbers the next day
BANDS = ((80.0, "A"), (65.0, "B"), (50.0, "C"), (0.0, "D"))


def build(customers: int, now: datetime) -> None:
    """Fill the migrated, empty database: customers with summaries, a custom field, champions with
    an address, a renewal each; fifty SOPs that go live."""
    from gengyun.customers.actions.defaults import install_defaults
    from gengyun.customers.models import Contact, Customer, CustomField, FieldValue
    from gengyun.portfolio.models import CustomerSummary
    from gengyun.revenue.models import Renewal
    from gengyun.team.models import Role, User

    install_defaults(now=now)
    User.objects.bulk_create(
        User(email=f"csm{n}@bench.cn", name=f"顾问{n}", role=Role.CSM, created_at=now)
        for n in range(OWNERS)
    )
    field = CustomField.objects.create(
        key="plan", kind="choice", name_en="Plan", created_at=now, updated_at=now,
        options=[{"key": key, "name_zh": key, "name_en": key} for key in PLANS],
    )  # fmt: skip
    models = (Customer, CustomerSummary, Contact, FieldValue, Renewal)
    with without_indexes(*models):
        for first in range(1, customers + 1, CHUNK):
            part = list(_rows(range(first, min(first + CHUNK, customers + 1)), now, field.pk))
            for number, model in enumerate(models):
                insert(model, [row[number] for row in part if row[number]])
    analyze()


def _rows(keys: range, now: datetime, field: int) -> Iterator[tuple[dict, ...]]:
    """(customer, summary, champion, value of the custom field, renewal) of each."""
    from gengyun.customers.models import Stage, Tier
    from gengyun.portfolio.calc.search import search_key
    from gengyun.team.models import User

    chance, today, many = np.random.default_rng(keys.start), now.date(), len(keys)
    owners, tiers, stages = (
        list(model.objects.order_by("pk").values_list("pk", flat=True))
        for model in (User, Tier, Stage)
    )
    score = np.clip(chance.normal(70, 16, many), 0, 100).round(1)
    churn = chance.beta(2, 8, many).round(4)
    days = {name: chance.integers(0, top, many) for name, top in _DAYS.items()}
    for n, pk in enumerate(keys):
        name, renews = f"云启数据科技{pk}", today + timedelta(int(days["renews"][n]) - 30)
        known = score[n] > 30 and pk % 19
        shared = {
            "name": name, "industry": ("科技", "物流", "教育", "医疗")[pk % 4],
            "region": ("北京", "上海", "广州", "深圳", "成都")[pk % 5],
            "owner_id": owners[pk % len(owners)], "tier_id": tiers[min(pk % 10 // 4, 2)],
            "stage_id": stages[int(days["stage"][n]) % len(stages)], "currency": "CNY",
            "arr_minor": int(days["arr"][n]) * 10_000, "seats": int(days["seats"][n]),
            "renews_on": renews, "updated_at": now, "next_step": "",
            "next_step_on": today + timedelta(pk % 40 - 20) if pk % 3 == 0 else None,
        }  # fmt: skip
        yield (
            {"id": pk, "external_id": f"acct_{pk}", "known_at": now, "created_at": now, **shared},
            {
                "customer_id": pk, "search_key": search_key(name, f"acct_{pk}"), **shared,
                "pace": ("on_track", "behind", "stuck")[min(pk % 7, 2)], "tag_names": "[]",
                "as_of": today, "score": float(score[n]) if known else None,
                "band": band(score[n]) if known else "N", "coverage": 0.9, "trend": "flat",
                "change_week": float(days["change"][n] - 15) / 2, "line": "[]", "movers": "[]",
                "active_users_7d": int(days["active"][n]), "last_touch_kind": "call",
                "last_event_on": today - timedelta(int(days["event"][n])),
                "last_touch_at": now - timedelta(int(days["touch"][n])),
                "churn": float(churn[n]) if known else None, "needs": "[]",
                "need_rank": int(pk % 8 == 0), "need_codes": ",no_contact," if pk % 8 == 0 else "",
            },
            {
                "id": pk, "customer_id": pk, "name": f"王{pk}", "part": "champion",
                "email": f"p{pk}@example.org", "created_at": now, "updated_at": now,
            },
            {"field_id": field, "customer_id": pk, "place": 0, "text": PLANS[pk % 3],
             "number": pk % 3} if pk % 2 else {},
            {
                "id": pk, "customer_id": pk, "group": "core", "due_on": renews, "state": "open",
                "due_minor": shared["arr_minor"], "currency": "CNY", "category": "unjudged",
                "cause": "", "involuntary": False, "note": "", "signal": "", "signal_why": [],
                "gap": 0, "created_at": now,
            },
        )  # fmt: skip


_DAYS = {
    "renews": 700, "stage": 1_000, "arr": 20_000, "seats": 500, "change": 31, "active": 60,
    "event": 30, "touch": 77,
}  # fmt: skip


def band(score: float) -> str:
    return next(name for low, name in BANDS if score >= low)


def next_day(now: datetime, number: int) -> int:
    """A night's new numbers: one customer in fifty has quite others, one in 200 another stage."""
    from django.db.models import Case, F, Value, When
    from django.db.models.functions import Mod
    from django.db.models.lookups import GreaterThanOrEqual

    from gengyun.customers.models import Stage
    from gengyun.kernel.days import day_of
    from gengyun.portfolio.models import CustomerSummary

    day, rows = day_of(now), CustomerSummary.objects
    stages = list(Stage.objects.order_by("pk"))
    rows.update(as_of=day)
    # two in three are used every day
    used = rows.alias(turn=Mod(F("pk"), Value(3))).exclude(turn=0)
    used.update(last_event_on=day - timedelta(days=1))
    # everybody is spoken with once in eleven weeks
    spoken = rows.alias(turn=Mod(F("pk"), Value(77))).filter(turn=number % 77)
    spoken.update(last_touch_at=now)
    moved = rows.alias(turn=Mod(F("pk"), Value(MOVED))).filter(turn=number % MOVED)
    drawn = Mod(F("pk") * 37 + 101 * number, Value(1_000)) / 10.0
    count = moved.filter(score__isnull=False).update(
        score=drawn,
        band=Case(*(When(GreaterThanOrEqual(drawn, low), then=Value(name)) for low, name in BANDS)),
        active_users_7d=Mod(F("pk") + number, Value(60)),
        change_week=Mod(F("pk"), Value(31)) / 2.0 - 8,
        churn=Mod(F("pk") * 7 + number, Value(97)) / 130.0,
    )
    turns = rows.alias(turn=Mod(F("pk"), Value(STAGES_MOVED)))
    turns.filter(turn=number % STAGES_MOVED).update(stage=stages[number % len(stages)])
    return count


def forms(tiers: list[int], stages: list[int]) -> list[dict]:
    """Fifty SOPs of ten shapes: how they let in, how they end, what they do."""
    return [_form(number, tiers, stages) for number in range(SOPS)]


def _form(number: int, tiers: list[int], stages: list[int]) -> dict:
    shape, turn = number % 10, number // 10
    tier, stage = tiers[turn % len(tiers)], stages[turn % len(stages)]
    entry = _ENTRIES[shape](turn, tier, stage)
    return {
        "entry": {"backfill": False, **entry},
        "reentry": {"kind": "after", "days": 90},
        "exit": _f("score", "gte", 97 - turn),
        "goal": {"all": [_f("score", "gte", 85 + turn), _f("active", "gte", 40)]},
        "outcome": {"kind": "goal", "window_days": 60},
        "holdout": 0.1 if shape % 2 else 0,
        "steps": _STEPS[number % len(_STEPS)],
    }


def _f(field: str, op: str, value: object = None) -> dict:
    return {"field": field, "op": op} | ({} if value is None else {"value": value})


def _when(*parts: dict) -> dict:
    return {"kind": "condition", "when": {"all": list(parts)}}


_ENTRIES = (
    lambda n, tier, stage: _when(_f("change", "lt", -5 - n / 2), _f("active", "lt", 20 + n),
                                 _f("tier", "is", tier)),
    lambda n, tier, stage: _when({"held": {"of": _f("score", "lt", 42 + n), "days": 3}},
                                 _f("tier", "is", tier)),
    lambda n, tier, stage: {"kind": "date",
                            "date": {"field": "renews_on", "offset_days": -30 * (n + 1)}},
    lambda n, tier, stage: _when({"changed": {"field": "stage", "from": None, "to": str(stage)}}),
    lambda n, tier, stage: _when(_f("touch", "older", 60 + n), _f("arr", "gte", 10**8),
                                 {"not": _f("need", "any")}),
    lambda n, tier, stage: _when(_f("churn", "gte", 40 + n), _f("renews", "within", 120)),
    lambda n, tier, stage: _when(_f("custom.plan", "is", PLANS[n % 3]), _f("score", "lt", 45 + n)),
    lambda n, tier, stage: _when(_f("last_event", "older", 14 + n), _f("band", "in", ["C", "D"]),
                                 {"not": _f("stage", "is", stage)}),
    lambda n, tier, stage: _when(_f("pace", "is", "stuck"), _f("score", "lt", 55 + n),
                                 {"any": [_f("active", "lt", 10), _f("touch", "older", 45)]}),
    lambda n, tier, stage: {"kind": "snapshot", "every": "month",
                            "when": {"all": [_f("score", "lt", 20 + n), _f("tier", "is", tier)]}},
)  # fmt: skip

_TASK = {"key": "call", "kind": "task", "role": "csm", "title": "打电话", "due_working_days": 3}
_MAIL = {
    "kind": "message", "channel": "email", "category": "service", "mode": "draft",
    "to": "champion", "template": {"zh": {"subject": "您好 {{ contact.name }}",
                                          "body": "{{ customer.name }} 本周可以聊聊吗？"}},
}  # fmt: skip
_LOW = {"when": _f("score", "lt", 60)}
_STEPS = (
    [  # usage drop: a task, five working days, if still low a letter, else thanks
        {**_TASK, "next": "wait"},
        {"key": "wait", "kind": "wait", "working_days": 5, "next": "low"},
        {"key": "low", "kind": "branch", "cases": [{**_LOW, "next": "mail"}], "otherwise": "thank"},
        {**_MAIL, "key": "mail"},
        {"key": "thank", "kind": "note", "text": "谢谢"},
    ],
    [
        {"key": "note", "kind": "note", "text": "进入", "next": "wait"},
        {"key": "wait", "kind": "wait", "days": 3, "next": "low"},
        {"key": "low", "kind": "branch", "cases": [{**_LOW, "next": "call"}], "otherwise": None},
        _TASK,
    ],
    [
        {**_MAIL, "key": "mail", "next": "wait"},
        {"key": "wait", "kind": "wait", "until": _f("active", "gte", 30), "timeout_days": 7,
         "next": "thank", "on_timeout": "low"},
        {"key": "low", "kind": "branch", "cases": [{**_LOW, "next": "call"}],
         "otherwise": "thank"},
        _TASK,
        {"key": "thank", "kind": "note", "text": "谢谢"},
    ],
)  # fmt: skip


def go_live(now: datetime) -> None:
    """Published as a person would, without going through the page."""
    from gengyun.customers.models import Stage, Tier
    from gengyun.sop.models import Sop, SopVersion

    tiers = list(Tier.objects.order_by("pk").values_list("pk", flat=True))
    stages = list(Stage.objects.order_by("pk").values_list("pk", flat=True))
    for number, form in enumerate(forms(tiers, stages)):
        sop = Sop.objects.create(
            key=f"bench-{number}", name=f"SOP {number}", state=Sop.State.LIVE, created_at=now,
            changed_at=now, started_at=now,
        )  # fmt: skip
        SopVersion.objects.create(
            sop=sop, number=1, state=SopVersion.State.PUBLISHED, form=form, created_at=now,
            changed_at=now, published_at=now,
        )  # fmt: skip
