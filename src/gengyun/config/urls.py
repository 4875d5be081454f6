"""The root of the URL space of the pages; tracking paths never reach Django."""

from django.urls import include, path

urlpatterns = [path("", include("gengyun.web.urls"))]
