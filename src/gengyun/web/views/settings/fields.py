"""The company's own fields of a customer: list with how many are filled, editor, order."""

from django.urls import reverse
from django.utils.translation import gettext as _

from gengyun.customers.actions import custom_fields as actions
from gengyun.customers.models import Customer, CustomField
from gengyun.customers.queries import custom_fields as queries
from gengyun.kernel.errors import Refusal
from gengyun.web.access import page
from gengyun.web.present import custom, field_form
from gengyun.web.render import is_htmx, warn
from gengyun.web.views.settings.common import field_of, go, refusal_text, show
from gengyun.web.words import pick

ERRORS = {
    "field_name_missing": "name_zh",
    "field_name_taken": "name_zh",
    "field_key_invalid": "key",
    "field_key_taken": "key",
    "field_kind_unknown": "kind",
    "options_missing": "options",
    "options_repeated": "options",
}


@page("settings.read")
def fields(request):
    rows = list(CustomField.objects.all())
    context = {
        "fields": [field for field in rows if field.retired_at is None],
        "retired": [field for field in rows if field.retired_at is not None],
        "kind_names": {kind: name for kind, (name, _about) in custom.KINDS.items()},
        "counts": queries.fill_counts(),
        "customer_count": Customer.objects.present().count(),
        "options_of": custom.options,
    }
    return show(request, "settings/fields.html", "fields", context)


def _form(request, field, draft, errors, status=200):
    context = {
        "field": field,
        "draft": draft,
        "errors": errors,
        "kinds": [(kind, name, about) for kind, (name, about) in custom.KINDS.items()],
        "kind_name": custom.kind_name(field.kind) if field else "",
        "has_options": draft["kind"] in {"choice", "multi"} if field else True,
        "used": queries.options_used(field) if field else set(),
    }
    block = "editor" if is_htmx(request) and request.method == "POST" else None
    return show(request, "settings/field_form.html", "fields", context, block=block, status=status)


@page("settings.edit", methods=("GET", "POST"))
def field_new(request):
    if request.method == "GET":
        return _form(request, None, field_form.new_draft(), {})
    draft = field_form.draft_from_post(request.POST)
    step = request.POST.get("step", "save")
    if step != "save":
        return _form(request, None, field_form.apply_step(draft, step), {})
    try:
        field = actions.create_field(
            actor=request.user,
            now=request.now,
            kind=draft["kind"],
            key=draft["key"],
            values=field_form.values_of(draft),
        )
    except Refusal as refusal:
        return _form(request, None, draft, field_of(refusal, ERRORS), 422)
    said = _("Field “%(name)s” made; it stands on every customer's page and in the list's columns.")
    return go(request, "settings_fields", said=said % {"name": pick(field)})


@page("settings.edit", methods=("GET", "POST"))
def field_edit(request, pk):
    field = queries.get_field(pk)
    if request.method == "GET":
        return _form(request, field, field_form.draft_of(field), {})
    draft = field_form.draft_from_post(request.POST) | {"key": field.key, "kind": field.kind}
    step = request.POST.get("step", "save")
    if step != "save":
        return _form(request, field, field_form.apply_step(draft, step), {})
    try:
        actions.edit_field(
            actor=request.user, now=request.now, field=field, values=field_form.values_of(draft)
        )
    except Refusal as refusal:
        return _form(request, field, draft, field_of(refusal, ERRORS), 422)
    return go(request, "settings_fields", said=_("Saved."))


@page("settings.edit", methods=("POST",))
def field_retire(request, pk):
    """Out of forms and lists; the toast takes it back."""
    field = queries.get_field(pk)
    actions.retire_field(actor=request.user, now=request.now, field=field)
    back = reverse("web:settings_field_restore", args=[pk])
    said = _("“%(name)s” was retired; its values stay.") % {"name": pick(field)}
    return go(request, "settings_fields", said=said, undo=back)


@page("settings.edit", methods=("POST",))
def field_restore(request, pk):
    field = queries.get_field(pk)
    try:
        actions.restore_field(actor=request.user, now=request.now, field=field)
    except Refusal as refusal:
        warn(request, refusal_text(refusal))
        return go(request, "settings_fields")
    return go(request, "settings_fields", said=_("Back in use."))


@page("settings.edit", methods=("POST",))
def field_delete(request, pk):
    field = queries.get_field(pk)
    try:
        actions.delete_field(actor=request.user, now=request.now, field=field)
    except Refusal as refusal:
        warn(request, refusal_text(refusal))
        return go(request, "settings_field", pk)
    return go(request, "settings_fields", said=_("Deleted."))


@page("settings.edit", methods=("POST",))
def field_up(request, pk):
    """One place earlier, among the fields that are in use."""
    field = queries.get_field(pk)
    rows = list(CustomField.objects.all())
    used = [row for row in rows if row.retired_at is None]
    place = next((n for n, row in enumerate(used) if row.pk == field.pk), 0)
    if place:
        used[place - 1], used[place] = used[place], used[place - 1]
        retired = [row for row in rows if row.retired_at is not None]
        actions.reorder_fields(actor=request.user, now=request.now, fields=[*used, *retired])
    return go(request, "settings_fields")
