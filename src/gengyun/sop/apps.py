from importlib import import_module
from importlib import util as import_util

from django.apps import AppConfig


class SopConfig(AppConfig):
    name = "gengyun.sop"
    label = "sop"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Let the package register its effects, day steps and event handlers."""
        for module in ("approvals", "effects", "handlers", "jobs", "measuring", "segments"):
            if import_util.find_spec(f"{self.name}.{module}"):
                import_module(f"{self.name}.{module}")
