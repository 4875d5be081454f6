"""Files of tasks: what is kept, under which name, and that it goes again."""

from datetime import timedelta
from pathlib import Path

import pytest
from factories import NOW, People, make_customer
from hypothesis import given
from hypothesis import strategies as st

from gengyun.kernel.errors import NotAllowed, NotFound
from gengyun.tasks.actions import create, files
from gengyun.tasks.calc.files import LONGEST_NAME, clean_name, ending_of, is_allowed
from gengyun.tasks.models import TaskFile


@pytest.fixture
def people(db, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "files"
    return People()


@pytest.fixture
def task(people):
    customer = make_customer(owner=people.owner)
    return create(actor=None, now=NOW, title="x", customer=customer)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("方案 v2.PDF", "方案 v2.PDF"),
        ("../../etc/passwd.txt", "passwd.txt"),
        ("C:\\Users\\x\\a.docx", "a.docx"),
        ("a\u202efdp.exe.pdf", "afdp.exe.pdf"),
        ("  ..  ", ""),
        ("a\x00\r\n.csv", "a.csv"),
        ("字" * 300 + ".xlsx", "字" * 115 + ".xlsx"),
    ],
)
def test_names_lose_what_is_dangerous_and_keep_their_ending(given, kept):
    assert clean_name(given) == kept


@given(st.text(max_size=300))
def test_any_name_becomes_one_that_is_harmless_or_none(name):
    kept = clean_name(name)
    assert len(kept) <= LONGEST_NAME
    assert not set(kept) & set('/\\<>:"|?*\x00\n\r')
    assert clean_name(kept) == kept
    assert kept not in {".", ".."}


def test_only_kinds_that_people_work_with():
    assert all(is_allowed(f"a.{ending}") for ending in ("pdf", "PDF", "xlsx", "png", "zip"))
    assert not any(
        is_allowed(name)
        for name in ("a.html", "a.svg", "a.exe", "a.js", "a.pdf.sh", "noending", ".pdf", "")
    )
    assert ending_of("a.b.Csv") == "csv"


def add(people, task, name="a.pdf", content=b"%PDF-1.7", actor=None):
    return files.add_file(
        actor=actor or people.owner, now=NOW, task=task, name=name, chunks=[content]
    )


def stored():
    from django.conf import settings

    return [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]


def test_a_file_is_kept_whole_under_a_name_of_our_own(people, task):
    file = add(people, task, name="../方案.pdf", content=b"one")
    assert (file.name, file.byte_count) == ("方案.pdf", 3)
    assert file.sha256 == "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed"
    path = files.path_of(file)
    assert path.read_bytes() == b"one"
    assert path.suffix == ""
    assert "方案" not in str(path)
    assert task.events.last().detail == {"name": "方案.pdf"}


def test_what_is_refused_leaves_nothing_behind(people, task, settings):
    settings.TASK_FILE_MB = 1
    for refusal, asked in [
        (files.FileKindRefused, {"name": "x.html"}),
        (files.FileNameMissing, {"name": "///"}),
        (files.FileEmpty, {"content": b""}),
        (files.FileTooLarge, {"content": b"x" * (1_048_576 + 1)}),
        (NotAllowed, {"actor": people.viewer}),
        (NotFound, {"actor": people.colleague}),
    ]:
        with pytest.raises(refusal):
            add(people, task, **asked)
    assert not TaskFile.objects.exists()
    assert stored() == []


def test_a_task_holds_so_many_and_no_more(people, task, monkeypatch):
    monkeypatch.setattr(files, "MOST_FILES", 2)
    first = add(people, task)
    add(people, task)
    with pytest.raises(files.TooManyFiles):
        add(people, task)
    assert len(stored()) == 2
    files.remove_file(actor=people.owner, now=NOW, file=first)
    add(people, task)
    with pytest.raises(files.TooManyFiles):
        files.restore_file(actor=people.owner, now=NOW, file=first)


def test_removed_files_come_back_for_a_month_and_then_go(people, task):
    file = add(people, task)
    with pytest.raises(NotFound):
        files.remove_file(actor=people.colleague, now=NOW, file=file)
    files.remove_file(actor=people.leader, now=NOW, file=file)
    files.restore_file(actor=people.owner, now=NOW, file=file)
    files.remove_file(actor=people.owner, now=NOW, file=file)
    assert files.forget_removed(now=NOW + timedelta(days=29)) == 0
    assert files.forget_removed(now=NOW + timedelta(days=31)) == 1
    assert stored() == []
    assert not TaskFile.objects.exists()
