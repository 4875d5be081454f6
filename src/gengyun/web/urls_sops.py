"""Paths of SOPs and segments; included by `web.urls`."""

from django.urls import path

from gengyun.web.views import segments
from gengyun.web.views.sops import customer, editor, effect, lists, program, runs, versions

urlpatterns = [
    path("sops/", lists.listing, name="sops"),
    path("sops/choose/", customer.choose, name="sop_choose"),
    path("sops/new/", lists.new, name="sop_new"),
    path("sops/<int:pk>/", editor.editor, name="sop"),
    path("sops/<int:pk>/name/", lists.rename, name="sop_name"),
    path("sops/<int:pk>/control/", lists.steer, name="sop_control"),
    path("sops/<int:pk>/delete/", lists.delete, name="sop_delete"),
    path("sops/<int:pk>/runs/", runs.listing, name="sop_runs"),
    path("sops/<int:pk>/log/", runs.log, name="sop_log"),
    path("sops/<int:pk>/versions/", versions.listing, name="sop_versions"),
    path("sops/<int:pk>/versions/<int:number>/open/", versions.reopen, name="sop_reopen"),
    path("sops/<int:pk>/program/", program.listing, name="sop_program"),
    path("sops/<int:pk>/program/<int:token>/revoke/", program.revoke, name="sop_token_revoke"),
    path("v1/sops/<str:key>/enter", program.enter, name="sop_enter"),
    path("segments/", segments.listing, name="segments"),
    path("segments/new/", segments.new, name="segment_new"),
    path("segments/<int:pk>/", segments.show, name="segment"),
    path("segments/<int:pk>/edit/", segments.edit, name="segment_edit"),
    path("segments/<int:pk>/pin/", segments.pin, name="segment_pin"),
    path("segments/<int:pk>/retire/", segments.retire, name="segment_retire"),
    path("sops/<int:pk>/effect/", effect.effect, name="sop_effect"),
    path("sops/<int:pk>/effect/customers/", effect.outcomes, name="sop_effect_outcomes"),
    path("sop-runs/<int:pk>/", runs.one, name="sop_run"),
    path("sop-runs/<int:pk>/stop/", runs.stop, name="sop_run_stop"),
]
# below a customer's own path
customer_patterns = [
    path("sops/", customer.card, name="customer_sops"),
    path("sops/start/", customer.start, name="customer_sop_start"),
]
