"""Paths of renewals; included by `web.urls`."""

from django.urls import path

from gengyun.web.views import renewal_accuracy, renewal_forecast, renewal_work, renewals

urlpatterns = [
    path("renewals/", renewals.show, name="renewals"),
    path("renewals/tabs/", renewals.tabs, name="renewals_tabs"),
    path("renewals/apart/", renewals.apart, name="renewals_apart"),
    path("renewals/changes/", renewals.changes, name="renewals_changes"),
    path("renewals/bulk/", renewal_work.bulk, name="renewals_bulk"),
    path("renewals/forecast/", renewal_forecast.show, name="renewals_forecast"),
    path("renewals/forecast/weeks/", renewal_forecast.weeks, name="renewals_forecast_weeks"),
    path("renewals/accuracy/", renewal_accuracy.show, name="renewals_accuracy"),
    path("renewals/<int:pk>/", renewal_work.panel, name="renewal"),
    path("renewals/<int:pk>/forecast/", renewal_work.forecast, name="renewal_forecast"),
    path("renewals/<int:pk>/<slug:verb>/", renewal_work.act, name="renewal_act"),
]
