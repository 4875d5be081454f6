"""Paths of the settings pages."""

urlpatterns = []
