"""Paths of messages to customers; included by `web.urls`."""

from django.urls import path

from gengyun.web.views import customer_touches, touches, unsubscribe, write_touch
from gengyun.web.views.settings import bounces, touch_templates
from gengyun.web.views.settings import touches as settings

urlpatterns = [
    path("touches/", touches.show, name="touches"),
    path("touches/bulk/", touches.bulk, name="touches_bulk"),
    path("touches/<int:pk>/", touches.touch, name="touch"),
    path("touches/<int:pk>/<slug:verb>/", touches.act, name="touch_act"),
    path("settings/touches/", settings.touches, name="settings_touches"),
    path(
        "settings/touches/texts/new/",
        touch_templates.template_new,
        name="settings_touch_template_new",
    ),
    path(
        "settings/touches/texts/<int:pk>/",
        touch_templates.template,
        name="settings_touch_template",
    ),
    path(
        "settings/touches/texts/<int:pk>/retire/",
        touch_templates.template_retire,
        name="settings_touch_template_retire",
    ),
    path("settings/touches/bounces/", bounces.listing, name="settings_bounces"),
    path(
        "settings/touches/bounces/<int:token>/revoke/",
        bounces.revoke,
        name="settings_bounces_revoke",
    ),
    path("v1/bounces", bounces.take, name="bounces"),
    path("u/<str:token>/", unsubscribe.unsubscribe, name="unsubscribe"),
]

customer_patterns = [
    path("touches/", customer_touches.card, name="customer_touches"),
    path("touches/write/", write_touch.write, name="customer_write"),
    path("touches/prefer/", customer_touches.prefer, name="customer_prefer"),
    path("contacts/<int:contact>/opt/<slug:way>/", customer_touches.opt, name="contact_opt"),
    path(
        "contacts/<int:contact>/mail-works/",
        customer_touches.works_again,
        name="contact_mail_works",
    ),
]
