from importlib import import_module
from importlib import util as import_util

from django.apps import AppConfig


class EngagementConfig(AppConfig):
    name = "gengyun.engagement"
    label = "engagement"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Let the package register its day steps and event handlers, where it has any."""
        for module in ("handlers", "jobs", "survey_jobs"):
            if import_util.find_spec(f"{self.name}.{module}"):
                import_module(f"{self.name}.{module}")
