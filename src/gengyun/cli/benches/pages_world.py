"""Customers for the benches, put in by plain SQL: rows as the actions leave them, without going
through the actions a hundred thousand times."""

import json
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice, product

from gengyun.cli.benches.bulk import analyze, insert, without_indexes

CUSTOMERS = 100_000
CHUNK = 20_000  # customers whose rows are held in memory at a time
SCORED = 20_000  # customers with a full explanation; the customer page is asked for these
OWNERS = 250
PLACES = (
    "北京 上海 广州 深圳 杭州 南京 苏州 成都 武汉 西安 "
    "青岛 宁波 厦门 长沙 合肥 郑州 天津 重庆 济南 福州"
)
WORDS = (
    "云启 星野 海蓝 澜图 衡石 禾丰 锦时 长桥 格物 远帆 "
    "沐川 秦岭 拓海 湘麓 明德 智联 恒信 博纳 嘉和 瑞丰"
)
MORE = "数据 智能 环球 时代 先锋 联合 创新 天成 华信 同创 百川 鼎盛 金石 蓝海 飞跃 开元"
KINDS = "科技 物流 教育 医疗 餐饮 传媒 建设 检测 食品 文旅 软件 装备 贸易 能源"


def build(now: datetime, customers: int = CUSTOMERS, *, is_judged: bool = True) -> dict:
    """Fill the (migrated, empty) database; returns the users and ids that the bench asks for.

    `is_judged`: with scores, lines and summaries, as the judgement of a day leaves them.
    """
    from gengyun.customers.actions import defaults as customer_defaults
    from gengyun.customers.models import Customer
    from gengyun.health.actions import defaults as health_defaults
    from gengyun.portfolio.models import CustomerSummary
    from gengyun.usage.actions import defaults as usage_defaults

    for defaults in (customer_defaults, usage_defaults, health_defaults):
        defaults.install_defaults(now=now)
    chance = random.Random(7)  # noqa: S311 - made-up data
    people = _people(now)
    with without_indexes(Customer, CustomerSummary):
        _customers(chance, people["owners"], now, customers, is_judged)
    touched = min(SCORED, customers) if is_judged else customers
    if is_judged:
        _scores(now, touched)
    # newest activities and people of everybody, or a longer history of those whose page is asked
    _activities(chance, people["owners"], now, touched, 10 if is_judged else 3)
    analyze()
    return people


def _people(now: datetime) -> dict:
    from gengyun.team.models import Role, Team, User

    team = Team.objects.create(name="华东")
    admin = User.objects.create(
        email="admin@bench.cn", name="管理员", role=Role.ADMIN, created_at=now
    )
    User.objects.bulk_create(
        User(email=f"csm{n}@bench.cn", name=f"顾问{n}", role=Role.CSM, created_at=now, team=team)
        for n in range(OWNERS)
    )
    owners = list(User.objects.filter(role=Role.CSM).values_list("pk", flat=True))
    return {"admin": admin.pk, "csm": owners[0], "owners": owners}


def _names(chance: random.Random, customers: int) -> list[str]:
    parts = [text.split() for text in (PLACES, WORDS, MORE, KINDS)]
    names = ["".join(found) for found in product(*parts)]
    chance.shuffle(names)
    return (names * (1 + customers // len(names)))[:customers]


def _customers(
    chance: random.Random, owners: list[int], now: datetime, count: int, is_judged: bool
) -> None:
    from gengyun.customers.models import Customer
    from gengyun.portfolio.calc.search import inner_pairs
    from gengyun.portfolio.models import CustomerSummary, NamePair

    made = _rows(chance, owners, now, count)
    while part := list(islice(made, CHUNK)):
        insert(Customer, [customer for customer, _ in part])
        if not is_judged:
            continue
        summaries = [summary for _, summary in part]
        insert(CustomerSummary, summaries)
        held = [
            {"pair": pair, "customer_id": row["customer_id"]}
            for row in summaries
            for pair in inner_pairs(row["search_key"])
        ]
        insert(NamePair, held)


def _rows(
    chance: random.Random, owners: list[int], now: datetime, count: int
) -> Iterator[tuple[dict, dict]]:
    """(customer, summary) of each customer."""
    from gengyun.customers.models import Stage, Tier
    from gengyun.portfolio.calc.search import search_key

    tiers = list(Tier.objects.values_list("pk", flat=True))
    stages = list(Stage.objects.values_list("pk", flat=True))
    places, kinds = PLACES.split(), KINDS.split()
    today = now.date()
    for pk, name in enumerate(_names(chance, count), start=1):
        score = None if chance.random() < 0.05 else min(100.0, max(0.0, chance.gauss(70, 16)))
        shared = {
            "name": name,
            "industry": chance.choice(kinds),
            "region": chance.choice(places),
            "owner_id": chance.choice(owners),
            "tier_id": chance.choices(tiers, (1, 3, 6))[0],
            "stage_id": chance.choice(stages),
            "arr_minor": None if chance.random() < 0.03 else int(chance.lognormvariate(16, 1)),
            "currency": "CNY",
            "seats": chance.randint(5, 500),
            "renews_on": today + timedelta(days=chance.randint(-30, 700)),
            "next_step": "约季度回访" if chance.random() < 0.3 else "",
            "next_step_on": None,
            "updated_at": now,
        }
        if shared["next_step"]:
            shared["next_step_on"] = today + timedelta(days=chance.randint(-10, 20))
        known = now - timedelta(days=400)
        customer = {"id": pk, "external_id": f"acct_{pk}", "known_at": known, "created_at": known}
        key = {"customer_id": pk, "search_key": search_key(name, f"acct_{pk}")}
        yield {**customer, **shared}, {**key, **shared, **_health(chance, score, now)}


def _band(score: float | None) -> str:
    if score is None:
        return "N"
    return next((b for b, low in (("A", 80), ("B", 65), ("C", 50)) if score >= low), "D")


def _health(chance: random.Random, score: float | None, now: datetime) -> dict:
    from gengyun.portfolio.calc.needs import need_codes, need_rank

    change = None if score is None else round(chance.gauss(0, 4), 2)
    needs = []
    if chance.random() < 0.15:
        facts = {"days": 40, "limit": 30, "last_on": None, "kind": ""}
        needs = [{"code": "no_contact", "severity": 3, "since": "2026-10-01", "facts": facts}]
    touched = now - timedelta(days=chance.randint(0, 90), minutes=chance.randint(0, 900))
    return {
        **_churn(chance, now, touched),
        "tag_names": json.dumps(["标杆"] if chance.random() < 0.05 else [], ensure_ascii=False),
        "as_of": now.date(),
        "score": score,
        "band": _band(score),
        "coverage": 0.9,
        "trend": "flat",
        "change_week": change,
        "line": json.dumps([score and round(score + chance.gauss(0, 3), 1) for _ in range(12)]),
        "movers": json.dumps([{"name_zh": "活跃", "name_en": "Active", "points": change}]),
        "active_users_7d": chance.randint(0, 60),
        "last_event_on": now.date() - timedelta(days=chance.randint(1, 30)),
        "last_touch_at": touched,
        "last_touch_kind": chance.choice(["call", "wecom", "meeting", "email"]),
        "needs": json.dumps(needs),
        "need_rank": need_rank(needs, chance.randint(0, 10**8)),
        "need_codes": need_codes(needs),
    }


def _churn(chance: random.Random, now: datetime, touched: datetime) -> dict:
    """Of nine in ten a probability; the others are refused. LTV of those with one."""
    known = chance.random() < 0.9
    p = round(chance.betavariate(2, 6), 4)
    worth = int(chance.lognormvariate(17, 1))
    return {
        "churn": p if known else None,
        "churn_low": round(p * 0.6, 4) if known else None,
        "churn_high": round(p * 1.4, 4) if known else None,
        "churn_on": touched.date() + timedelta(days=120),
        "churn_as_of": now.date(),
        "churn_grade": chance.choice("ABC") if known else "",
        "churn_refused": "" if known else "too_little_known",
        "ltv_minor": worth if known else None,
        "ltv_low_minor": int(worth * 0.7) if known else None,
        "ltv_high_minor": int(worth * 1.3) if known else None,
    }


def _scores(now: datetime, count: int) -> None:
    """Real explanations, judged by the default scorecard from made-up values."""
    from gengyun.health.calc.diff import slim
    from gengyun.health.calc.score import score
    from gengyun.health.models import HealthScore
    from gengyun.health.queries.cards import card_for, cards_in_force, metric_infos

    day, infos = now.date(), metric_infos()
    card = card_for(cards_in_force(day), None, None)
    found = []
    for n in range(100):
        values = {key: float(n % 17) for key in card.config.metrics()}
        found.append(score(card.config, values, None, as_of=day, card=card.card, infos=infos))
    texts = [(e, json.dumps(e, ensure_ascii=False), json.dumps(slim(e))) for e in found]
    weeks = [day - timedelta(weeks=w) for w in reversed(range(26))]
    line = json.dumps([[d.isoformat(), 70.0 + d.day / 10] for d in weeks])
    rows = []
    for pk in range(1, count + 1):
        explanation, text, before = texts[pk % 100]
        rows.append(
            {
                "customer_id": pk,
                "as_of": day,
                "version_id": card.card.version_id,
                "score": explanation["score"],
                "raw_score": explanation["raw_score"],
                "band": explanation["band"],
                "coverage": explanation["coverage"],
                "trend": "flat",
                "explanation": text,
                "history": line,
                "week_ago": before,
                "computed_at": now,
            }
        )
    insert(HealthScore, rows)


def _activities(
    chance: random.Random, owners: list[int], now: datetime, customers: int, each: int
) -> None:
    from gengyun.customers.models import Contact
    from gengyun.engagement.models import Activity

    for first in range(1, customers + 1, CHUNK):
        part = range(first, min(first + CHUNK, customers + 1))
        rows = []
        for pk in part:
            for n in range(each):
                at = now - timedelta(days=7 * n, minutes=chance.randint(0, 9_000))
                kind = chance.choice(["call", "wecom", "meeting", "note"])
                rows.append(
                    {
                        "customer_id": pk,
                        "kind": kind,
                        "body": "和运营负责人过了一遍上周的数据，约好下周看新版看板。",
                        "happened_at": at,
                        "outcome": "",
                        "author_id": chance.choice(owners),
                        "recorded_at": at,
                    }
                )
        insert(Activity, rows)
        insert(Contact, [_contact(pk, n, now) for pk in part for n in range(4)])


def _contact(customer_id: int, n: int, now: datetime) -> dict:
    dates = {"created_at": now, "updated_at": now}
    names = {"name": f"联系人{n}", "title": "运营经理", "part": "user"}
    return {"customer_id": customer_id, **names, **dates}
