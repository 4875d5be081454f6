"""Exports: asked for by a list, downloaded at once or when the worker has written them."""

from dataclasses import asdict

from django.http import FileResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from gengyun.customers.actions import exporting as actions
from gengyun.customers.models import ExportRun
from gengyun.customers.queries import exports as queries
from gengyun.kernel.models import Job
from gengyun.web.access import page
from gengyun.web.present import list_query
from gengyun.web.views.alerts import address_of
from gengyun.web.views.opportunities import address_of as opportunities_asked
from gengyun.web.views.renewals import address_of as renewals_asked
from gengyun.web.views.settings.common import go, show

LISTED = 50
STATE = ExportRun.State
NAMES = {
    "customers": gettext_lazy("Customers"),
    "contacts": gettext_lazy("Contacts"),
    "audit": gettext_lazy("Audit log"),
    "alerts": gettext_lazy("Alerts"),
    "alert_rules": gettext_lazy("Alert rules"),
    "movers": gettext_lazy("What moved"),
    "journeys": gettext_lazy("Journeys"),
    "insight": gettext_lazy("Table of insight"),
    "insight_cell": gettext_lazy("Customers behind a figure"),
    "opportunities": gettext_lazy("Opportunities"),
    "renewals": gettext_lazy("Renewals"),
    "answers": gettext_lazy("Answers to surveys"),
}
STATES = {
    "waiting": ("c", gettext_lazy("waits for the worker")),
    "running": ("br", gettext_lazy("being written")),
    "done": ("a", gettext_lazy("ready")),
    "failed": ("d", gettext_lazy("failed")),
}
TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@page(methods=("GET", "POST"))
def exports(request):
    """One's own exports; POST asks for one: small ones are answered with the file."""
    if request.method == "GET":
        context = {"runs": list(queries.exports(request.user)[:LISTED])} | _words()
        return show(request, "exporting/list.html", "exports", context)
    listing = request.POST.get("listing", "")
    run = actions.start_export(
        actor=request.user,
        now=request.now,
        listing=listing,
        form=request.POST.get("form", "csv"),
        query=_query(request, listing),
    )
    return go(request, "export_file" if run.state == STATE.DONE else "export", run.pk)


def _query(request, listing):
    """What the list was asked: the address of a customer list, else the fields of the form."""
    if listing in {"customers", "contacts"}:
        return list_query.of_request(request.POST).query().as_json()
    if listing == "alerts":
        return asdict(address_of(request, request.POST))
    if listing == "opportunities":
        return asdict(opportunities_asked(request, request.POST))
    if listing == "renewals":
        return asdict(renewals_asked(request, request.POST))
    return {name: value for name, value in request.POST.items() if name != "csrfmiddlewaretoken"}


def _words():
    return {"names": NAMES, "states": STATES, "keep_days": actions.KEEP.days}


def _show(request, run, block=None):
    waiting = Job.objects.filter(unique_key=f"export:{run.pk}", state=Job.State.READY).exists()
    context = {"run": run, "waiting": waiting} | _words()
    return show(request, "exporting/run.html", "exports", context, block=block)


@page()
def export(request, pk):
    return _show(request, queries.get_export(request.user, pk))


@page()
def progress(request, pk):
    """The fragment that a running export asks for; when done, the whole page is loaded again."""
    run = queries.get_export(request.user, pk)
    if run.state in {STATE.DONE, STATE.FAILED}:
        return go(request, "export", pk)
    return _show(request, run, block="progress")


@page()
def file(request, pk):
    run, path = queries.export_file(request.user, pk)
    return FileResponse(
        path.open("rb"), as_attachment=True, filename=run.file_name, content_type=TYPES[run.form]
    )


@page(methods=("POST",))
def delete(request, pk):
    run = queries.get_export(request.user, pk)
    actions.delete_export(actor=request.user, now=request.now, run=run)
    return go(request, "exports", said=_("Deleted."))
