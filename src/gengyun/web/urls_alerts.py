"""Paths of alerts, their rules, and the channels that tell of them; included by `web.urls`."""

from django.urls import path

from gengyun.web.views import alerts
from gengyun.web.views.settings import channels

urlpatterns = [
    path("alerts/", alerts.show, name="alerts"),
    path("alerts/bulk/", alerts.bulk, name="alerts_bulk"),
    path("alerts/undo/<slug:batch>/", alerts.undo, name="alerts_undo"),
    path("alerts/<int:pk>/", alerts.panel, name="alert"),
    path("alerts/<int:pk>/<slug:verb>/", alerts.act, name="alert_act"),
    path("settings/channels/", channels.channels, name="settings_channels"),
    path("settings/channels/new/", channels.channel_new, name="settings_channel_new"),
    path("settings/channels/<int:pk>/", channels.channel, name="settings_channel"),
    path("settings/channels/<int:pk>/test/", channels.channel_test, name="settings_channel_test"),
    path(
        "settings/channels/<int:pk>/deliveries/<int:delivery>/",
        channels.delivery_resend,
        name="settings_delivery_resend",
    ),
]
