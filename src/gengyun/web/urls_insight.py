"""Paths of the insight pages."""

from django.urls import path

from gengyun.web.views.insight import arr, cells

urlpatterns = [
    path("insight/", arr.arr, name="insight"),
    path("insight/waterfall.json", arr.arr_data, name="insight_waterfall_data"),
    path("insight/cells/", cells.cell, name="insight_cell"),
    path("insight/ledger/<int:pk>/", cells.ledger, name="insight_ledger"),
]
