"""What else people did in the product: a group, a customer entered twice, opinions on health,
scorecards published again when something was learnt."""

import copy
from datetime import date, datetime, timedelta
from typing import Any

from gengyun.customers.actions.customers import create_customer, edit_customer
from gengyun.customers.models import Customer
from gengyun.demo.world.shapes import World
from gengyun.health.actions.opinions import set_override, set_sentiment
from gengyun.health.actions.scorecards import present_cards, publish_version
from gengyun.lake.store import Lake
from gengyun.team.models import User

LEARNT_WEEKS_AGO = 6
LEARNT = "复盘三季度的流失：用量变化比人数更早说话，趋势的权重加 10，采用减 10"


def join_group(customers: list[Customer], *, actor: User, now: datetime) -> None:
    """The largest customers of one industry turn out to belong together."""
    present = [c for c in customers if c.archived_at is None and c.owner_id is not None]
    industry = max(
        {c.industry for c in present}, key=lambda name: sum(c.industry == name for c in present)
    )
    same = sorted((c for c in present if c.industry == industry), key=lambda c: -(c.arr_minor or 0))
    for child in same[1:4]:
        edit_customer(actor=actor, now=now, customer=child, changes={"parent": same[0]})


def enter_twice(customers: list[Customer], *, actor: User, now: datetime) -> None:
    """A colleague from sales typed a customer in again, under its full name."""
    twin = next(c for c in customers if c.archived_at is None and c.owner_id is not None)
    values = {
        "name": f"{twin.name}有限公司", "region": twin.region, "industry": twin.industry,
        "owner": twin.owner,
    }  # fmt: skip
    create_customer(actor=actor, now=now, values=values)


def learn(day: date, *, actor: User, now: datetime) -> None:
    """A new version of every scorecard from `day` on: trend counts for more, adoption for less."""
    for card in present_cards():
        version = card.versions.order_by("-number").first()
        if version is not None:
            config = _reweighted(version.config)
            publish_version(
                actor=actor, now=now, scorecard=card, config=config, effective_from=day, note=LEARNT
            )


def _reweighted(config: dict[str, Any]) -> dict[str, Any]:
    changed = copy.deepcopy(config)
    weights = {group["key"]: group for group in changed["groups"]}
    if "trend" in weights and "adoption" in weights:
        step = min(10, weights["adoption"]["weight"] - 5)
        weights["trend"]["weight"] += step
        weights["adoption"]["weight"] -= step
    return changed


def give_opinions(world: World, customers: list[Customer], *, now: datetime, lake: Lake) -> None:
    """What numbers do not show, said by the one who knows the customer."""
    cast = world.cast
    if cast is None:
        return
    gone, slide = customers[cast.decider_left.index], customers[cast.slide.index]
    for customer in (gone, slide):
        customer.refresh_from_db()
    set_override(
        actor=gone.owner, now=now, customer=gone, mode="add", points=-8, lake=lake,
        reason="决策人走了，接手的人不认识我们：用量看不出来，续约前按有风险跟",
    )  # fmt: skip
    set_sentiment(
        actor=slide.owner, now=now + timedelta(minutes=5), customer=slide, level=2, lake=lake,
        reason="每周少几个人，两个新负责人都还没见到",
    )  # fmt: skip
