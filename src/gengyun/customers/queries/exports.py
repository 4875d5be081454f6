"""Exports: everybody sees their own; who took out what stands in the audit log."""

from pathlib import Path

from django.conf import settings
from django.db.models import QuerySet

from gengyun.customers.models import ExportRun
from gengyun.kernel.errors import NotFound
from gengyun.team.models import User


def exports(actor: User) -> QuerySet[ExportRun]:
    return ExportRun.objects.filter(created_by=actor).select_related("created_by")


def get_export(actor: User, pk: int) -> ExportRun:
    found = exports(actor).filter(pk=pk).first()
    if found is None:
        raise NotFound
    return found


def export_file(actor: User, pk: int) -> tuple[ExportRun, Path]:
    """The file of one's own export; "not found" when it is not there (any more)."""
    run = get_export(actor, pk)
    path: Path = settings.DATA_DIR / run.stored_path
    if not run.stored_path or not path.is_file():
        raise NotFound
    return run, path
