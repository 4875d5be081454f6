"""Imports that an actor may look at: their own; everybody's for those who see every customer."""

from pathlib import Path

from django.conf import settings
from django.db.models import QuerySet

from gengyun.customers.models import ImportRun
from gengyun.kernel.errors import NotFound
from gengyun.team.models import User
from gengyun.team.queries.access import SEES_ALL, require


def runs(actor: User | None) -> QuerySet[ImportRun]:
    require(actor, "customer.import")
    found = ImportRun.objects.select_related("created_by")
    if actor is None or actor.role in SEES_ALL:
        return found
    return found.filter(created_by=actor)


def get_run(actor: User | None, pk: int) -> ImportRun:
    found = runs(actor).filter(pk=pk).first()
    if found is None:
        raise NotFound
    return found


def error_file(actor: User | None, pk: int) -> Path:
    """The file of the rows that were refused, with the reason; "not found" when there is none."""
    run = get_run(actor, pk)
    path: Path = settings.DATA_DIR / run.error_path
    if not run.error_path or not path.is_file():
        raise NotFound
    return path


def rows_file(actor: User | None, pk: int) -> Path:
    """The file of all rows with what came of each; "not found" where the kind has none."""
    run = get_run(actor, pk)
    path: Path = settings.DATA_DIR / run.rows_path
    if not run.rows_path or not path.is_file():
        raise NotFound
    return path
