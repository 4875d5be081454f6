"""When disk, folder or database are missing: a line that says what to do, no traceback."""

import errno
import os

CANNOT_WRITE = {errno.EROFS, errno.EACCES, errno.EPERM}
IS_FULL = {errno.ENOSPC, errno.EDQUOT}


def told(error: BaseException) -> str | None:
    """The line for this error; None: it is something else, show it whole."""
    from django.core.exceptions import ImproperlyConfigured
    from django.db import DatabaseError

    if isinstance(error, ImproperlyConfigured):
        return str(error)
    if isinstance(error, OSError):
        return _of_files(error)
    return _of_database(str(error).strip()) if isinstance(error, DatabaseError) else None


def _of_files(error: OSError) -> str | None:
    if error.errno in CANNOT_WRITE:
        place = error.filename or _folder()
        return (
            f"{place} cannot be written ({error.strerror}): set GENGYUN_DATA to a folder that can"
        )
    if error.errno in IS_FULL:
        return f"the disk is full ({error.filename or _folder()}): make room, then go on"
    return None


def _of_database(text: str) -> str | None:
    if "unable to open database file" in text or "readonly database" in text:
        return f"{_folder()} cannot be written: set GENGYUN_DATA to a folder that can"
    if "disk is full" in text:
        return f"the disk is full ({_folder()}): make room, then go on"
    if "connection" in text and os.environ.get("GENGYUN_DATABASE_URL"):
        reason = text.splitlines()[0]
        return f"the database cannot be reached: check GENGYUN_DATABASE_URL ({reason})"
    return None


def _folder() -> str:
    from django.conf import settings

    return str(settings.DATA_DIR)
