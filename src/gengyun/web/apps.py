from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "gengyun.web"
    label = "web"

    def ready(self) -> None:
        """The lists that can be exported; each is imported when somebody does."""
        from gengyun.customers.actions.exporting import register

        for key in ("customers", "contacts", "audit"):
            register(key, f"gengyun.web.listings.{key.title()}Listing")
        for key in ("alerts", "alert_rules", "movers", "journeys"):
            name = key.title().replace("_", "")
            register(key, f"gengyun.web.listings_work.{name}Listing")
        register("answers", "gengyun.web.listings_surveys.AnswersListing")
        register("opportunities", "gengyun.web.listings_opportunities.OpportunitiesListing")
        register("renewals", "gengyun.web.listings_renewals.RenewalsListing")
        register("insight", "gengyun.web.listings_insight.InsightListing")
        register("insight_cell", "gengyun.web.listings_insight.InsightCellListing")
