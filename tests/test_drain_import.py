"""Events from files: what columns mean, what repeats, what cannot be used."""

import csv
import gzip
import json
from datetime import UTC, datetime

import factories
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gengyun.customers.models import Customer
from gengyun.kernel.errors import NotAllowed
from gengyun.lake.store import Lake
from gengyun.usage.actions.import_events import FieldsMissing, MappingUnknown, import_events
from gengyun.usage.actions.sources import create_source
from gengyun.usage.calc.event_rows import RowReader, guarded, property_of, suggest, unguarded
from gengyun.usage.queries.event_file import EventFileUnreadable

NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
CSV = """ts_utc,account_id,user_id,event,quantity,module
2014-05-01T10:00:00Z,acct_1,u1,change,3,报表
2014-05-01T10:00:00Z,acct_1,u1,change,3,报表
2014-05-02T10:00:00Z,acct_1,,change,007,
2014-05-03 10:00,acct_1,u2,login,1.5,x
"""


@pytest.fixture
def lake(tmp_path):
    return Lake(tmp_path / "lake")


@pytest.fixture
def source(db):
    factories.make_customer(external_id="acct_1")
    return create_source(
        actor=None, now=NOW, name="log", key="log", is_history=True, with_key=False
    )


@pytest.fixture
def run(tmp_path, lake, source):
    def run(*files, **more):
        return import_events(
            actor=None,
            now=NOW,
            source=source,
            files=files,
            lake=lake,
            error_path=tmp_path / "errors.csv",
            **more,
        )

    return run


def file(tmp_path, text, name="events.csv", encoding="utf-8"):
    path = tmp_path / name
    body = text.encode(encoding)
    path.write_bytes(gzip.compress(body) if name.endswith(".gz") else body)
    return path


def told(lake):
    """Rows without what tells of the way they came."""
    rows = lake.read("events").to_pylist()
    return sorted(
        (
            row["happened_at"].isoformat(),
            row["known_at"].isoformat(),
            row["user_id"],
            row["event"],
            row["properties"],
        )
        for row in rows
    )


def test_rows_become_events_and_columns_properties(tmp_path, lake, run):
    report = run(file(tmp_path, CSV))
    assert (report.rows, report.imported, report.duplicates, report.errors) == (4, 4, 0, {})
    # known when they happened; the last time has no zone: it is the company's
    assert told(lake) == [
        (at, at, user, event, properties)
        for at, user, event, properties in [
            ("2014-05-01T10:00:00+00:00", "u1", "change", '{"quantity":3,"module":"报表"}'),
            ("2014-05-01T10:00:00+00:00", "u1", "change", '{"quantity":3,"module":"报表"}'),
            ("2014-05-02T10:00:00+00:00", "", "change", '{"quantity":"007"}'),
            ("2014-05-03T02:00:00+00:00", "u2", "login", '{"quantity":1.5,"module":"x"}'),
        ]
    ]


@pytest.mark.parametrize(
    ("name", "encoding"),
    [("e.csv", "gb18030"), ("e.csv", "utf-8-sig"), ("e.csv.gz", "utf-8"), ("e", "utf-8")],
)
def test_the_same_file_in_another_dress_is_the_same(tmp_path, lake, run, name, encoding):
    run(file(tmp_path, CSV))
    report = run(file(tmp_path, CSV, name=name, encoding=encoding))
    assert (report.imported, report.duplicates) == (0, 4)
    assert len(told(lake)) == 4


def test_a_longer_export_adds_what_is_new(tmp_path, lake, run):
    run(file(tmp_path, CSV))
    report = run(file(tmp_path, CSV + "2014-05-04T10:00:00Z,acct_1,u1,change,1,\n"))
    assert (report.imported, report.duplicates) == (1, 4)


def test_jsonl_and_parquet(tmp_path, lake, run):
    rows = [
        {"time": "2014-05-01T10:00:00Z", "customer": "acct_1", "user": "u1", "event": "a", "n": 1},
        {"time": 1398938400, "customer": "acct_1", "user": "u1", "event": "b", "deep": {"x": [1]}},
    ]
    run(file(tmp_path, "\n".join(map(json.dumps, rows)), name="e.jsonl"))
    assert [row[4] for row in told(lake)] == ['{"n":1}', '{"deep":{"x":[1]}}']
    path = tmp_path / "e.parquet"
    table = {
        "time": [datetime(2014, 5, 1, 18, tzinfo=None)],
        "customer": ["acct_1"],
        "event": ["c"],
    }
    pq.write_table(pa.table(table), path)
    run(path)
    assert told(lake)[-1][0] == "2014-05-01T10:00:00+00:00"  # 18:00 in Shanghai


def test_bad_rows_go_to_a_file_that_can_be_mended_and_imported(tmp_path, lake, run):
    bad = (
        CSV
        + "never,acct_1,u1,change,3,\n1970-01-01,acct_1,u1,change,3,\n2014-05-01,nobody,u1,x,3,\n2014-05-01,acct_1,u1,,3,\n"
    )
    report = run(file(tmp_path, bad))
    assert (report.rows, report.imported) == (8, 4)
    assert report.errors == {"bad_time": 2, "unknown_customer": 1, "no_event_name": 1}
    text = report.error_path.read_text("utf-8-sig")
    lines = list(csv.DictReader(text.splitlines()))
    assert [(line["_line"], line["_reason"]) for line in lines] == [
        ("6", "bad_time"),
        ("7", "bad_time"),
        ("8", "unknown_customer"),
        ("9", "no_event_name"),
    ]
    mended = file(tmp_path, text.replace("nobody", "acct_1"), name="mended.csv")
    assert run(mended).imported == 1
    assert not [row for row in told(lake) if "_reason" in row[4]]


def test_without_creating_no_customer_is_made_and_with_it_all(tmp_path, lake, run):
    log = file(tmp_path, CSV.replace("acct_1", "acct_9"))
    assert run(log).errors == {"unknown_customer": 4}
    assert run(log, create_customers=True).imported == 4
    assert Customer.objects.get(external_id="acct_9").known_at == datetime(
        2014, 5, 1, 10, tzinfo=UTC
    )


def test_mapping_is_asked_for_what_the_headers_do_not_say(tmp_path, lake, run):
    log = file(tmp_path, "wann,wer,was,account\n2014-05-01,acct_1,go,u1\n")
    with pytest.raises(FieldsMissing, match="time, event"):
        run(log)
    with pytest.raises(MappingUnknown):
        run(log, mapping={"nichts": "time"})
    run(log, mapping={"wann": "time", "wer": "customer", "was": "event", "account": "user"})
    assert told(lake)[0][2:4] == ("u1", "go")


@pytest.mark.parametrize(
    "body",
    [
        gzip.compress(CSV.encode() * 50)[:-20],
        b"\x1f\x8b broken",
        b"PAR1 broken",
        b"a,b\n\xff\xff\xff",
        b"time,time,customer,event\n",
        b"",
    ],
    ids=["cut gzip", "no gzip", "no parquet", "no text", "twice", "empty"],
)
def test_a_broken_file_is_refused_with_the_reason(tmp_path, run, body):
    path = tmp_path / "events.csv"
    path.write_bytes(body)
    with pytest.raises((EventFileUnreadable, FieldsMissing)) as refused:
        run(path)
    assert "events.csv" in str(refused.value)


def test_an_import_needs_the_right(tmp_path, lake, source):
    with pytest.raises(NotAllowed):
        import_events(
            actor=factories.make_user("viewer"),
            now=NOW,
            source=source,
            files=[file(tmp_path, CSV)],
            lake=lake,
            error_path=tmp_path / "errors.csv",
        )
    assert told(lake) == []


def test_suggest_knows_chinese_headers():
    assert suggest(["发生时间", "客户编号", "用户ID", "事件", "模块", "时间"]) == {
        "发生时间": "time",
        "客户编号": "customer",
        "用户ID": "user",
        "事件": "event",
    }


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("3", 3),
        ("-2.50", -2.5),
        ("007", "007"),
        ("+86 1", "+86 1"),
        (" ", None),
        ("1e5", "1e5"),
        (True, True),
    ],
)
def test_property_of_reads_numbers_but_not_ids(cell, value):
    assert property_of(cell) == value


def test_a_message_column_is_the_dedupe_key():
    reader = RowReader({"t": "time", "c": "customer", "e": "event", "id": "message"}, zone=UTC)
    row = {"t": "2014-05-01", "c": "a", "e": "x", "id": "m-1"}
    assert json.loads(reader.event(row))["messageId"] == "m-1"


def test_the_error_file_runs_nothing_in_a_spreadsheet_and_comes_back_as_it_was():
    for cell in ("=1+1", "@x", "+86 138", "-", "text", "-3", "'=x", 7, None):
        assert unguarded(guarded(cell)) == cell or cell == "'=x"
    assert guarded("=1+1") == "'=1+1"
    assert guarded("-3") == "-3"
