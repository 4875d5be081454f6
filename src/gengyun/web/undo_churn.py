"""Taking back what was saved in the settings of the churn probability."""

from gengyun.churn.actions.settings import edit_settings


def _settings(actor, now, payload):
    """payload: every field of the settings as it was; a version of its own, as any change."""
    edit_settings(actor=actor, now=now, changes=payload)


VERBS = {"churn_settings": _settings}
