"""What the package brings to the common machinery: the import of activities."""

from gengyun.engagement.actions import import_activities

__all__ = ["import_activities"]
