"""Paths of surveys; included by `web.urls`."""

from django.urls import path

from gengyun.web.views import survey_public

urlpatterns = [
    path("s/<str:token>/", survey_public.answer, name="survey_answer"),
]
