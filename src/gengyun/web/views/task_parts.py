"""Comments and files of a task."""

from django.http import FileResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from gengyun.kernel.errors import NotFound, Refusal
from gengyun.tasks.actions import comments, files
from gengyun.tasks.queries import details
from gengyun.tasks.queries import lists as queries
from gengyun.web.access import page
from gengyun.web.refusals import refusal_text
from gengyun.web.render import back, is_htmx, toast
from gengyun.web.views.task_panel import CHANGED, render_panel


@page("task.work", methods=("POST",))
def comment(request, pk):
    task = queries.get(request.user, pk)
    body = request.POST.get("body", "")
    try:
        comments.comment(actor=request.user, now=request.now, task=task, body=body)
    except Refusal as refusal:
        return _refused(request, pk, refusal, {"comment": body})
    return _done(request, pk)


@page("task.work", methods=("POST",))
def comment_act(request, pk, comment_pk, verb):
    row = details.get_comment(request.user, pk, comment_pk)
    given = {"actor": request.user, "now": request.now, "comment": row}
    if verb == "edit":
        try:
            comments.edit_comment(body=request.POST.get("body", ""), **given)
        except Refusal as refusal:
            return _refused(request, pk, refusal, {})
    elif verb == "delete":
        comments.delete_comment(**given)
        undo = reverse("web:task_comment_act", args=[pk, comment_pk, "restore"])
        toast(request, _("The comment is gone"), undo=undo)
    elif verb == "restore":
        comments.restore_comment(**given)
        toast(request, _("Taken back"))
    else:
        raise NotFound
    return _done(request, pk, follows=verb != "restore")


@page("task.work", methods=("POST",))
def add_file(request, pk):
    task = queries.get(request.user, pk)
    given = request.FILES.get("file")
    name, chunks = (given.name or "", given.chunks()) if given is not None else ("", [])
    try:
        file = files.add_file(
            actor=request.user, now=request.now, task=task, name=name, chunks=chunks
        )
    except Refusal as refusal:
        return _refused(request, pk, refusal, {})
    undo = reverse("web:task_file_act", args=[pk, file.pk, "remove"])
    toast(request, _("%(name)s was added") % {"name": file.name}, undo=undo)
    return _done(request, pk)


@page()
def file(request, pk, file_pk):
    """Always a download under a type that no browser runs, whatever is inside."""
    row = details.get_file(request.user, pk, file_pk)
    path = files.path_of(row)
    if row.removed_at is not None or not path.is_file():
        raise NotFound
    response = FileResponse(
        path.open("rb"),
        as_attachment=True,
        filename=row.name,
        content_type="application/octet-stream",
    )
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["Cache-Control"] = "private, no-store"
    return response


@page("task.work", methods=("POST",))
def file_act(request, pk, file_pk, verb):
    row = details.get_file(request.user, pk, file_pk)
    if verb == "remove":
        files.remove_file(actor=request.user, now=request.now, file=row)
        undo = reverse("web:task_file_act", args=[pk, file_pk, "restore"])
        toast(request, _("%(name)s was taken off") % {"name": row.name}, undo=undo)
    elif verb == "restore":
        files.restore_file(actor=request.user, now=request.now, file=row)
        toast(request, _("Taken back"))
    else:
        raise NotFound
    return _done(request, pk)


def _done(request, pk, *, follows=True):
    if not is_htmx(request):
        return back(request, reverse("web:task", args=[pk]))
    response = render_panel(request, pk)
    if follows:
        response["HX-Trigger"] = CHANGED
    return response


def _refused(request, pk, refusal, typed):
    if refusal.status in {403, 404}:
        raise refusal
    said = typed | {"error": refusal_text(refusal)}
    return render_panel(request, pk, said=said, status=422)
