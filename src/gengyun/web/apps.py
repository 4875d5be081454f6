from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "gengyun.web"
    label = "web"

    def ready(self) -> None:
        """The lists that can be exported; each is imported when somebody does."""
        from gengyun.customers.actions.exporting import register

        for key in ("customers", "contacts", "audit"):
            register(key, f"gengyun.web.listings.{key.title()}Listing")
