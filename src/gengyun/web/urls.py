"""Paths of the pages."""

from django.urls import include, path

from gengyun.web.views import customers, login, palette, today

app_name = "web"

urlpatterns = [
    path("", today.show, name="today"),
    path("login/", login.log_in, name="login"),
    path("logout/", login.log_out, name="logout"),
    path("language/", login.set_language, name="language"),
    path("go/", palette.go, name="palette"),
    path("customers/", customers.show, name="customers"),
    path("", include("gengyun.web.urls_settings")),
]
