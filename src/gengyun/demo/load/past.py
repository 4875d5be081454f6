"""What was written about customers who have left, and the risks that CSMs noted of all."""

from datetime import timedelta

import numpy as np
from django.db import transaction

from gengyun.customers.models import Contact, Customer
from gengyun.demo.load.customers import load_contacts, load_notes
from gengyun.demo.world import former_life
from gengyun.demo.world.shapes import World
from gengyun.demo.world.tales import TAG as ON_STAGE
from gengyun.engagement.models import Risk
from gengyun.kernel.days import start_of
from gengyun.team.models import AuditEntry, User

SEED_PART = 85
CAUSE = {"competitor": "competitor", "roi_doubt": "roi_wrong", "layoff": "layoff"}
NOTED = {
    "competitor": "{who}提到在看别家的产品",
    "roi_doubt": "{who}问一年下来省了什么，没有人答得上来",
    "layoff": "{who}说部门在合并，人会变少",
}
SETTLED = 0.7  # of the risks were settled after some weeks


def load_past(
    world: World,
    customers: list[Customer],
    contacts: list[list[Contact]],
    *,
    ids: list[str],
    people: dict[str, User],
) -> int:
    """Contacts, notes and risks; returns the number of notes. `customers`: of all accounts, with
    those who left; `contacts`: of those who are here."""
    present = len(world.accounts)
    gone = load_contacts(world.former, customers[present:], as_of=world.as_of, user_ids=ids)
    everybody = [*contacts, *gone]
    count = load_notes(world.former_notes, customers, everybody, people=people)
    load_risks(world, customers, people=people)
    return count


@transaction.atomic
def load_risks(world: World, customers: list[Customer], *, people: dict[str, User]) -> int:
    """What was heard, known since the day on which it was noted; the cast of the tales has none."""
    rng = np.random.default_rng([world.seed, SEED_PART])
    made = []
    for account, shock in former_life.heard([*world.accounts, *world.former]):
        wait, settled = int(rng.integers(20, 120)), rng.random() < SETTLED
        who = "对接人" if rng.random() < 0.6 else "业务负责人"
        author = people.get(account.owner or "")
        if author is None or ON_STAGE in account.tags or shock.recorded is None:
            continue
        noted = world.day(shock.recorded)
        ended = noted + timedelta(days=wait)
        known_at = start_of(noted) + timedelta(hours=15, minutes=int(rng.integers(0, 120)))
        is_over = settled and ended < world.as_of
        made.append(
            Risk(
                customer=customers[account.index],
                cause=CAUSE[shock.kind],
                happened_on=world.day(shock.day),
                note=NOTED[shock.kind].format(who=who),
                author=author,
                known_at=known_at,
                ended_at=start_of(ended) + timedelta(hours=11) if is_over else None,
                ended_by=author if is_over else None,
                end=Risk.End.SETTLED if is_over else "",
            )
        )
    Risk.objects.bulk_create(made)
    AuditEntry.objects.bulk_create(
        AuditEntry(
            at=risk.known_at,
            actor=risk.author,
            action="risk.noted",
            object_type="engagement.risk",
            object_id=str(risk.pk),
            object_label=str(risk),
            changes={"cause": [None, risk.cause]},
        )
        for risk in made
    )
    return len(made)
