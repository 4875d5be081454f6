"""Five customers whose last weeks tell a story that a newcomer can follow through the product.

Everything else in the world is drawn; here the cast is drawn and the plot is written. Content,
not interface: Chinese only.
"""

from dataclasses import dataclass

import numpy as np

from gengyun.demo.world.shapes import Account, Shock
from gengyun.demo.world.stories import Teller
from gengyun.demo.world.texts import Line

HERO = "linxiao"  # the CSM whose login the demo prints
QUIET_BEFORE_END = 260  # days before the end without anything else happening to the cast
TAG = "演示故事"

SLIDE_FROM, SLIDE_BY = 112, 2.3  # a little less every day for sixteen weeks
RESCUE_FALL, RESCUE_HELP, RESCUE_BACK = 126, 96, 60  # days before the end
RESCUE_BY = 2.6


@dataclass(frozen=True)
class Cast:
    """Who plays which part."""

    decider_left: Account
    slide: Account
    rescue: Account
    holiday: Account

    def all(self) -> list[Account]:
        return [self.decider_left, self.slide, self.rescue, self.holiday]


def choose(accounts: list[Account], day_count: int) -> Cast | None:
    """Customers of the demo's CSM, with us for long and well served; None in a small world."""
    known = [
        account
        for account in accounts
        if account.situation == "usual"
        and account.owner == HERO
        and account.first_day < day_count - 330
    ]
    big = sorted((a for a in known if a.size == "strategic"), key=lambda a: -a.arr_yuan)
    others = sorted((a for a in known if a.size == "key"), key=lambda a: -a.seats)
    if len(big) < 2 or len(others) < 2:
        return None
    return Cast(decider_left=big[0], slide=big[1], rescue=others[0], holiday=others[1])


def clear_stage(cast: Cast, day_count: int) -> None:
    """Nothing else happens to the cast while its story is told."""
    for account in cast.all():
        account.shocks = [s for s in account.shocks if s.day < day_count - QUIET_BEFORE_END]
        account.fit = 2.5  # most of the seats are in use
        account.tags.append(TAG)
    gone = day_count - 9
    cast.decider_left.shocks.append(
        # told by a person, invisible in use: what a score built on use alone cannot see
        Shock("decision_maker_change", gone, 0.0, None, 400, recorded=gone)
    )


def bend(cast: Cast, latent: np.ndarray) -> None:
    """The plot in use: `latent` is [account, day] before it becomes a share of people at work."""
    end = latent.shape[1]
    for account in cast.all():
        steady = latent[account.index]
        steady[:] = 0.6 + (steady - steady.mean()) * 0.25
    days = np.arange(end)
    fallen = np.clip((days - (end - SLIDE_FROM)) / SLIDE_FROM, 0, 1)
    latent[cast.slide.index] -= SLIDE_BY * fallen
    down = np.clip((days - (end - RESCUE_FALL)) / 12, 0, 1)
    back = np.clip((days - (end - RESCUE_HELP)) / (RESCUE_HELP - RESCUE_BACK), 0, 1)
    latent[cast.rescue.index] -= RESCUE_BY * (down - back)


def tell(cast: Cast, teller: Teller) -> None:
    """What colleagues wrote down while it happened."""
    end = len(teller.days)
    for account, before_end, line in (
        (cast.decider_left, 9, DECIDER_LEFT),
        (cast.slide, 70, SLIDE_FIRST),
        (cast.slide, 33, SLIDE_SECOND),
        (cast.rescue, RESCUE_FALL - 16, RESCUE_SEEN),
        (cast.rescue, RESCUE_HELP + 4, RESCUE_VISIT),
        (cast.rescue, RESCUE_HELP - 12, RESCUE_TRAINING),
        (cast.rescue, RESCUE_BACK - 8, RESCUE_DONE),
    ):
        teller.write(account, end - before_end, (line,))
    for place, day in enumerate(teller.days):
        if (day.month, day.day) == (3, 2):
            teller.write(cast.holiday, place, (HOLIDAY,))


DECIDER_LEFT: Line = (
    "wecom",
    "not",
    "{c}说{d}月初已经离开公司，接手的人还没有定。用量没有变化，但续约是{d}拍板的：这周要问清楚谁来接，约一次正式介绍。",
)
SLIDE_FIRST: Line = (
    "call",
    "partly",
    "和{c}通电话，对方说一切正常。日均活跃从{was}人到{now}人，{c}没有注意到，答应去问各部门。",
)
SLIDE_SECOND: Line = (
    "meeting",
    "partly",
    "月度沟通。每周都少几个人，没有哪一周特别明显：{c}这边两个部门换了负责人，新负责人没有安排培训。日均{now}人，四周前是{was}人。",
)
RESCUE_SEEN: Line = (
    "call",
    "not",
    "系统提示用量下降，当天打电话给{c}：流程改版以后{m}的模板失效了，大家退回了表格。日均只剩{now}人。约了下周上门。",
)
RESCUE_VISIT: Line = (
    "visit",
    "partly",
    "上门一天，和{c}把{m}的模板按新流程重做，{d}同意以新模板为准，两周内停用旧表格。",
)
RESCUE_TRAINING: Line = (
    "meeting",
    "solved",
    "三场培训做完，{few}个部门都参加了。{c}每周一发使用情况，已经看到回升。",
)
RESCUE_DONE: Line = (
    "call",
    "solved",
    "日均活跃回到{now}人，{d}说新模板比原来好用。这次风险解除，续约谈判照常。",
)
HOLIDAY: Line = (
    "note",
    "",
    "春节前后用量少了一大半，和往年一样。系统按节假日算，没有报警；初八以后一周内恢复，不用跟进。",
)
