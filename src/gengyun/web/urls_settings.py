"""Paths of settings, import, definitions and profile; included by `web.urls`."""

from django.urls import path

from gengyun.web.views import importing
from gengyun.web.views.settings import (
    audit,
    definitions,
    home,
    metrics,
    profile,
    scorecards,
    sources,
    stages,
    team,
    tiers,
)

urlpatterns = [
    path("settings/", home.home, name="settings"),
    path("settings/sources/", sources.sources, name="settings_sources"),
    path("settings/sources/new/", sources.source_new, name="settings_source_new"),
    path("settings/sources/<int:pk>/", sources.source, name="settings_source"),
    path("settings/sources/<int:pk>/edit/", sources.source_edit, name="settings_source_edit"),
    path("settings/sources/<int:pk>/live/", sources.source_live, name="settings_source_live"),
    path(
        "settings/sources/<int:pk>/quarantine/",
        sources.source_quarantine,
        name="settings_source_quarantine",
    ),
    path("settings/sources/<int:pk>/replay/", sources.source_replay, name="settings_source_replay"),
    path("settings/sources/<int:pk>/keys/", sources.key_new, name="settings_key_new"),
    path(
        "settings/sources/<int:pk>/keys/<int:key_pk>/revoke/",
        sources.key_revoke,
        name="settings_key_revoke",
    ),
    path("settings/metrics/", metrics.metrics, name="settings_metrics"),
    path("settings/metrics/new/", metrics.metric_new, name="settings_metric_new"),
    path("settings/metrics/<slug:key>/", metrics.metric_edit, name="settings_metric"),
    path(
        "settings/metrics/<slug:key>/retire/", metrics.metric_retire, name="settings_metric_retire"
    ),
    path(
        "settings/metrics/<slug:key>/restore/",
        metrics.metric_restore,
        name="settings_metric_restore",
    ),
    path("settings/scorecards/", scorecards.scorecards, name="settings_scorecards"),
    path("settings/scorecards/new/", scorecards.scorecard_new, name="settings_scorecard_new"),
    path("settings/scorecards/<int:pk>/", scorecards.scorecard, name="settings_scorecard"),
    path("settings/scorecards/<int:pk>/up/", scorecards.scorecard_up, name="settings_scorecard_up"),
    path(
        "settings/scorecards/<int:pk>/versions/",
        scorecards.scorecard_versions,
        name="settings_scorecard_versions",
    ),
    path("settings/tiers/", tiers.tiers, name="settings_tiers"),
    path("settings/tiers/new/", tiers.tier_new, name="settings_tier_new"),
    path("settings/tiers/<int:pk>/", tiers.tier_edit, name="settings_tier"),
    path("settings/stages/", stages.stages, name="settings_stages"),
    path("settings/stages/new/", stages.stage_new, name="settings_stage_new"),
    path("settings/stages/<int:pk>/", stages.stage_edit, name="settings_stage"),
    path("settings/stages/<int:pk>/up/", stages.stage_up, name="settings_stage_up"),
    path("settings/team/", team.team, name="settings_team"),
    path("settings/team/users/new/", team.user_new, name="settings_user_new"),
    path("settings/team/users/<int:pk>/", team.user_edit, name="settings_user"),
    path("settings/team/users/<int:pk>/active/", team.user_active, name="settings_user_active"),
    path("settings/team/teams/new/", team.team_new, name="settings_team_new"),
    path("settings/team/teams/<int:pk>/", team.team_edit, name="settings_team_edit"),
    path("settings/audit/", audit.audit, name="settings_audit"),
    path("imports/", importing.imports, name="imports"),
    path("imports/new/", importing.import_new, name="import_new"),
    path("imports/sample/<slug:kind>.csv", importing.import_sample, name="import_sample"),
    path("imports/<int:pk>/", importing.import_run, name="import"),
    path("imports/<int:pk>/start/", importing.import_start, name="import_start"),
    path("imports/<int:pk>/progress/", importing.import_progress, name="import_progress"),
    path("imports/<int:pk>/errors.csv", importing.import_errors, name="import_errors"),
    path("imports/<int:pk>/delete/", importing.import_delete, name="import_delete"),
    path("help/definitions/", definitions.definitions, name="definitions"),
    path("profile/", profile.profile, name="profile"),
    path("profile/password/", profile.change_password, name="profile_password"),
]
