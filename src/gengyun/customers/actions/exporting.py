"""Export of any list: asked for, written at once when it is small, by the worker when it is large.

A list says what it holds by registering a `Listing`; its rows are those the person sees, at the
moment of writing. Every export is an audit row: who took what out, and how much.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from django.conf import settings
from django.db import transaction
from django.utils import translation
from django.utils.module_loading import import_string
from django_tasks import task

from gengyun.customers.actions.export_files import MAX_SHEET_ROWS, TooManyRows, write
from gengyun.customers.models import ExportRun
from gengyun.kernel.clock import utc_now
from gengyun.kernel.days import day_of
from gengyun.kernel.errors import NotFound, Refusal
from gengyun.kernel.jobs.backend import add
from gengyun.kernel.jobs.progress import report_progress
from gengyun.team.actions.audit import record
from gengyun.team.models import User
from gengyun.team.queries.access import require

log = logging.getLogger(__name__)
AT_ONCE = 2_000  # rows that are written while the person waits
KEEP = timedelta(days=7)  # the files hold names and amounts
FOLDER = "files/exports"


class ListingUnknown(Refusal):
    code = "listing_unknown"
    message = "There is no such list to export."


class FormUnknown(Refusal):
    code = "export_form_unknown"
    message = "Choose CSV or Excel."


class ExportNotReady(Refusal):
    code = "export_not_ready"
    status = 409
    message = "The file is not there yet, or was deleted after 7 days."


@dataclass(frozen=True)
class Sheet:
    """Headers in the reader's language and rows of typed values, made while they are written."""

    headers: Sequence[str]
    rows: Iterable[Sequence[Any]]


class Listing(Protocol):
    """What a list must say to be exported. `query` is JSON that `clean` has checked."""

    capability: str | None  # beside seeing the rows

    def clean(self, actor: User, query: Mapping[str, Any]) -> dict[str, Any]: ...

    def count(self, actor: User, query: Mapping[str, Any], today: date, limit: int) -> int:
        """How many rows, counted no further than `limit`."""
        ...

    def sheet(self, actor: User, query: Mapping[str, Any], today: date) -> Sheet: ...


_listings: dict[str, str] = {}


def register(key: str, path: str) -> None:
    """`path`: dotted path of the listing's class, imported when the list is exported."""
    _listings[key] = path


def listing_named(key: str) -> Listing:
    if key not in _listings:
        raise ListingUnknown
    found: Listing = import_string(_listings[key])()
    return found


def start_export(
    *, actor: User, now: datetime, listing: str, form: str, query: Mapping[str, Any]
) -> ExportRun:
    """The export, done already when the list is small; else handed to the worker."""
    found = listing_named(listing)
    if found.capability:
        require(actor, found.capability)
    if form not in ExportRun.Form.values:
        raise FormUnknown
    cleaned, today = found.clean(actor, query), day_of(now)
    count = found.count(actor, cleaned, today, MAX_SHEET_ROWS + 1)
    if form == ExportRun.Form.XLSX and count > MAX_SHEET_ROWS:
        raise TooManyRows(rows=MAX_SHEET_ROWS)
    with transaction.atomic():
        run = ExportRun.objects.create(
            listing=listing,
            form=form,
            query=cleaned,
            language=actor.language,
            row_count=count,
            file_name=f"{listing}-{today:%Y%m%d}.{form}",
            created_by=actor,
            created_at=now,
        )
        told = {"rows": [None, count], "form": [None, form], "query": [None, cleaned]}
        record(actor=actor, now=now, action="export.start", obj=run, changes=told)
        if count > AT_ONCE:
            add(export_in_background, run.pk, unique_key=f"export:{run.pk}")
            return run
    return _write(run, now=now)


@task()
def export_in_background(run_id: int) -> dict[str, int]:
    run = ExportRun.objects.filter(pk=run_id).first()
    if run is None or run.state == ExportRun.State.DONE:  # a job may be run again
        return {"rows": run.done_count if run else 0}
    return {"rows": _write(run, now=utc_now()).done_count}


def _write(run: ExportRun, *, now: datetime) -> ExportRun:
    run.state, run.error = ExportRun.State.RUNNING, ""
    run.save(update_fields=["state", "error"])
    try:
        with translation.override(run.language):
            _write_file(run, now)
    except Exception as error:
        log.warning("export %s failed: %r", run.pk, error)
        run.state, run.error, run.finished_at = ExportRun.State.FAILED, repr(error)[:1000], now
        run.save(update_fields=["state", "error", "finished_at"])
        raise
    return run


def _write_file(run: ExportRun, now: datetime) -> None:
    if run.created_by is None:
        raise NotFound
    sheet = listing_named(run.listing).sheet(run.created_by, run.query, day_of(now))
    stored = f"{FOLDER}/{run.pk}.{run.form}"
    path: Path = settings.DATA_DIR / stored

    def report(done: int) -> None:
        ExportRun.objects.filter(pk=run.pk).update(done_count=done)
        report_progress(done, run.row_count or done)

    run.done_count = run.row_count = write(path, run.form, sheet.headers, sheet.rows, report)
    run.stored_path, run.byte_count = stored, path.stat().st_size
    run.state, run.finished_at = ExportRun.State.DONE, now
    run.save()


def delete_export(*, actor: User, now: datetime, run: ExportRun) -> None:
    """Forget an export and its file."""
    with transaction.atomic():
        record(actor=actor, now=now, action="export.delete", obj=run)
        stored = run.stored_path
        run.delete()
    if stored:
        (settings.DATA_DIR / stored).unlink(missing_ok=True)


def forget_exports(*, now: datetime) -> int:
    """Delete files older than `KEEP`; who exported what stays known. Returns how many."""
    old = ExportRun.objects.filter(created_at__lt=now - KEEP).exclude(stored_path="")
    count = 0
    for run in old:
        (settings.DATA_DIR / run.stored_path).unlink(missing_ok=True)
        count += ExportRun.objects.filter(pk=run.pk).update(stored_path="")
    return count
