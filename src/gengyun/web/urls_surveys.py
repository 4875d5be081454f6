"""Paths of surveys; included by `web.urls`."""

from django.urls import path

from gengyun.web.views import customer_surveys, survey_edit, survey_public, surveys

urlpatterns = [
    path("surveys/", surveys.listing, name="surveys"),
    path("surveys/new/", survey_edit.new, name="survey_new"),
    path("surveys/<int:pk>/", surveys.show, name="survey"),
    path("surveys/<int:pk>/edit/", survey_edit.edit, name="survey_edit"),
    path("surveys/<int:pk>/ask/", surveys.ask, name="survey_ask"),
    path("surveys/<int:pk>/waves/<int:wave>/<slug:verb>/", surveys.wave_act, name="survey_wave"),
    path("surveys/<int:pk>/<slug:verb>/", surveys.act, name="survey_act"),
    path("s/<str:token>/", survey_public.answer, name="survey_answer"),
]
# below a customer's own path
customer_patterns = [
    path("surveys/", customer_surveys.show, name="customer_surveys"),
    path("surveys/ask/", customer_surveys.ask, name="customer_survey_ask"),
    path("surveys/passed/", customer_surveys.passed, name="customer_survey_passed"),
]
