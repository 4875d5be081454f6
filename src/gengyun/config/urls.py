"""The root of the URL space of the pages; tracking paths never reach Django."""

from django.urls import include, path

urlpatterns = [path("", include("gengyun.web.urls"))]
handler404 = "gengyun.web.views.errors.not_found"
handler500 = "gengyun.web.views.errors.server_error"
