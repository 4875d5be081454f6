"""Import of a file, step by step: prepare (read, suggest a mapping), check (dry run), start, run.

The run writes a thousand rows a transaction, together with how far it is: a killed run goes on
where it was, and importing the same file again changes nothing.
"""

import logging
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import groupby, islice
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django_tasks import task

from gengyun.customers.actions import import_contacts, import_customers, import_periods
from gengyun.customers.actions.import_error_file import write_error_file, write_row_file
from gengyun.customers.actions.import_kinds import (
    CHANGED,
    CREATED,
    ERROR,
    SAME,
    Batched,
    Context,
    ImportKind,
    Planned,
    Problem,
    Reckoned,
    capability_of,
    kind_named,
    parse_rows,
)
from gengyun.customers.actions.import_outcome import (
    OptionInvalid,
    clean_options,
    outcome_of,
    totals_of,
)
from gengyun.customers.calc.columns import suggest
from gengyun.customers.models import ImportRun
from gengyun.customers.queries.import_file import Table, read_table
from gengyun.customers.queries.imports import runs
from gengyun.kernel.clock import utc_now
from gengyun.kernel.errors import NotFound, Refusal
from gengyun.kernel.jobs.backend import add
from gengyun.kernel.jobs.progress import report_progress
from gengyun.team.actions.audit import record
from gengyun.team.models import User
from gengyun.team.queries.access import require

log = logging.getLogger(__name__)
__all__ = [
    "OptionInvalid",
    "check_import",
    "import_contacts",
    "import_customers",
    "import_periods",
    "prepare_import",
    "run_import",
]
ROWS_A_STEP = 1_000
FOLDER = "files/imports"
KEEP_FILES = timedelta(days=30)  # they hold names and phone numbers


class KindUnknown(Refusal):
    code = "import_kind_unknown"
    message = "%(kind)s cannot be imported."


class FileTooBig(Refusal):
    code = "file_too_big"
    message = "The file is larger than %(limit)s MB."


class MappingInvalid(Refusal):
    """`problem` is field_unknown, field_twice or column_unknown."""

    code = "mapping_invalid"
    message = "The mapping of the column %(column)s is not valid: %(problem)s."


class FieldsNotMapped(Refusal):
    code = "fields_not_mapped"
    message = "A column must be mapped to one of these fields: %(fields)s."


class FileForgotten(Refusal):
    code = "file_forgotten"
    status = 409
    message = "The uploaded file has been deleted after 30 days; upload it again."


class ImportNotReady(Refusal):
    code = "import_not_ready"
    status = 409
    message = "The import has not been checked yet, or is running or done already."


def prepare_import(
    *, actor: User | None, now: datetime, kind: str, file_name: str, path: Path
) -> ImportRun:
    """Read the file, keep a copy, suggest a mapping. Refuses a file that cannot be read."""
    importer = _kind(kind)
    require(actor, capability_of(importer))
    if path.stat().st_size > settings.GENGYUN_IMPORT_MAX_BYTES:
        raise FileTooBig(limit=settings.GENGYUN_IMPORT_MAX_BYTES // 1024**2)
    file_name = Path(file_name).name[:200]
    table = read_table(path, file_name)
    suggested = suggest(table.headers, importer.columns)
    with transaction.atomic():
        run = ImportRun.objects.create(
            kind=kind,
            file_name=file_name,
            stored_path="",
            encoding=table.encoding,
            columns=[
                {"header": h, "samples": table.samples(place), "suggested": suggested[h]}
                for place, h in enumerate(table.headers)
            ],
            mapping=suggested,
            row_count=len(table.rows),
            created_by=actor,
            created_at=now,
        )
        run.stored_path = f"{FOLDER}/{run.pk}{Path(file_name).suffix.lower()[:8]}"
        run.save(update_fields=["stored_path"])
        target = settings.DATA_DIR / run.stored_path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    return run


def check_import(
    *,
    actor: User | None,
    now: datetime,
    run: ImportRun,
    mapping: Mapping[str, str | None] | None = None,
    options: Mapping[str, Any] | None = None,
) -> ImportRun:
    """The dry run: what would come of every row. Changes nothing but the run itself.

    Options: `known_from` (ISO day): new customers, and facts unknown until now, count as known
    from that day; others as the kind has them. `run.outcome` then holds counts, the first rows,
    the first errors and, where rows carry money, totals to compare with the file.
    """
    row = _waiting(actor, run)
    importer = _kind(row.kind)
    headers = [column["header"] for column in row.columns]
    cleaned = _clean_mapping(headers, row.mapping if mapping is None else mapping, importer)
    row.mapping, row.options = cleaned, clean_options(options or {}, importer)
    table = _table(row)
    context = _context(row, actor, now)
    planned = _plan(row, importer, context, table)
    row.outcome, row.state = outcome_of(planned, importer, context), ImportRun.State.CHECKED
    if isinstance(importer, Reckoned):
        row.rows_path = write_row_file(row, table, planned)
    row.save(update_fields=["mapping", "options", "outcome", "state", "rows_path"])
    return row


@transaction.atomic
def start_import(*, actor: User | None, now: datetime, run: ImportRun) -> ImportRun:
    """Hand a checked import to the worker; one that failed goes on where it was."""
    row = _begin(actor, now, run)
    add(import_in_background, row.pk, unique_key=f"import:{row.pk}")
    return row


@task()
def import_in_background(run_id: int) -> dict[str, int]:
    run = ImportRun.objects.get(pk=run_id)
    if run.state != ImportRun.State.DONE:  # a job may be run again after its worker was killed
        run = _run(run, now=utc_now(), on_progress=report_progress)
    return {"created": run.created_count, "changed": run.changed_count, "error": run.error_count}


def run_import(
    *,
    actor: User | None,
    now: datetime,
    run: ImportRun,
    on_progress: Callable[[int, int], None] | None = None,
) -> ImportRun:
    """Run a checked import here and now (the command line); `on_progress(done, total)`."""
    row = _begin(actor, now, run)
    return _run(row, now=now, on_progress=on_progress)


def delete_import(*, actor: User | None, now: datetime, run: ImportRun) -> None:
    """Forget an import that is not running: its row and its files. What it wrote stays."""
    row = _locked(actor, run)
    if row.state == ImportRun.State.RUNNING:
        raise ImportNotReady
    with transaction.atomic():
        record(actor=actor, now=now, action="import.delete", obj=row)
        row.delete()
    for path in (row.stored_path, row.error_path, row.rows_path):
        if path:
            (settings.DATA_DIR / path).unlink(missing_ok=True)


@transaction.atomic
def _begin(actor: User | None, now: datetime, run: ImportRun) -> ImportRun:
    row = _locked(actor, run)
    if row.state not in {ImportRun.State.CHECKED, ImportRun.State.FAILED}:
        raise ImportNotReady
    row.state, row.error = ImportRun.State.RUNNING, ""
    row.save(update_fields=["state", "error"])
    told = {"file": [None, row.file_name], "rows": [None, row.row_count]}
    record(actor=actor, now=now, action="import.start", obj=row, changes=told)
    return row


def _run(
    run: ImportRun, *, now: datetime, on_progress: Callable[[int, int], None] | None
) -> ImportRun:
    try:
        try:
            _write_all(run, now, on_progress)
        except IntegrityError:
            # somebody created one of the customers since the plan was made: plan again, once
            run.refresh_from_db()
            _write_all(run, now, on_progress)
    except Refusal as refusal:
        _fail(run, str(refusal))
        raise
    except KeyboardInterrupt:
        _fail(run, "interrupted")
        raise
    except Exception as error:
        _fail(run, repr(error)[:1000])
        raise
    return run


def _write_all(
    run: ImportRun, now: datetime, on_progress: Callable[[int, int], None] | None
) -> None:
    importer, context = _kind(run.kind), _context(run, run.created_by, now)
    table = _table(run)
    planned = _plan(run, importer, context, table)
    if run.state == ImportRun.State.FAILED:
        run.state = ImportRun.State.RUNNING
    for step in _steps(planned, importer, run.done_count):
        with transaction.atomic():
            importer.write([row for row in step if row.outcome in {CREATED, CHANGED}], context)
            counts = Counter(row.outcome for row in step)
            run.done_count += len(step)
            run.created_count += counts[CREATED]
            run.changed_count += counts[CHANGED]
            run.same_count += counts[SAME]
            run.save()
        if on_progress:
            on_progress(run.done_count, run.row_count)
    importer.finish(planned, context)
    errors = [row for row in planned if row.outcome == ERROR]
    with transaction.atomic():
        run.error_count = len(errors)
        run.error_path = write_error_file(run, table, errors) if errors else ""
        if isinstance(importer, Reckoned):
            run.rows_path = write_row_file(run, table, planned)
            run.outcome = {**run.outcome, "totals": totals_of(planned, importer, context)}
        run.state, run.finished_at, run.error = ImportRun.State.DONE, now, ""
        run.save()
        told = {
            "created": [None, run.created_count],
            "changed": [None, run.changed_count],
            "errors": [None, run.error_count],
        }
        record(actor=run.created_by, now=now, action="import.finish", obj=run, changes=told)


def _steps(planned: list[Planned], importer: ImportKind, done: int) -> Iterator[list[Planned]]:
    """What goes into one transaction each, from the row after the last one that is done."""
    if not isinstance(importer, Batched):
        rest = iter(planned[done:])
        while step := list(islice(rest, ROWS_A_STEP)):
            yield step
        return
    step = []
    for _token, rows in groupby(importer.ordered(planned)[done:], key=importer.together):
        step.extend(rows)
        if len(step) >= ROWS_A_STEP:
            yield step
            step = []
    if step:
        yield step


def _plan(
    run: ImportRun, importer: ImportKind, context: Context, table: Table | None = None
) -> list[Planned]:
    table = table or _table(run)
    planned = parse_rows(table, run.mapping, importer)
    importer.plan([row for row in planned if row.outcome != ERROR], context)
    header_of = {field: header for header, field in run.mapping.items() if field}
    for row in planned:
        row.problems = [_named(problem, header_of) for problem in row.problems]
        row.flags = [_named(problem, header_of) for problem in row.flags]
    return planned


def _named(problem: Problem, header_of: Mapping[str, str]) -> Problem:
    """By the header of the file, where the kind named its own field."""
    return replace(problem, column=header_of.get(problem.column, problem.column))


def _clean_mapping(
    headers: list[str], mapping: Mapping[str, str | None], importer: ImportKind
) -> dict[str, str | None]:
    cleaned: dict[str, str | None] = dict.fromkeys(headers)
    taken: set[str] = set()
    parsers = importer.parsers
    for header, field in mapping.items():
        if header not in cleaned:
            raise MappingInvalid(column=header, problem="column_unknown")
        if not field:
            continue
        if field not in parsers:
            raise MappingInvalid(column=header, problem="field_unknown")
        if field in taken:
            raise MappingInvalid(column=header, problem="field_twice")
        taken.add(field)
        cleaned[header] = field
    for group in importer.needed:
        if not group & taken:
            raise FieldsNotMapped(fields=", ".join(sorted(group)))
    return cleaned


def _context(run: ImportRun, actor: User | None, now: datetime) -> Context:
    known_from = run.options.get("known_from")
    day = date.fromisoformat(known_from) if known_from else None
    return Context(
        actor=actor, now=now, known_from=day, file_name=run.file_name, options=run.options
    )


def _table(run: ImportRun) -> Table:
    if not run.stored_path:
        raise FileForgotten
    return read_table(settings.DATA_DIR / run.stored_path, run.file_name)


def _kind(name: str) -> ImportKind:
    found = kind_named(name)
    if found is None:
        raise KindUnknown(kind=name)
    return found


def _locked(actor: User | None, run: ImportRun) -> ImportRun:
    row = runs(actor).filter(pk=run.pk).first()
    if row is None:
        raise NotFound
    require(actor, capability_of(_kind(row.kind)))
    return row


def _waiting(actor: User | None, run: ImportRun) -> ImportRun:
    row = _locked(actor, run)
    if row.state not in {ImportRun.State.UPLOADED, ImportRun.State.CHECKED}:
        raise ImportNotReady
    return row


def forget_files(*, now: datetime) -> int:
    """Delete uploads and error files of imports older than `KEEP_FILES`; returns how many."""
    old = ImportRun.objects.filter(created_at__lt=now - KEEP_FILES).exclude(
        stored_path="", error_path="", rows_path=""
    )
    count = 0
    for run in old.exclude(state=ImportRun.State.RUNNING):
        for path in filter(None, (run.stored_path, run.error_path, run.rows_path)):
            (settings.DATA_DIR / path).unlink(missing_ok=True)
            count += 1
        ImportRun.objects.filter(pk=run.pk).update(stored_path="", error_path="", rows_path="")
    return count


def _fail(run: ImportRun, error: str) -> None:
    log.warning("import %s failed: %s", run.pk, error)
    ImportRun.objects.filter(pk=run.pk).update(
        state=ImportRun.State.FAILED, error=error, finished_at=utc_now()
    )
