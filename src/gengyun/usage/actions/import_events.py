"""Events from files: the same checks and the same way into the lake as tracked ones.

A row that cannot be used goes to the error file with its reason, the rest goes on. Importing again
adds nothing: message ids come from the file or from the row's content, and are compared with all
that the lake has. A run that was killed is simply run again.
"""

import csv
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from itertools import compress
from pathlib import Path
from typing import Any

import msgspec
from django.db import transaction
from django.db.models import F

from gengyun.kernel.days import company_zone, day_of
from gengyun.kernel.errors import Refusal
from gengyun.lake.store import Lake
from gengyun.team.actions.audit import record
from gengyun.team.models import User
from gengyun.team.queries.access import require
from gengyun.usage.actions.deliveries import Delivery, SourceFacts, micros
from gengyun.usage.actions.drain import alone, without_gc
from gengyun.usage.actions.newcomers import admit
from gengyun.usage.actions.people import People
from gengyun.usage.actions.resolve import Resolver
from gengyun.usage.actions.writing import LakeKeys, first_of_each, message_keys, to_arrow
from gengyun.usage.calc.decode import Arrived, BadEvent, DecodedEvent, decode_event
from gengyun.usage.calc.event_rows import (
    ADDED,
    FIELDS,
    REQUIRED,
    BadRow,
    RowReader,
    guarded,
    suggest,
)
from gengyun.usage.models import Source
from gengyun.usage.queries.event_file import headers_of, read_pieces

ROWS_A_STEP = 50_000
Progress = Callable[[int, int, "ImportReport"], None]  # bytes done, bytes in all, so far


class FieldsMissing(Refusal):
    code = "fields_missing"
    message = "No column of %(file)s is mapped to: %(fields)s. Columns: %(columns)s."


class MappingUnknown(Refusal):
    code = "mapping_unknown"
    message = "%(header)s=%(field)s: the column or the field is not known. Fields: %(fields)s."


@dataclass
class ImportReport:
    """What came of the rows: imported + duplicates + sum of errors = rows."""

    rows: int = 0
    imported: int = 0
    duplicates: int = 0
    errors: Counter[str] = field(default_factory=Counter)  # by reason
    error_path: Path | None = None


@dataclass
class _Run:
    source: SourceFacts
    lake: Lake
    keys: LakeKeys
    now: datetime
    report: ImportReport
    error_path: Path
    headers: list[str]
    reader: RowReader


def import_events(
    *,
    actor: User | None,
    now: datetime,
    source: Source,
    files: Sequence[Path],
    lake: Lake,
    error_path: Path,
    mapping: Mapping[str, str] | None = None,
    create_customers: bool = False,
    zone: tzinfo | None = None,
    on_progress: Progress | None = None,
) -> ImportReport:
    """Import files into a source; `mapping` (header -> field) adds to what the headers suggest.

    `create_customers` makes customers that are not there, whatever the source's policy. Times
    without a zone are meant in `zone`, the company's by default. Bad rows are written to
    `error_path`, made only when there are any.
    """
    require(actor, "sources.edit")
    facts = SourceFacts.of(source)
    if create_customers:
        facts = msgspec.structs.replace(facts, creates=True)
    mappings = [mapping_for(path, mapping or {}) for path in files]
    report = ImportReport()
    keys = LakeKeys(lake, where=[("source_id", "=", source.pk)])
    reader = None
    for path, mapped in zip(files, mappings, strict=True):
        # identical rows are counted over all files of one call
        fresh = RowReader(mapped, zone=zone or company_zone())
        reader = fresh if reader is None else fresh.after(reader)
        run = _Run(facts, lake, keys, now, report, error_path, _own_headers(path), reader)
        for piece in read_pieces(path, size=ROWS_A_STEP):
            _write(run, piece.rows)
            if on_progress:
                on_progress(piece.done, piece.total, report)
    told = {"rows": [None, report.rows], "imported": [None, report.imported]}
    with transaction.atomic():
        record(
            actor=actor,
            now=now,
            action="source.import",
            obj=source,
            changes={"files": [None, [path.name for path in files]], **told},
        )
    return report


def _own_headers(path: Path) -> list[str]:
    return [header for header in headers_of(path) if header not in ADDED]


def mapping_for(path: Path, given: Mapping[str, str]) -> dict[str, str]:
    """header -> field of a file: what its headers suggest, then what was asked for."""
    headers = headers_of(path)
    for header, name in given.items():
        if header not in headers or name not in FIELDS:
            raise MappingUnknown(header=header, field=name, fields=", ".join(FIELDS))
    suggested = suggest(headers)
    mapping = {h: f for h, f in suggested.items() if f not in given.values() and h not in given}
    mapping.update(given)
    missing = [name for name in REQUIRED if name not in mapping.values()]
    if missing:
        raise FieldsMissing(
            file=path.name, fields=", ".join(missing), columns=", ".join(headers[:40])
        )
    return mapping


def _write(run: _Run, rows: list[tuple[int, dict[str, Any]]]) -> None:
    """One step: events of some rows to the lake. Waits while another process writes."""
    with ExitStack() as stack:
        stack.enter_context(alone(run.lake, wait=True))
        stack.enter_context(without_gc())
        delivery, bad = _events(run, rows)
        admit([delivery], now=run.now)
        people = People([delivery])
        resolver = Resolver(people)
        resolver.resolve([delivery])
        keys = message_keys(resolver.rows)
        keep = first_of_each(keys)
        keep &= ~run.keys.known(keys, today=day_of(run.now))
        with transaction.atomic():
            people.save(now=run.now)
        kept = list(compress(resolver.rows, keep.tolist()))
        if kept:
            run.lake.append("events", to_arrow(kept, keys[keep]))
    bad += [(held.event.position, held.reason, held.event.group_id) for held in resolver.held]
    _count(run, rows=len(rows), kept=len(kept), seen=len(keys), bad=bad)
    _write_errors(run, rows, bad)


def _events(
    run: _Run, rows: list[tuple[int, dict[str, Any]]]
) -> tuple[Delivery, list[tuple[int, str, str]]]:
    """The good events as one delivery, and (place in rows, reason, detail) of the bad rows."""
    received_at = micros(run.now)
    arrived = Arrived("batch", received_at, False, "import")
    delivery = Delivery(run.source, 0, "batch", received_at, [])
    bad: list[tuple[int, str, str]] = []
    for at, (_, row) in enumerate(rows):
        try:
            event = decode_event(run.reader.event(row), at, arrived)
        except BadRow as problem:
            bad.append((at, problem.reason, problem.detail))
            continue
        if isinstance(event, BadEvent):
            bad.append((at, event.reason, event.detail))
        elif isinstance(event, DecodedEvent):
            delivery.events.append(event)
    return delivery, bad


def _count(run: _Run, *, rows: int, kept: int, seen: int, bad: list[tuple[int, str, str]]) -> None:
    report = run.report
    report.rows += rows
    report.imported += kept
    report.duplicates += seen - kept
    report.errors.update(reason for _, reason, _ in bad)
    Source.objects.filter(pk=run.source.pk).update(
        accepted_count=F("accepted_count") + kept,
        duplicate_count=F("duplicate_count") + seen - kept,
        last_event_at=run.now,
    )


def _write_errors(
    run: _Run, rows: list[tuple[int, dict[str, Any]]], bad: list[tuple[int, str, str]]
) -> None:
    """Append bad rows as they were, with line, reason and detail: mend and import that file."""
    if not bad:
        return
    first = run.report.error_path is None
    run.report.error_path = run.error_path
    run.error_path.parent.mkdir(parents=True, exist_ok=True)
    # with a BOM: Excel then reads Chinese
    with run.error_path.open(
        "w" if first else "a", encoding="utf-8-sig" if first else "utf-8", newline=""
    ) as file:
        writer = csv.writer(file)
        if first:
            writer.writerow([*run.headers, *ADDED])
        for at, reason, detail in sorted(bad):
            line, row = rows[at]
            cells = [guarded(row.get(header, "")) for header in run.headers]
            writer.writerow([*cells, line, reason, detail])
