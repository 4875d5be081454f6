from gengyun.engagement.models.activity import Activity

__all__ = ["Activity"]
