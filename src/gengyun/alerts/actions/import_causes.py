"""The tree of causes, told to the import of contracts."""

from gengyun.alerts.models import RiskCause
from gengyun.revenue.actions.import_causes import Cause, register


def listed() -> list[Cause]:
    """Families are understood, the causes below them are offered."""
    return [
        Cause(
            cause.key,
            cause.name_zh,
            cause.name_en,
            is_offered=cause.retired_at is None and cause.parent_id is not None,
        )
        for cause in RiskCause.objects.all()
    ]


register(listed)
