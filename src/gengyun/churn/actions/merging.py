"""Forecasts follow their renewals when two customers become one, and back again."""

from datetime import datetime

from gengyun.churn.models import ChurnForecast
from gengyun.customers.actions.merging import follow_merges
from gengyun.team.models import User


def follow(kept_id: int, gone_id: int, _actor: User | None, _now: datetime) -> None:
    for pk in (kept_id, gone_id):
        mine = ChurnForecast.objects.filter(renewal__customer_id=pk)
        mine.exclude(customer_id=pk).update(customer_id=pk)


follow_merges(follow)
