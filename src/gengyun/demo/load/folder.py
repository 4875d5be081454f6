"""The folder of a demo company: kept apart from real deployments, and never mistaken for one."""

import shutil
from datetime import date
from pathlib import Path

from platformdirs import user_data_dir

# both are plain text: the first says "this is a demo", the second "it is wholly built, up to"
MARK, BUILT = "demo_company", "demo_built"


class NotADemo(Exception):
    """The folder holds something else; a demo neither builds there nor deletes it."""


def default_folder() -> Path:
    return Path(user_data_dir("gengyun-demo", appauthor=False))


def built_as_of(folder: Path) -> date | None:
    """The day up to which the company was built; None: there is none, or not wholly."""
    try:
        return date.fromisoformat((folder / BUILT).read_text().strip())
    except (FileNotFoundError, ValueError):
        return None


def make_room(folder: Path) -> None:
    """An empty, marked folder; an unfinished or old demo in it goes away."""
    if folder.exists() and any(folder.iterdir()):
        if not (folder / MARK).exists():
            raise NotADemo(folder)
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARK).write_text("made by `gengyun demo`; may be deleted\n")


def mark_built(folder: Path, as_of: date) -> None:
    (folder / BUILT).write_text(as_of.isoformat() + "\n")
