"""Paths of the insight pages."""

from django.urls import path

from gengyun.web.views.insight import (
    arr,
    capacity,
    cells,
    churn,
    churn_models,
    cohorts,
    money,
    retention,
    retention_cells,
    sops,
    value,
)

urlpatterns = [
    path("insight/", arr.arr, name="insight"),
    path("insight/waterfall.json", arr.arr_data, name="insight_waterfall_data"),
    path("insight/cells/", cells.cell, name="insight_cell"),
    path("insight/ledger/<int:pk>/", cells.ledger, name="insight_ledger"),
    path("insight/retention/", retention.retention, name="insight_retention"),
    path("insight/retention.json", retention.retention_data, name="insight_retention_data"),
    path("insight/retention/cells/", retention_cells.kept, name="insight_retention_cell"),
    path("insight/renewals/", retention.renewals, name="insight_renewals"),
    path("insight/renewals.json", retention.renewals_data, name="insight_renewals_data"),
    path("insight/renewals/cells/", retention_cells.due, name="insight_renewals_cell"),
    path("insight/cohorts/", cohorts.cohorts, name="insight_cohorts"),
    path("insight/cohorts/cells/", cohorts.cell, name="insight_cohorts_cell"),
    path("insight/funnel/", money.funnel, name="insight_funnel"),
    path("insight/concentration/", money.concentration, name="insight_concentration"),
    path("insight/value/", value.value, name="insight_value"),
    path("insight/economics/", money.unit_economics, name="insight_economics"),
    path("insight/capacity/", capacity.capacity, name="insight_capacity"),
    path("insight/churn/", churn.report, name="insight_churn"),
    path("insight/churn/run/", churn.report_run, name="insight_churn_run"),
    path("insight/churn/reports/<int:pk>/", churn.report_of, name="insight_churn_report"),
    path("insight/churn/reports/<int:pk>/cases/", churn.cases, name="insight_churn_cases"),
    path("insight/churn/models/", churn_models.models, name="insight_churn_models"),
    path("insight/churn/models/<int:pk>/", churn_models.card, name="insight_churn_model"),
    path(
        "insight/churn/models/<int:pk>/promote/",
        churn_models.card_promote,
        name="insight_churn_promote",
    ),
    path("insight/sops/", sops.sops, name="insight_sops"),
    path("insight/wallet/", money.wallet, name="insight_wallet"),
]
