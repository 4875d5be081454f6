"""Paths of the pages."""

from django.urls import include, path

from gengyun.web.views import (
    contacts,
    customer,
    customers,
    edits,
    journey,
    list_columns,
    login,
    palette,
    timeline,
    today,
    views,
)

app_name = "web"

customer_pages = [
    path("", customer.show, name="customer"),
    path("panel/", customer.panel, name="customer_panel"),
    path("health/", customer.health, name="customer_health"),
    path("usage/", customer.usage, name="customer_usage"),
    path("usage.json", customer.usage_data, name="customer_usage_data"),
    path("score.json", customer.score_data, name="customer_score_data"),
    path("events/", customer.events, name="customer_events"),
    path("edit/", edits.edit, name="customer_edit"),
    path("cell/<str:field>/", edits.cell, name="customer_cell"),
    path("journey/", journey.card, name="journey"),
    path("journey/move/", journey.move, name="journey_move"),
    path("journey/tick/", journey.tick, name="journey_tick"),
    path("archive/", edits.archive, name="customer_archive"),
    path("restore/", edits.restore, name="customer_restore"),
    path("contacts/new/", contacts.new, name="contact_new"),
    path("contacts/", contacts.listing, name="contacts"),
    path("contacts/<int:contact>/", contacts.edit, name="contact_edit"),
    path("contacts/<int:contact>/left/", contacts.left, name="contact_left"),
    path("contacts/<int:contact>/back/", contacts.back_again, name="contact_back"),
    path("timeline/", timeline.listing, name="timeline"),
    path("activities/", timeline.log, name="activity_log"),
    path("activities/<int:activity>/", timeline.edit, name="activity_edit"),
    path("activities/<int:activity>/delete/", timeline.delete, name="activity_delete"),
    path("activities/<int:activity>/restore/", timeline.restore, name="activity_restore"),
]

urlpatterns = [
    path("", today.show, name="today"),
    path("needs/<int:pk>/<str:code>/<str:verb>/", today.decide, name="need"),
    path("login/", login.log_in, name="login"),
    path("logout/", login.log_out, name="logout"),
    path("language/", login.set_language, name="language"),
    path("go/", palette.go, name="palette"),
    path("undo/<str:token>/", edits.undo_it, name="undo"),
    path("customers/", customers.show, name="customers"),
    path("customers/conditions/", customers.conditions, name="customers_conditions"),
    path("customers/columns/", list_columns.columns, name="customers_columns"),
    path("customers/tabs/", customers.tabs, name="customers_tabs"),
    path("customers/export.csv", customers.export, name="customers_export"),
    path("journeys/", journey.overview, name="journeys"),
    path("customers/new/", edits.new, name="customer_new"),
    path("customers/bulk/", customers.bulk, name="customers_bulk"),
    path("customers/density/", customers.density, name="density"),
    path("customers/views/", views.save, name="view_save"),
    path("customers/views/<int:pk>/", views.change, name="view_change"),
    path("customers/<int:pk>/", include(customer_pages)),
    path("", include("gengyun.web.urls_settings")),
    path("", include("gengyun.web.urls_alerts")),
]
