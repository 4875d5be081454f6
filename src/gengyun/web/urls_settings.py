"""Paths of settings, import, definitions and profile; included by `web.urls`."""

from django.urls import path

from gengyun.web.views.settings import audit, home, profile, stages, team, tiers

urlpatterns = [
    path("settings/", home.home, name="settings"),
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
    path("profile/", profile.profile, name="profile"),
    path("profile/password/", profile.change_password, name="profile_password"),
]
