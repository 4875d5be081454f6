"""The stages that a deployment starts with. Content, as data in both languages."""

from datetime import datetime

from django.db import transaction

from gengyun.revenue.models import OpportunityStage

# key, Chinese, English, probability in basis points, won, lost. The probabilities are a beginning,
# not a measurement: the share of won ones per stage is what a company knows after a year.
STAGES = [
    ("found", "发现机会", "Found", 1000, False, False),
    ("qualified", "需求确认", "Need confirmed", 2500, False, False),
    ("proposal", "方案报价", "Proposal", 5000, False, False),
    ("negotiation", "商务谈判", "Negotiation", 7500, False, False),
    ("won", "已成交", "Won", 10_000, True, False),
    ("lost", "未成交", "Lost", 0, False, True),
]


@transaction.atomic
def install_defaults(*, now: datetime) -> int:
    """Create the default stages where there is none; returns how many."""
    if OpportunityStage.objects.exists():
        return 0
    OpportunityStage.objects.bulk_create(
        [
            OpportunityStage(
                key=key,
                name_zh=zh,
                name_en=en,
                position=(place + 1) * 10,
                probability_bp=probability,
                is_won=is_won,
                is_lost=is_lost,
            )
            for place, (key, zh, en, probability, is_won, is_lost) in enumerate(STAGES)
        ]
    )
    return len(STAGES)
