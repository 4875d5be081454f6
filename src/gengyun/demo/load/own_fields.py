"""Fields of the company's own, as a Chinese vendor of business software keeps them."""

import random
from datetime import datetime
from typing import Any

from gengyun.customers.actions.custom_fields import create_field
from gengyun.customers.actions.custom_values import set_values
from gengyun.customers.models import Customer, CustomField
from gengyun.demo.world.make import DEFAULT_SEED
from gengyun.team.models import User

DEPLOYED = ("公有云 SaaS", "专属云", "私有化部署", "混合部署")
BOUGHT = ("年框直签", "公开招标", "单一来源", "渠道代理", "集团集采")
FILLED = 0.86  # of the customers: some colleague never gets round to it
REFERENCES = 0.12

FIELDS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    (
        "deployment",
        CustomField.Kind.CHOICE,
        {
            "name_zh": "部署方式",
            "name_en": "Deployment",
            "options": [
                {"name_zh": zh, "name_en": en}
                for zh, en in zip(
                    DEPLOYED, ("Public cloud", "Dedicated cloud", "On premises", "Hybrid"),
                    strict=True,
                )
            ],
        },
    ),
    (
        "purchasing",
        CustomField.Kind.MULTI,
        {
            "name_zh": "采购方式",
            "name_en": "Purchasing",
            "help_zh": "续约时走哪些流程，决定要提前多久准备",
            "help_en": "Which procedures a renewal goes through: how early to begin",
            "options": [
                {"name_zh": zh, "name_en": en}
                for zh, en in zip(
                    BOUGHT,
                    ("Yearly frame contract", "Public tender", "Single source", "Reseller",
                     "Group purchasing"),
                    strict=True,
                )
            ],
        },
    ),
    (
        "linked_systems",
        CustomField.Kind.NUMBER,
        {
            "name_zh": "对接系统数",
            "name_en": "Connected systems",
            "help_zh": "与我们打通的系统：ERP、OA、企业微信等",
            "help_en": "Systems of theirs that are connected with ours: ERP, OA, WeCom",
        },
    ),
    (
        "is_reference",
        CustomField.Kind.BOOL,
        {"name_zh": "是否标杆", "name_en": "Reference customer"},
    ),
)  # fmt: skip


def fill_own_fields(
    customers: list[Customer], *, actor: User, now: datetime, seed: int = DEFAULT_SEED
) -> None:
    """Four fields with values for most; the larger a customer, the heavier its set-up."""
    keys: dict[str, list[str]] = {}
    for key, kind, values in FIELDS:
        made = create_field(actor=actor, now=now, kind=kind, key=key, values=values)
        keys[key] = [option["key"] for option in made.options or []]
    chance = random.Random(f"own-fields-{seed}")  # noqa: S311 - made-up data
    by_size = sorted(customers, key=lambda customer: (-(customer.arr_minor or 0), customer.pk))
    wanted = {}
    for place, customer in enumerate(by_size):
        drawn = _values(chance, keys, place / len(by_size))
        if drawn and customer.archived_at is None:
            wanted[customer.pk] = drawn
    set_values(actor=actor, now=now, wanted=wanted)


def _values(chance: random.Random, keys: dict[str, list[str]], place: float) -> dict[str, Any]:
    """`place`: 0 for the largest customer, 1 for the smallest. A value not drawn is unknown."""
    heavy = 1 - place
    weights = (3 + 12 * place, 2 + 2 * heavy, 0.5 + 4 * heavy, 0.3 + 1.5 * heavy)
    ways = 1 + (chance.random() < 0.25 * heavy)
    likely = keys["purchasing"][:3] if heavy > 0.6 else keys["purchasing"]
    drawn = {
        "deployment": chance.choices(keys["deployment"], weights)[0],
        "purchasing": chance.sample(likely, ways),
        "linked_systems": int(chance.expovariate(1 / (1 + 5 * heavy))),
        "is_reference": chance.random() < REFERENCES * (0.5 + heavy),
    }
    return {key: value for key, value in drawn.items() if chance.random() < FILLED}
