"""Paths of opportunities and white space; included by `web.urls`."""

from django.urls import path

from gengyun.web.views import opportunities, opportunity, white_space

urlpatterns = [
    path("opportunities/", opportunities.show, name="opportunities"),
    path("opportunities/new/", opportunity.new, name="opportunity_new"),
    path("opportunities/white-space/", white_space.show, name="white_space"),
    path("opportunities/<int:pk>/", opportunity.panel, name="opportunity"),
    path("opportunities/<int:pk>/<slug:verb>/", opportunity.act, name="opportunity_act"),
]
# below a customer's own path
customer_patterns = [
    path("opportunities/", white_space.of_customer, name="customer_opportunities"),
    path("budgets/", white_space.budget, name="customer_budget"),
]
