"""Exports: the list as it is shown, no formulas, large ones by the worker, everything audited."""

import csv
import io
import zipfile
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.test import Client
from factories import NOW, make_contact, make_customer, make_user
from hypothesis import given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from gengyun.customers.actions import exporting
from gengyun.customers.actions.custom_fields import create_field
from gengyun.customers.actions.custom_values import set_values
from gengyun.customers.calc import cells, spreadsheet
from gengyun.customers.models import ExportRun
from gengyun.kernel.clock import utc_now
from gengyun.kernel.errors import NotAllowed
from gengyun.kernel.models import Job
from gengyun.portfolio.actions.summaries import refresh_summaries
from gengyun.team.models import AuditEntry

pytestmark = pytest.mark.django_db
ROGUE = ["=1+1", "+1+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "＝1+1", "＋86"]


@pytest.fixture
def me(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    return make_user("admin", language="en", name="Ada")


@pytest.fixture
def web(me):
    client = Client()
    client.force_login(me, backend="django.contrib.auth.backends.ModelBackend")
    return client


def rows_of(body):
    if body[:2] == b"PK":
        return CalamineWorkbook.from_filelike(io.BytesIO(body)).get_sheet_by_index(0).to_python()
    assert body.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(body.decode("utf-8-sig"), newline="")))


def export(web, form="csv", listing="customers", **query):
    """The body of the file that comes at once."""
    answer = web.post("/exports/", {"listing": listing, "form": form, **query}, follow=True)
    return answer.getvalue() if answer.streaming else answer.content


@pytest.mark.parametrize("text", ROGUE)
def test_texts_that_would_run_get_a_quote_and_lose_it_on_import(text):
    written = spreadsheet.csv_cell(text)
    assert written == "'" + text
    if text[0] in cells.FORMULA:
        assert cells.text(written) == text


@given(st.text(max_size=40))
def test_no_text_begins_as_a_formula(text):
    assert spreadsheet.csv_cell(text)[:1] not in spreadsheet.STARTS_FORMULA


def test_values_are_written_in_their_own_type():
    at = datetime(2026, 3, 2, 10, 30, tzinfo=UTC)
    given_values = [None, Decimal("-12.50"), -3, 0.5, True, date(2026, 3, 2), at, "甲"]
    assert [spreadsheet.csv_cell(value) for value in given_values] == [
        "", "-12.50", "-3", "0.5", "1", "2026-03-02", "2026-03-02 10:30", "甲",
    ]  # fmt: skip
    assert spreadsheet.sheet_value("a\x07b\x00") == "ab"
    assert len(spreadsheet.sheet_value("x" * 40_000)) == 32_767


@pytest.fixture
def world(me):
    field = create_field(actor=None, now=NOW, kind="money", key="deal", values={"name_en": "Deal"})
    level = create_field(
        actor=None, now=NOW, kind="choice", key="level",
        values={"name_en": "Level", "options": [{"name_en": "High"}, {"name_en": "Low"}]},
    )  # fmt: skip
    a = make_customer("=HYPERLINK(1)", owner=me, external_id="a", arr_minor=48_600_050,
                      region="杭州", renews_on=date(2027, 2, 18))  # fmt: skip
    b = make_customer("Beta", owner=me, external_id="-b", region="杭州")
    c = make_customer("Gamma", owner=me, external_id="c", region="上海")
    high = level.options[0]["key"]
    set_values(
        actor=None, now=NOW, wanted={a.pk: {"deal": 123_45, "level": high}, b.pk: {"deal": 1}}
    )
    refresh_summaries(now=utc_now())
    return {"a": a, "b": b, "c": c, "field": field}


QUERY = {
    "f": ["region.is.杭州"],
    "sort": "-custom_deal",
    "cols": ["custom_deal", "name", "arr", "renews", "custom_level"],
}


def test_csv_holds_the_conditions_order_and_columns_of_the_list(web, world):
    found = rows_of(export(web, **QUERY))
    assert found == [
        ["Customer id", "Customer", "Deal", "ARR", "Renews", "Level"],
        ["a", "'=HYPERLINK(1)", "123.45", "486000.50", "2027-02-18", "High"],
        ["'-b", "Beta", "0.01", "", "", ""],
    ]


def test_a_workbook_holds_numbers_days_and_no_formula(web, world):
    body = export(web, "xlsx", **QUERY)
    found = rows_of(body)
    assert found[1] == ["a", "=HYPERLINK(1)", 123.45, 486000.5, date(2027, 2, 18), "High"]
    assert found[2][2] == 0.01
    with zipfile.ZipFile(io.BytesIO(body)) as book:
        sheet = book.read("xl/worksheets/sheet1.xml")
    assert b"<f>" not in sheet


def test_the_typed_text_narrows_the_export_as_it_narrows_the_list(web, world):
    assert [row[0] for row in rows_of(export(web, q="gam"))] == ["Customer id", "c"]


def test_the_people_of_a_list_are_exported_with_it(web, world):
    make_contact(world["a"], "周敏", phone="+86 138", part="decider", email="zhou@example.cn")
    make_contact(world["c"], "Elsewhere")
    found = rows_of(export(web, listing="contacts", **QUERY))
    assert len(found) == 2
    assert found[1][:6] == ["a", "'=HYPERLINK(1)", "周敏", "", "Decision maker", "zhou@example.cn"]
    assert found[1][6] == "'+86 138"


def test_only_what_one_sees_is_exported_and_only_one_s_own_file(web, world, settings):
    owner, stranger = make_user("csm"), make_user("csm")
    make_customer("Mine", owner=owner, external_id="mine")
    refresh_summaries(now=utc_now())
    client = Client()
    client.force_login(owner)
    assert [row[0] for row in rows_of(export(client))[1:]] == ["mine"]
    run = ExportRun.objects.get(created_by=owner)
    other = Client()
    other.force_login(stranger)
    for path in ("", "file/", "progress/"):
        assert other.get(f"/exports/{run.pk}/{path}").status_code == 404
    assert other.post(f"/exports/{run.pk}/delete/").status_code == 404
    assert rows_of(export(other))[1:] == []


def test_every_export_is_in_the_audit_log_with_rows_and_conditions(web, me, world):
    export(web, **QUERY)
    entry = AuditEntry.objects.get(action="export.start")
    assert entry.actor == me
    assert entry.changes["rows"] == [None, 2]
    assert entry.changes["query"][1]["filters"][0]["value"] == "杭州"


def test_the_audit_log_itself_is_exported_by_those_who_read_it(web, world):
    text = rows_of(export(web, listing="audit", action="customer"))
    assert text[0][0] == "When"
    assert any("Deal" in row[5] and "123.45" in row[5] for row in text[1:])
    with pytest.raises(NotAllowed):
        exporting.start_export(
            actor=make_user("operations"), now=NOW, listing="audit", form="csv", query={}
        )


def test_a_large_list_is_written_by_the_worker_with_progress(web, world, monkeypatch):
    monkeypatch.setattr(exporting, "AT_ONCE", 2)
    answer = web.post("/exports/", {"listing": "customers", "form": "csv"})
    run = ExportRun.objects.get()
    assert answer["Location"] == f"/exports/{run.pk}/"
    assert run.state == "waiting"
    assert web.get(f"/exports/{run.pk}/file/").status_code == 404
    page = web.get(answer["Location"]).content.decode()
    assert f'hx-get="/exports/{run.pk}/progress/"' in page
    job = Job.objects.get()
    assert job.args == [run.pk]
    exporting.export_in_background.call(*job.args)
    exporting.export_in_background.call(*job.args)  # run again after a kill: the same file
    run.refresh_from_db()
    assert (run.state, run.done_count) == ("done", 3)
    assert web.get(f"/exports/{run.pk}/progress/", headers={"HX-Request": "true"})["HX-Redirect"]
    assert len(rows_of(web.get(f"/exports/{run.pk}/file/").getvalue())) == 4


def test_a_failed_export_leaves_no_half_file_and_says_so(web, world, monkeypatch, tmp_path):
    def broken(*_):
        yield ["a"]
        raise OSError("No space left on device")

    monkeypatch.setattr("gengyun.web.listings.CustomersListing._rows", broken)
    with pytest.raises(OSError, match="No space"):
        export(web)
    run = ExportRun.objects.get()
    assert (run.state, run.stored_path) == ("failed", "")
    assert "No space left" in web.get(f"/exports/{run.pk}/").content.decode()
    assert not list(tmp_path.glob("files/exports/*"))


@pytest.mark.parametrize(
    "form",
    [{"listing": "nothing"}, {"form": "pdf"}, {"f": "custom_no.is.1"}, {"sort": "custom_no"}],
)
def test_what_cannot_be_exported_is_refused_before_anything_is_written(web, me, form):
    answer = web.post("/exports/", {"listing": "customers", "form": "csv"} | form)
    assert answer.status_code == 422
    assert not ExportRun.objects.exists()


def test_files_are_forgotten_after_a_week_and_when_asked(web, world, tmp_path):
    export(web)
    export(web, "xlsx")
    old, new = ExportRun.objects.order_by("pk")
    ExportRun.objects.filter(pk=old.pk).update(created_at=utc_now() - timedelta(days=8))
    assert exporting.forget_exports(now=utc_now()) == 1
    assert web.get(f"/exports/{old.pk}/file/").status_code == 404
    assert "file deleted" in web.get("/exports/").content.decode()
    web.post(f"/exports/{new.pk}/delete/")
    assert not list(tmp_path.glob("files/exports/*"))


def test_an_export_can_be_imported_again(web, world, tmp_path, settings):
    """Names of columns and choices are those that an import recognises."""
    from gengyun.customers.actions.importing import check_import, prepare_import

    path = tmp_path / "back.csv"
    path.write_bytes(export(web, **QUERY))
    run = prepare_import(actor=None, now=NOW, kind="customers", file_name="back.csv", path=path)
    assert {"custom_deal", "custom_level", "external_id", "name"} <= set(run.mapping.values())
    run = check_import(actor=None, now=NOW, run=run)
    assert run.outcome["error"] == 0
    assert run.outcome["created"] == 0
