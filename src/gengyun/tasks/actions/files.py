"""Files of tasks: written to the data folder under a name of our own, never run, never shown."""

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

from django.conf import settings
from django.db import transaction

from gengyun.kernel.errors import NotAllowed, NotFound, Refusal
from gengyun.tasks.actions.pressing import mine
from gengyun.tasks.calc.files import ALLOWED, clean_name, is_allowed
from gengyun.tasks.models import Task, TaskEvent, TaskFile
from gengyun.team.actions.audit import record
from gengyun.team.models import User
from gengyun.team.queries.access import can, require

FOLDER = "tasks"
MEGABYTE = 1_048_576
MOST_FILES = 20
KEPT_REMOVED = timedelta(days=30)


class FileTooLarge(Refusal):
    code = "task_file_too_large"
    message = "%(name)s is larger than %(limit)s MB."


class FileKindRefused(Refusal):
    code = "task_file_kind"
    message = "Files of the kind of %(name)s are not kept here. Kinds that are: %(kinds)s."


class FileEmpty(Refusal):
    code = "task_file_empty"
    message = "%(name)s is empty."


class FileNameMissing(Refusal):
    code = "task_file_name_missing"
    message = "Choose a file first."


class TooManyFiles(Refusal):
    code = "task_too_many_files"
    message = "A task holds at most %(limit)s files."


def largest() -> int:
    """In bytes; the setting is in megabytes."""
    return int(settings.TASK_FILE_MB) * MEGABYTE


def path_of(file: TaskFile) -> Path:
    return Path(settings.MEDIA_ROOT) / file.stored_path


def add_file(
    *, actor: User | None, now: datetime, task: Task, name: str, chunks: Iterable[bytes]
) -> TaskFile:
    """Keep a file with a task; `chunks` are read once and never held whole."""
    require(actor, "task.work")
    title = clean_name(name)
    if not title:
        raise FileNameMissing
    if not is_allowed(title):
        raise FileKindRefused(name=title, kinds=", ".join(sorted(ALLOWED)))
    if not Task.objects.visible_to(actor).filter(pk=task.pk).exists():
        raise NotFound  # before a byte is written
    stored = f"{FOLDER}/{now:%Y%m}/{uuid4().hex}"
    path = Path(settings.MEDIA_ROOT) / stored
    size, digest = _write(path, chunks, title)
    try:
        with transaction.atomic():
            row = mine(actor, [task.pk])[0]
            _check_room(row)
            file = TaskFile.objects.create(
                task=row,
                name=title,
                stored_path=stored,
                byte_count=size,
                sha256=digest,
                added_by=actor,
                added_at=now,
            )
            _log(row, TaskEvent.Kind.FILED, actor, now, title)
    except Exception:
        path.unlink(missing_ok=True)
        raise
    return file


@transaction.atomic
def remove_file(*, actor: User | None, now: datetime, file: TaskFile) -> TaskFile:
    """Off the task; for a month `restore_file` brings it back."""
    row = _own(actor, file)
    if row.removed_at is None:
        row.removed_at = now
        row.save(update_fields=["removed_at"])
        _log(row.task, TaskEvent.Kind.UNFILED, actor, now, row.name)
    return row


@transaction.atomic
def restore_file(*, actor: User | None, now: datetime, file: TaskFile) -> TaskFile:
    row = _own(actor, file)
    if row.removed_at is not None:
        _check_room(row.task)
        row.removed_at = None
        row.save(update_fields=["removed_at"])
        _log(row.task, TaskEvent.Kind.FILED, actor, now, row.name)
    return row


def forget_removed(*, now: datetime) -> int:
    """Rows and bytes of files that were removed a month ago; returns how many."""
    rows = list(TaskFile.objects.filter(removed_at__lt=now - KEPT_REMOVED))
    for file in rows:
        path_of(file).unlink(missing_ok=True)
        file.delete()
    return len(rows)


def _write(path: Path, chunks: Iterable[bytes], name: str) -> tuple[int, str]:
    """The file whole or not at all; (bytes, SHA-256)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    size, digest, limit = 0, hashlib.sha256(), largest()
    try:
        with part.open("wb") as file:
            for chunk in chunks:
                size += len(chunk)
                if size > limit:
                    raise FileTooLarge(name=name, limit=limit // MEGABYTE)
                digest.update(chunk)
                file.write(chunk)
        if not size:
            raise FileEmpty(name=name)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return size, digest.hexdigest()


def _check_room(task: Task) -> None:
    if task.files.filter(removed_at__isnull=True).count() >= MOST_FILES:
        raise TooManyFiles(limit=MOST_FILES)


def _own(actor: User | None, file: TaskFile) -> TaskFile:
    require(actor, "task.work")
    seen = Task.objects.visible_to(actor).filter(pk=file.task_id)
    rows = TaskFile.objects.filter(pk=file.pk, task__in=seen).select_related("task")
    row = rows.select_for_update(of=("self",)).first()
    if row is None:
        raise NotFound
    if actor is not None and row.added_by_id != actor.pk and not can(actor, "customer.assign"):
        raise NotAllowed
    return row


def _log(task: Task, kind: TaskEvent.Kind, actor: User | None, now: datetime, name: str) -> None:
    TaskEvent.objects.create(task=task, at=now, actor=actor, kind=kind, detail={"name": name})
    action = f"task.{kind.value}"
    record(actor=actor, now=now, action=action, obj=task, changes={"file": name})
