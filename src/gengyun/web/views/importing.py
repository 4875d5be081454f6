"""Import of a file: upload, match columns, dry run, run with progress, rows that were refused."""

import csv
import io
import tempfile
from pathlib import Path

from django.http import FileResponse, HttpResponse
from django.utils.translation import gettext as _

from gengyun.customers.actions import importing as actions
from gengyun.customers.actions.import_kinds import capability_of, kind_named, options_of
from gengyun.customers.actions.import_messages import MESSAGES, explain
from gengyun.customers.models import Customer, ImportRun, Stage, Tier
from gengyun.customers.queries import imports as queries
from gengyun.customers.queries.custom_fields import fields_in_use
from gengyun.kernel.clock import utc_now
from gengyun.kernel.errors import NotFound, Refusal
from gengyun.kernel.models import Job
from gengyun.revenue.models import OpportunityStage
from gengyun.team.models import User
from gengyun.team.queries.access import can
from gengyun.web.access import page
from gengyun.web.present import import_fields as words
from gengyun.web.present import import_revenue as revenue
from gengyun.web.present.format import money
from gengyun.web.render import warn
from gengyun.web.views.settings.common import go, refusal_text, show
from gengyun.web.words import is_zh, pick

LISTED = 30
STATE = ImportRun.State


@page("customer.import")
def imports(request):
    context = {
        "runs": list(queries.runs(request.user)[:LISTED]),
        "kinds": words.KINDS,
        "offered": _offered(request.user),
        "states": words.STATES,
    }
    return show(request, "importing/list.html", "imports", context)


def _offered(user):
    """Kinds that the person may import: spend holds salaries, rates are for everybody."""
    return {
        kind: said
        for kind, said in words.KINDS.items()
        if can(user, capability_of(kind_named(kind)))
    }


@page("customer.import", methods=("GET", "POST"))
def import_new(request):
    kind = request.POST.get("kind") or request.GET.get("kind") or "customers"
    kinds = _offered(request.user)
    context = {"kind": kind if kind in kinds else "customers", "kinds": kinds}
    if request.method == "GET":
        return show(request, "importing/upload.html", "imports", context)
    given = request.FILES.get("file")
    if given is None:
        errors = {"file": _("Choose a file.")}
        return show(
            request, "importing/upload.html", "imports", context | {"errors": errors}, status=422
        )
    try:
        run = _prepare(request, kind, given)
    except Refusal as refusal:
        errors = {"file": refusal_text(refusal)}
        return show(
            request, "importing/upload.html", "imports", context | {"errors": errors}, status=422
        )
    return go(request, "import", run.pk)


def _prepare(request, kind, given):
    """Small uploads are in memory, large ones on disk already; the action reads a path."""
    common = {"actor": request.user, "now": utc_now(), "kind": kind, "file_name": given.name}
    if hasattr(given, "temporary_file_path"):
        return actions.prepare_import(path=Path(given.temporary_file_path()), **common)
    with tempfile.NamedTemporaryFile(suffix=Path(given.name).suffix[:8]) as file:
        for chunk in given.chunks():
            file.write(chunk)
        file.flush()
        return actions.prepare_import(path=Path(file.name), **common)


@page("customer.import")
def import_sample(request, kind):
    """An empty table with headers that are recognised."""
    importer = kind_named(kind)
    if importer is None:
        raise NotFound
    text = io.StringIO()
    headers = [words.header_for(column.names, zh=is_zh()) for column in importer.columns]
    csv.writer(text).writerow(headers)
    response = HttpResponse("\ufeff" + text.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{kind}.csv"'
    return response


def _show(request, run, *, errors=None, status=200, block=None):
    importer = kind_named(run.kind)
    outcome = run.outcome or {}
    customs = {field.name: pick(field) for field in fields_in_use()}
    waiting = Job.objects.filter(unique_key=f"import:{run.pk}", state=Job.State.READY).exists()
    context = {
        "run": run,
        "kind": words.KINDS[run.kind][0],
        "fields": [
            (c.field, customs.get(c.field) or words.field_label(c.field, run.kind))
            for c in importer.columns
        ],
        "needed": [
            [str(words.field_label(field, run.kind)) for field in sorted(group)]
            for group in importer.needed
        ],
        "outcome": outcome,
        "options": revenue.option_rows(options_of(importer), run.options),
        "totals": revenue.totals(outcome),
        "reasons": revenue.reasons(outcome.get("reasons", [])),
        "flagged": revenue.reasons(outcome.get("flagged", [])),
        "row_outcomes": words.OUTCOMES,
        "first_rows": (first_rows := _first_rows(outcome.get("rows", []), customs, run.kind)),
        "has_facts": any(row["facts"] for row in first_rows),
        "problems": [(row["row"], explain(row)) for row in outcome.get("errors", [])],
        "states": words.STATES,
        "waiting": waiting,
        "to_write": outcome.get("created", 0) + outcome.get("changed", 0),
        "errors": errors or {},
    }
    return show(request, "importing/run.html", "imports", context, block=block, status=status)


def _first_rows(rows, customs, kind):
    """The first rows with their changes in words: names for ids, amounts for fen."""
    models = {"owner_id": User, "tier_id": Tier, "stage_id": Stage, "parent_id": Customer}
    if kind == "opportunities":
        models["stage_id"] = OpportunityStage
    wanted = {
        field: {value for row in rows for value in row["changes"].get(field, []) if value}
        for field in models
    }
    names = {
        field: {row.pk: pick(row) or row.name for row in models[field].objects.filter(pk__in=ids)}
        for field, ids in wanted.items()
    }
    return [
        row
        | {
            "facts": revenue.facts(row),
            "flags": revenue.flags(row),
            "changes": [
                (
                    customs.get(field) or words.field_label(field, kind),
                    _said(field, old, names, row),
                    _said(field, new, names, row),
                )
                for field, (old, new) in row["changes"].items()
            ],
        }
        for row in rows
    ]


def _said(field, value, names, row):
    if value in (None, "", []):
        return ""
    if field in names:
        return names[field].get(value, "")
    if field.endswith("_minor"):
        said = row["changes"].get("currency", [None, None])[1]
        code = row.get("facts", {}).get("currency") or said or "CNY"
        return money(value, code, zh=is_zh())
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    return value


def _mapping_from(request, run):
    """Columns by their place: headers may hold anything."""
    return {
        column["header"]: request.POST.get(f"map.{place}") or None
        for place, column in enumerate(run.columns)
    }


def _mapping_error(run, refusal):
    """The refusal beside the column it is about, in words."""
    if refusal.code == "mapping_invalid":
        headers = [column["header"] for column in run.columns]
        problem = MESSAGES.get(refusal.params["problem"], refusal.params["problem"])
        if refusal.params["column"] in headers:
            return {f"map.{headers.index(refusal.params['column'])}": _(problem)}
    if refusal.code == "fields_not_mapped":
        names = [str(words.field_label(f, run.kind)) for f in refusal.params["fields"].split(", ")]
        joined = _(" or ").join(f"“{name}”" for name in names)
        return {"": _("No column is matched to %(fields)s yet.") % {"fields": joined}}
    if refusal.code == "option_invalid":
        option = refusal.params["option"]
        return {option: _("Choose a day.") if option == "known_from" else refusal_text(refusal)}
    return {"": refusal_text(refusal)}


@page("customer.import", methods=("GET", "POST"))
def import_run(request, pk):
    """Where the import stands; POST checks the mapping by a dry run."""
    run = queries.get_run(request.user, pk)
    if request.method == "GET":
        return _show(request, run)
    mapping = _mapping_from(request, run)
    asked = ["known_from", *(option.name for option in options_of(kind_named(run.kind)))]
    options = {name: request.POST.get(name, "") for name in asked}
    try:
        actions.check_import(
            actor=request.user, now=utc_now(), run=run, mapping=mapping, options=options
        )
    except Refusal as refusal:
        run.mapping = mapping
        return _show(request, run, errors=_mapping_error(run, refusal), status=422)
    return go(request, "import", pk)


@page("customer.import", methods=("POST",))
def import_start(request, pk):
    run = queries.get_run(request.user, pk)
    try:
        actions.start_import(actor=request.user, now=utc_now(), run=run)
    except Refusal as refusal:
        warn(request, refusal_text(refusal))
    return go(request, "import", pk)


@page("customer.import")
def import_progress(request, pk):
    """The fragment that a running import asks for; when done, the whole page is loaded again."""
    run = queries.get_run(request.user, pk)
    if run.state != STATE.RUNNING:
        return go(request, "import", pk)
    return _show(request, run, block="progress")


@page("customer.import")
def import_errors(request, pk):
    path = queries.error_file(request.user, pk)
    run = queries.get_run(request.user, pk)
    word = _("refused")
    name = f"{Path(run.file_name).stem}-{word}.csv"
    return FileResponse(path.open("rb"), as_attachment=True, filename=name, content_type="text/csv")


@page("customer.import")
def import_rows(request, pk):
    """Every row with what came of it, the ARR and the rule that gave it."""
    path = queries.rows_file(request.user, pk)
    run = queries.get_run(request.user, pk)
    word = _("rows")
    name = f"{Path(run.file_name).stem}-{word}.csv"
    return FileResponse(path.open("rb"), as_attachment=True, filename=name, content_type="text/csv")


@page("customer.import", methods=("POST",))
def import_delete(request, pk):
    run = queries.get_run(request.user, pk)
    try:
        actions.delete_import(actor=request.user, now=utc_now(), run=run)
    except Refusal as refusal:
        warn(request, refusal_text(refusal))
        return go(request, "import", pk)
    return go(request, "imports", said=_("Forgotten. What it wrote stays."))
