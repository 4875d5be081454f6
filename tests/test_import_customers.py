"""Import by the user's path: prepare, dry run, run, error file, again."""

import csv
import io
import re
import zipfile
from datetime import date, timedelta
from pathlib import Path

import pytest
from factories import NOW, People, make_contact, make_customer, make_tiers
from openpyxl import Workbook

from gengyun.customers.actions import importing
from gengyun.customers.actions.import_messages import MESSAGES, explain
from gengyun.customers.models import Contact, Customer, FieldChange, ImportRun, StageStay, Tag
from gengyun.customers.queries import import_file, imports, workbook
from gengyun.customers.queries.as_of import field_values
from gengyun.engagement.models import Activity
from gengyun.kernel.errors import NotAllowed, NotFound
from gengyun.kernel.models import Job
from gengyun.team.models import AuditEntry

pytestmark = pytest.mark.django_db
WAN = 10_000 * 100

HEADER = [
    "客户编号",
    "客户名称",
    "负责人",
    "客户级别",
    "合同金额（万元）",
    "席位数",
    "到期日期",
    "标签",
    "阶段",
    "上级客户",
]
ROWS = [
    ["A1", "青禾科技", "OWNER@example.cn", "", "48.6", "200", "2027年2月18日", "试点，重点", "启动", ""],
    ["A2", "蓝海物流", "李雷", "战略", "6", "50 人", "2026/12/31", "", "", "A1"],
    ["A3", "云杉制造", "", "", "", "", "", "", "", ""],
]  # fmt: skip


@pytest.fixture
def cast(settings, tmp_path):
    settings.DATA_DIR = tmp_path / "data"
    people = People()
    people.tiers = make_tiers()
    people.owner.email = "owner@example.cn"
    people.owner.save()
    people.colleague.name = "李雷"
    people.colleague.save()
    return people


@pytest.fixture
def put(cast, tmp_path):
    """Write a file and prepare its import."""

    def prepare(
        rows=None, name="客户.csv", encoding="utf-8", kind="customers", actor=None, body=None
    ):
        path = tmp_path / "upload"
        if body is not None:
            path.write_bytes(body)
        elif name.endswith("xlsx"):
            book = Workbook()
            for row in rows:
                book.active.append(row)
            book.save(path)
        else:
            text = io.StringIO()
            csv.writer(text).writerows(rows)
            path.write_bytes(text.getvalue().encode(encoding))
        return importing.prepare_import(
            actor=actor or cast.operations, now=NOW, kind=kind, file_name=name, path=path
        )

    return prepare


def check(run, **options):
    return importing.check_import(actor=run.created_by, now=NOW, run=run, **options)


def run_all(run, **options):
    check(run, **options)
    return importing.run_import(actor=run.created_by, now=NOW, run=run)


def counts(run):
    return (run.created_count, run.changed_count, run.same_count, run.error_count)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_file_in_any_usual_encoding_comes_in(cast, put, encoding):
    run = put([HEADER, *ROWS], encoding=encoding)
    assert run.encoding == encoding
    assert [c["suggested"] for c in run.columns] == [
        "external_id", "name", "owner", "tier", "arr", "seats", "renews_on", "tags", "stage", "parent",
    ]  # fmt: skip
    done = run_all(run)
    assert counts(done) == (3, 0, 0, 0)
    one, two, three = Customer.objects.order_by("external_id")
    assert (one.name, one.owner, one.arr_minor, one.seats) == (
        "青禾科技", cast.owner, 486_000_00, 200,
    )  # fmt: skip
    assert (one.renews_on, one.tier.key, one.stage.key) == (
        date(2027, 2, 18),
        "strategic",
        "kickoff",
    )
    assert sorted(tag.name for tag in one.tags.all()) == ["试点", "重点"]
    assert (two.owner, two.parent, two.tier.key, two.tier_set_by) == (
        cast.colleague, one, "strategic", cast.operations,
    )  # fmt: skip
    assert (three.arr_minor, three.seats, three.owner, three.tier.key) == (
        None,
        None,
        None,
        "standard",
    )
    assert StageStay.objects.count() == 1
    assert AuditEntry.objects.filter(action="customer.create").count() == 3


def test_dry_run_says_what_would_come_and_writes_nothing(cast, put):
    make_customer("蓝海物流", external_id="A2")
    run = check(
        put([HEADER, *ROWS, ["A4", "", "没有的人", "", "面议", "", "31/12/2026", "", "", ""]])
    )
    assert {k: run.outcome[k] for k in ("created", "changed", "same", "error")} == {
        "created": 2, "changed": 1, "same": 0, "error": 1,
    }  # fmt: skip
    codes = [(e["row"], e["column"], e["code"]) for e in run.outcome["errors"]]
    assert codes == [(5, "合同金额（万元）", "not_an_amount"), (5, "到期日期", "not_a_day")]
    assert run.outcome["rows"][1]["changes"]["arr_minor"] == [None, 6 * WAN]
    assert Customer.objects.count() == 1
    assert not Tag.objects.exists()
    assert run.state == ImportRun.State.CHECKED


def test_importing_again_changes_nothing(cast, put):
    run_all(put([HEADER, *ROWS]))
    before = [
        list(m.objects.order_by("pk").values()) for m in (Customer, FieldChange, StageStay, Tag)
    ]
    audit = AuditEntry.objects.exclude(action__startswith="import.").count()
    again = run_all(put([HEADER, *ROWS], encoding="gb18030"))
    assert counts(again) == (0, 0, 3, 0)
    assert before == [
        list(m.objects.order_by("pk").values()) for m in (Customer, FieldChange, StageStay, Tag)
    ]
    assert AuditEntry.objects.exclude(action__startswith="import.").count() == audit


def test_changed_file_changes_only_what_is_written(cast, put):
    run_all(put([HEADER, *ROWS]))
    done = run_all(put([["客户编号", "席位数", "ARR"], ["A1", "260", ""], ["A2", "50", "7万"]]))
    assert counts(done) == (0, 2, 0, 0)
    one = Customer.objects.get(external_id="A1")
    assert (one.seats, one.arr_minor, one.name) == (260, 486_000_00, "青禾科技")  # empty: no news
    entry = AuditEntry.objects.get(action="customer.import", object_id=str(one.pk))
    assert entry.changes == {"seats": [200, 260]}


def test_customers_without_ids_are_matched_by_exact_name(cast, put):
    rows = [["客户名称", "行业"], ["青禾科技", "软件"], ["青禾科技 ", "软件"]]
    assert counts(run_all(put(rows))) == (1, 0, 1, 0)
    assert counts(run_all(put(rows))) == (0, 0, 2, 0)
    make_customer("青禾科技")
    run = run_all(put(rows))
    assert run.outcome["errors"][0]["code"] == "customer_ambiguous"


def test_rows_that_contradict_each_other_are_refused(cast, put):
    rows = [
        ["客户编号", "客户名称", "席位"],
        ["A1", "甲", "1"],
        ["A1", "甲", "2"],
        ["A1", "甲", "1"],
    ]
    run = run_all(put(rows))
    assert counts(run) == (1, 0, 1, 1)
    (error,) = run.outcome["errors"]
    assert (error["row"], error["code"], error["params"]) == (3, "row_repeated", {"row": 2})
    assert Customer.objects.get().seats == 1


@pytest.mark.parametrize("encoding, written", [("gb18030", "gb18030"), ("utf-8", "utf-8-sig")])
def test_error_file_has_the_rows_as_they_came_and_the_reason(cast, put, encoding, written):
    rows = [
        ["客户编号", "客户名称", "电话", "ARR"],
        ["A1", "甲", "", "1"],
        ["A2", "=cmd()", "+86 10", "面议"],
    ]
    run = run_all(put(rows, encoding=encoding))
    path = imports.error_file(cast.operations, run.pk)
    header, line = csv.reader(io.StringIO(path.read_bytes().decode(written)))
    assert header[:4] == rows[0]
    assert line[:4] == ["A2", "'=cmd()", "+86 10", "面议"]
    assert "ARR" in line[4]
    assert "面议" in line[4]
    # mended and sent again it comes in, the mark is off again
    mended = [header, [*line[:3], "2", line[4]]]
    assert counts(run_all(put(mended, encoding=encoding))) == (1, 0, 0, 0)
    assert Customer.objects.get(external_id="A2").name == "=cmd()"


def test_xlsx_with_real_dates_and_numbers(cast, put):
    rows = [
        ["客户编号", "客户名称", "到期日", "ARR", "席位"],
        [1001, "甲", date(2027, 2, 18), 486000.5, 12.0],
        [1002, "乙", 46082, "48.6万", None],
    ]
    assert counts(run_all(put(rows, name="客户.xlsx"))) == (2, 0, 0, 0)
    one, two = Customer.objects.order_by("external_id")
    assert (one.external_id, one.renews_on, one.arr_minor, one.seats) == (
        "1001", date(2027, 2, 18), 48_600_050, 12,
    )  # fmt: skip
    assert (two.renews_on, two.arr_minor, two.seats) == (date(2026, 3, 1), 48_600_000, None)


def test_jsonl_with_a_broken_line(cast, put):
    body = '{"external_id": "a", "name": "甲", "tags": ["x", "y"]}\n{"name": \n[1]\n\n{"id": 5, "name": "乙"}\n'
    run = put(name="c.jsonl", body=body.encode())
    run = run_all(run, mapping={"external_id": "external_id", "name": "name", "tags": "tags"})
    assert counts(run) == (2, 0, 0, 2)
    assert [e["code"] for e in run.outcome["errors"]] == ["not_an_object"] * 2
    assert set(Customer.objects.values_list("name", flat=True)) == {"甲", "乙"}


@pytest.mark.parametrize(
    "name, body, refusal",
    [
        ("a.xlsx", b"PK\x03\x04" + b"\0" * 400, import_file.FileBroken),
        ("a.xlsx", b"not a workbook", import_file.FileBroken),
        ("a.csv", b"\x89PNG\r\n\x1a\n\0\0\0", import_file.FileNotText),
        ("a.csv", b"", import_file.FileEmpty),
        ("a.csv", "客户编号,客户名称\n\n".encode(), import_file.FileEmpty),
        ("a.jsonl", b"\n", import_file.FileEmpty),
        ("a.csv", b'a,b\n"1', None),
    ],
)
def test_broken_file_is_refused_and_leaves_nothing(cast, put, settings, name, body, refusal):
    if refusal is None:  # an open quote is no reason to refuse
        assert put(name=name, body=body).row_count == 1
        return
    with pytest.raises(refusal) as refused:
        put(name=name, body=body)
    assert refused.value.message
    assert not ImportRun.objects.exists()
    assert not list(settings.DATA_DIR.rglob("*.csv"))


@pytest.mark.parametrize("cut", [0.1, 0.5, 0.9, 0.99])
def test_truncated_workbook_is_refused(cast, put, tmp_path, cut):
    book = Workbook()
    for number in range(500):
        book.active.append([f"A{number}", f"客户 {number}"])
    book.save(tmp_path / "whole")
    body = (tmp_path / "whole").read_bytes()
    with pytest.raises(import_file.FileBroken):
        put(name="a.xlsx", body=body[: int(len(body) * cut)])


def test_reader_that_dies_takes_nobody_along(cast, put, workbook_with, monkeypatch):
    """Were the check for far cells blind, the reader would ask for terabytes and be ended."""
    body = workbook_with(lambda sheet: sheet.replace(b'r="A2"', b'r="ZZZZZZZ2"'))
    child = Path(workbook.__file__).read_text().replace("[A-Z]{3,}", "never")
    monkeypatch.setattr(workbook, "CHILD", ("-c", child))
    with pytest.raises(import_file.FileBroken):
        put(name="a.xlsx", body=body)


@pytest.fixture
def workbook_with(tmp_path):
    """A workbook whose zip is whole and whose sheet is changed by a function of bytes."""

    def make(change):
        book = Workbook()
        book.active.append(["客户名称"])
        book.active.append(["甲"])
        book.save(tmp_path / "whole")
        with (
            zipfile.ZipFile(tmp_path / "whole") as old,
            zipfile.ZipFile(tmp_path / "changed", "w", zipfile.ZIP_DEFLATED) as new,
        ):
            for entry in old.infolist():
                body = old.read(entry)
                new.writestr(entry, change(body) if "sheet1" in entry.filename else body)
        return (tmp_path / "changed").read_bytes()

    return make


@pytest.mark.parametrize(
    "change, refusal",
    [
        (lambda body: body[: len(body) // 2], import_file.FileBroken),
        (lambda body: b"", import_file.FileBroken),
        # the reader would ask for terabytes and end the process
        (lambda body: body.replace(b'r="A2"', b'r="ZZZZZZZ2"'), import_file.FileTooLarge),
        (lambda body: body.replace(b'r="A2"', b'r="A99999999"'), import_file.FileTooLarge),
        # a bomb: a small zip, large when unpacked
        (lambda body: body + b" " * 100_000, import_file.FileTooLarge),
    ],
)
def test_workbook_with_a_damaged_sheet_is_refused(
    cast, put, workbook_with, monkeypatch, change, refusal
):
    monkeypatch.setattr(import_file, "MAX_UNPACKED", 50_000)
    with pytest.raises(refusal):
        put(name="a.xlsx", body=workbook_with(change))
    assert not ImportRun.objects.exists()


@pytest.mark.parametrize(
    "mapping, refusal",
    [
        ({"x": "name"}, importing.MappingInvalid),
        ({"列一": "password"}, importing.MappingInvalid),
        ({"列一": "name", "列二": "name"}, importing.MappingInvalid),
        ({"列一": "industry", "列二": None}, importing.FieldsNotMapped),
        ({}, importing.FieldsNotMapped),
    ],
)
def test_wrong_headers_need_a_mapping_by_hand(cast, put, mapping, refusal):
    run = put([["列一", "列二"], ["甲", "制造"]])
    assert run.mapping == {"列一": None, "列二": None}
    with pytest.raises(refusal):
        check(run, mapping=mapping)
    run.refresh_from_db()
    assert run.state == ImportRun.State.UPLOADED
    assert counts(run_all(run, mapping={"列一": "name", "列二": "industry"})) == (1, 0, 0, 0)


def test_unknown_words_are_named_in_the_row(cast, put):
    header = ["客户编号", "客户名称", "负责人", "客户级别", "阶段", "上级客户"]
    cast.viewer.name = "看客"
    cast.viewer.save()
    rows = [
        ["1", "甲", "没有的人", "", "", ""],
        ["2", "乙", "", "A 级", "", ""],
        ["3", "丙", "", "", "飞升", ""],
        ["4", "丁", "", "", "", "没有的公司"],
        ["5", "戊", "", "", "", "5"],
        ["6", "", "", "", "", ""],
        ["7", "庚", "看客", "", "", ""],
        ["8", "辛", "", "", "", "9"],
        ["9", "壬", "", "", "", "8"],
    ]
    run = check(put([header, *rows]))
    assert [(e["row"], e["code"]) for e in run.outcome["errors"]] == [
        (2, "owner_unknown"), (3, "tier_unknown"), (4, "stage_unknown"), (5, "parent_unknown"),
        (6, "parent_in_circle"), (7, "name_missing"), (8, "owner_cannot_own"), (10, "parent_in_circle"),
    ]  # fmt: skip
    assert all(explain(error) for error in run.outcome["errors"])


def test_row_with_more_cells_than_the_header_is_refused(cast, put):
    run = run_all(put([["客户名称"], ["甲", "制造"], ["乙"]]))
    assert counts(run) == (1, 0, 0, 1)


def test_known_from_dates_new_customers_and_first_facts_back(cast, put):
    make_customer("蓝海物流", external_id="A2", seats=10, known_at=NOW.replace(year=2020))
    day = date(2021, 6, 1)
    rows = [
        ["客户编号", "客户名称", "席位", "ARR"],
        ["A1", "甲", "5", "1"],
        ["A2", "蓝海物流", "20", "9"],
    ]
    run_all(put(rows), options={"known_from": "2021-05-31"})
    one, two = Customer.objects.order_by("external_id")
    values = field_values(fields=["seats", "arr_minor"], as_of=day)
    assert values["seats"] == {one.pk: 5}  # 10 -> 20 is news of today: the past stays
    assert values["arr_minor"] == {one.pk: 100, two.pk: 900}
    assert field_values(fields=["arr_minor"], as_of=date(2021, 5, 31)) == {"arr_minor": {}}
    with pytest.raises(importing.OptionInvalid):
        check(put(rows), options={"known_from": "früher"})


def test_killed_run_goes_on_where_it_was(cast, put, monkeypatch):
    monkeypatch.setattr(importing, "ROWS_A_STEP", 2)
    rows = [["客户编号", "客户名称"], *([f"A{n}", f"客户 {n}"] for n in range(7)), ["B", ""]]
    run = check(put(rows))

    class Killed(BaseException):
        pass

    def die(done, total):
        if done == 4:
            raise Killed

    with pytest.raises(Killed):
        importing.run_import(actor=cast.operations, now=NOW, run=run, on_progress=die)
    run.refresh_from_db()
    assert (run.state, run.done_count, Customer.objects.count()) == ("running", 4, 4)
    # the worker runs the job again
    assert importing.import_in_background.call(run.pk) == {"created": 7, "changed": 0, "error": 1}
    run.refresh_from_db()
    assert (run.state, run.done_count, Customer.objects.count()) == ("done", 8, 7)
    assert counts(run) == (7, 0, 0, 1)
    importing.import_in_background.call(run.pk)  # and once more does no harm
    assert AuditEntry.objects.filter(action="import.finish").count() == 1


def test_customer_that_came_in_the_meantime_is_planned_again(cast, put):
    run = check(put([["客户编号", "客户名称"], ["A1", "甲"]]))
    make_customer("甲", external_id="A1")
    done = importing.run_import(actor=cast.operations, now=NOW, run=run)
    assert counts(done) == (0, 0, 1, 0)


def test_start_hands_the_import_to_the_worker_once(cast, put):
    run = put([["客户名称"], ["甲"]])
    with pytest.raises(importing.ImportNotReady):
        importing.start_import(actor=cast.operations, now=NOW, run=run)
    check(run)
    importing.start_import(actor=cast.operations, now=NOW, run=run)
    with pytest.raises(importing.ImportNotReady):
        importing.start_import(actor=cast.operations, now=NOW, run=run)
    assert Job.objects.get().args == [run.pk]
    assert not Customer.objects.exists()


def test_file_over_the_limit_is_refused(cast, put, settings):
    settings.GENGYUN_IMPORT_MAX_BYTES = 10
    with pytest.raises(importing.FileTooBig):
        put([HEADER, *ROWS])


@pytest.mark.parametrize("who", ["owner", "colleague", "viewer"])
def test_only_those_who_may_import_do(cast, put, who):
    run = check(put([HEADER, *ROWS]))
    actor = getattr(cast, who)
    attempts = [
        lambda: put([HEADER, *ROWS], actor=actor),
        lambda: importing.check_import(actor=actor, now=NOW, run=run),
        lambda: importing.start_import(actor=actor, now=NOW, run=run),
        lambda: importing.run_import(actor=actor, now=NOW, run=run),
        lambda: importing.delete_import(actor=actor, now=NOW, run=run),
        lambda: imports.get_run(actor, run.pk),
    ]
    before = list(ImportRun.objects.values())
    for attempt in attempts:
        with pytest.raises(NotAllowed):
            attempt()
    assert list(ImportRun.objects.values()) == before
    assert not Customer.objects.exists()


def test_leader_sees_only_own_imports_and_changes_only_the_team_s_customers(cast, put):
    theirs = make_customer("南方能源", external_id="S1", owner=cast.stranger)
    run = put([["客户编号", "客户名称", "席位"], ["S1", "南方能源", "9"], ["N1", "北方能源", "8"],
               ["", "南方能源", "7"]], actor=cast.leader)  # fmt: skip
    for strange in (cast.stranger,):
        with pytest.raises(NotFound):
            imports.get_run(strange, run.pk)
        with pytest.raises(NotFound):
            importing.check_import(actor=strange, now=NOW, run=run)
    done = run_all(run)
    assert counts(done) == (1, 0, 0, 2)
    assert {e["code"] for e in done.outcome["errors"]} == {"customer_elsewhere"}
    theirs.refresh_from_db()
    assert theirs.seats is None
    assert Customer.objects.get(external_id="N1").owner == cast.leader


CONTACTS = [
    ["客户编号", "姓名", "职务", "决策角色", "邮箱", "手机"],
    ["A1", "周敏", "信息总监", "决策人", "Zhou.Min@qinghe.cn", "13800000001"],
    ["A1", "王伟", "", "使用者", "", "13800000002"],
    ["青禾科技", "王伟", "", "", "wang2@qinghe.cn", "13800000003"],
]


def test_contacts_are_found_again_and_two_of_one_name_kept_apart(cast, put):
    customer = make_customer("青禾科技", external_id="A1", owner=cast.owner)
    make_contact(customer, "周敏", email="zhou.min@qinghe.cn", title="经理")
    assert counts(run_all(put(CONTACTS, kind="contacts"))) == (2, 1, 0, 0)
    assert counts(run_all(put(CONTACTS, kind="contacts"))) == (0, 0, 3, 0)
    zhou = Contact.objects.get(name="周敏")
    assert (zhou.title, zhou.part, zhou.email) == ("信息总监", "decider", "zhou.min@qinghe.cn")
    assert Contact.objects.filter(name="王伟").count() == 2


def test_contacts_of_unknown_or_hidden_customers_are_refused_alike(cast, put):
    make_customer("南方能源", external_id="S1", owner=cast.stranger)
    rows = [["客户编号", "姓名", "角色", "邮箱"], ["S1", "甲", "", ""], ["S2", "乙", "", ""],
            ["", "丙", "", ""], ["S1", "丁", "皇帝", "x"]]  # fmt: skip
    run = run_all(put(rows, kind="contacts", actor=cast.leader))
    assert [(e["row"], e["code"]) for e in run.outcome["errors"]] == [
        (2, "customer_unknown"), (3, "customer_unknown"), (4, "customer_missing"),
        (5, "part_unknown"), (5, "not_an_email"),
    ]  # fmt: skip
    assert not Contact.objects.exists()


def test_activities_come_in_once(cast, put):
    customer = make_customer("青禾科技", external_id="A1", owner=cast.owner)
    make_contact(customer, "周敏")
    rows = [
        ["客户名称", "跟进时间", "跟进方式", "跟进内容", "跟进人", "联系人", "是否解决"],
        ["青禾科技", "2026-02-01 14:30", "电话", "问了导入的问题", "李雷", "周敏", "部分解决"],
        ["青禾科技", "2026年2月3日", "上门拜访", "第一行\n第二行", "", "", ""],
        ["青禾科技", "2026年2月3日", "上门拜访", "第一行\n第二行", "", "", ""],
        ["青禾科技", "2036-02-01", "电话", "明日之事", "", "", ""],
        ["青禾科技", "", "烽火", "", "", "张三", ""],
    ]
    done = run_all(put(rows, kind="activities"))
    assert counts(done) == (2, 0, 1, 2)
    assert [(e["row"], e["code"]) for e in done.outcome["errors"]] == [
        (5, "in_future"), (6, "kind_unknown"),
    ]  # fmt: skip
    call = Activity.objects.get(kind="call")
    assert (call.author, call.outcome, call.recorded_at) == (cast.colleague, "partly", NOW)
    assert [contact.name for contact in call.contacts.all()] == ["周敏"]
    assert Activity.objects.get(kind="visit").body == "第一行\n第二行"
    assert counts(run_all(put(rows, kind="activities"))) == (0, 0, 3, 2)
    assert Activity.objects.count() == 2


def test_failed_import_goes_on_when_started_again(cast, put, monkeypatch):
    run = check(put([["客户编号", "客户名称"], *([f"A{n}", f"客户 {n}"] for n in range(4))]))
    monkeypatch.setattr(importing, "ROWS_A_STEP", 2)

    def interrupt(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        importing.run_import(actor=cast.operations, now=NOW, run=run, on_progress=interrupt)
    run.refresh_from_db()
    assert (run.state, run.done_count) == ("failed", 2)
    done = importing.run_import(actor=cast.operations, now=NOW, run=run)
    assert (done.state, counts(done)) == ("done", (4, 0, 0, 0))


def test_files_are_forgotten_after_a_month(cast, put, settings):
    run = run_all(put([["客户名称", "ARR"], ["甲", "面议"]]))
    waiting = put([["客户名称"], ["甲"]])
    assert importing.forget_files(now=NOW + timedelta(days=30)) == 0
    assert importing.forget_files(now=NOW + timedelta(days=31)) == 3
    assert not list((settings.DATA_DIR / "files/imports").iterdir())
    with pytest.raises(NotFound):
        imports.error_file(cast.operations, run.pk)
    waiting.refresh_from_db()
    with pytest.raises(importing.FileForgotten):
        check(waiting)


def test_unknown_kind_is_refused(cast, put):
    with pytest.raises(importing.KindUnknown):
        put([["a"], ["b"]], kind="horoscopes")


def test_deleted_import_takes_its_files_along(cast, put, settings):
    run = run_all(put([["客户名称", "ARR"], ["甲", "面议"]]))
    assert len(list((settings.DATA_DIR / "files/imports").iterdir())) == 2
    importing.delete_import(actor=cast.operations, now=NOW, run=run)
    assert not list((settings.DATA_DIR / "files/imports").iterdir())
    assert not ImportRun.objects.exists()


def test_every_code_has_a_sentence():
    for code in MESSAGES:
        assert explain(
            {
                "code": code,
                "params": dict.fromkeys(re.findall(r"%\((\w+)\)s", MESSAGES[code]), "a"),
                "column": "a",
                "value": "b",
            }
        )
