"""Paths of alerts, their rules, and the channels that tell of them; included by `web.urls`."""

from django.urls import path

from gengyun.web.views import alert_lists, alerts, risks
from gengyun.web.views.settings import alert_rules, channels

urlpatterns = [
    path("alerts/", alerts.show, name="alerts"),
    path("alerts/bulk/", alerts.bulk, name="alerts_bulk"),
    path("alerts/undo/<slug:batch>/", alerts.undo, name="alerts_undo"),
    path("alerts/lost/", alert_lists.lost, name="alerts_lost"),
    path("alerts/<int:pk>/", alerts.panel, name="alert"),
    path("alerts/<int:pk>/<slug:verb>/", alerts.act, name="alert_act"),
    path("customers/<int:pk>/risks/", risks.note, name="customer_risk_new"),
    path("customers/<int:pk>/risks/<int:risk>/<slug:verb>/", risks.end, name="customer_risk"),
    path("settings/alerts/", alert_rules.rules, name="settings_alerts"),
    path("settings/alerts/new/", alert_rules.rule_new, name="settings_alert_new"),
    path("settings/alerts/policy/", alert_rules.policy_edit, name="settings_alert_policy"),
    path("settings/alerts/causes/", alert_rules.causes, name="settings_causes"),
    path("settings/alerts/causes/new/", alert_rules.cause_new, name="settings_cause_new"),
    path(
        "settings/alerts/causes/<int:pk>/<slug:verb>/",
        alert_rules.cause_do,
        name="settings_cause_do",
    ),
    path("settings/alerts/<int:pk>/", alert_rules.rule, name="settings_alert"),
    path("settings/alerts/<int:pk>/<slug:verb>/", alert_rules.rule_do, name="settings_alert_do"),
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
