from django.apps import AppConfig
from django.db.models import Field, ForeignObject


class KernelConfig(AppConfig):
    name = "gengyun.kernel"
    label = "kernel"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        from gengyun.kernel.among import Among

        Field.register_lookup(Among)
        ForeignObject.register_lookup(Among)
