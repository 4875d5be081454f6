"""Import of contracts by the pages: options of the file, ARR and rule of rows, totals, all rows."""

import csv
import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from factories import NOW, make_customer, make_user

pytestmark = pytest.mark.django_db
HEADER = [
    "客户",
    "合同编号",
    "开始日期",
    "到期日",
    "产品",
    "席位数",
    "合同金额（万元）",
    "内部备注",
]
ROWS = [
    ["晨曦科技", "HT-1", "2025-03-01", "2026-02-28", "协同办公", "120", "12", "x"],
    ["晨曦科技", "HT-2", "2026-03-01", "2025-03-01", "协同办公", "120", "13", ""],
    ["晨曦科技", "HT-3", "2024-03-01", "2027-02-28", "数据中台", "-5", "36", ""],
]


def upload(rows=ROWS, name="合同.csv"):
    text = io.StringIO()
    csv.writer(text).writerows([HEADER, *rows])
    return SimpleUploadedFile(name, text.getvalue().encode("gb18030"))


@pytest.fixture
def person(client, settings, tmp_path):
    settings.DATA_DIR = tmp_path
    client.force_login(make_user("operations", language="en"))
    make_customer("晨曦科技")
    return client


def checked(person, **options):
    path = person.post("/imports/new/", {"kind": "contracts", "file": upload()}).url
    fields = ["customer", "number", "starts_on", "ends_on", "product", "seats", "amount", ""]
    mapping = {f"map.{place}": field for place, field in enumerate(fields)}
    return path, person.post(path, mapping | options)


def test_dry_run_shows_arr_and_rule_of_every_row_and_totals(person):
    from gengyun.revenue.models import Contract

    path, answer = checked(person, create_products="yes")
    assert answer.status_code == 303
    page = person.get(path).content.decode()
    assert "120,000.00 CNY" in page
    assert "Amount without tax ÷ paid months × 12." in page
    assert "It ends on 2025-03-01, before it starts on 2026-03-01." in page
    assert "-5 seats: a number of seats is never negative." in page
    assert "610,000.00" in page  # 12 + 13 + 36 万 in the file
    assert "490,000.00" in page  # refused
    assert not Contract.objects.exists()
    rows = person.get(f"{path}rows.csv")
    body = b"".join(rows.streaming_content).decode("gb18030")
    first = next(csv.DictReader(io.StringIO(body)))
    assert (first["合同编号"], first["Outcome"], first["arr"], first["rule"]) == (
        "HT-1", "new", "120000.00", "by_paid_term",
    )  # fmt: skip
    assert first["how"] == "Amount without tax ÷ paid months × 12."
    assert "end_before_start" in body


def test_options_are_kept_and_a_wrong_one_is_told_beside_it(person):
    path, answer = checked(person, create_products="yes", currency="USD", tax_rate="6%")
    assert answer.status_code == 303
    page = person.get(path).content.decode()
    assert 'value="6%"' in page
    assert '<option value="USD" selected>' in page
    _path, answer = checked(person, tax_rate="many")
    assert answer.status_code == 422
    assert 'name="tax_rate" value="" list' not in answer.content.decode()
    assert "many is no valid value for the option tax_rate." in answer.content.decode()


def test_product_that_is_not_there_is_refused_unless_it_may_be_made(person):
    path, _answer = checked(person)
    page = person.get(path).content.decode()
    assert "there is no product 协同办公" in page


def test_run_writes_the_ledger_and_says_where_the_money_went(person):
    from gengyun.customers.actions.importing import import_in_background
    from gengyun.customers.models import Customer, ImportRun
    from gengyun.revenue.models import Movement

    path, _answer = checked(person, create_products="yes")
    assert person.post(f"{path}start/").status_code == 303
    import_in_background.func(ImportRun.objects.get().pk)
    page = person.get(path).content.decode()
    assert "Totals of the file" in page
    assert Movement.objects.filter(kind="new").get().arr_minor == 120_000_00
    assert Customer.objects.get().seats in {0, 120}


def test_who_may_not_edit_settings_is_not_offered_salaries(client, settings, tmp_path):
    settings.DATA_DIR = tmp_path
    client.force_login(make_user("leader", language="en"))
    page = client.get("/imports/").content.decode()
    assert "?kind=contracts" in page
    assert "?kind=spend" not in page
    answer = client.post("/imports/new/", {"kind": "spend", "file": upload()})
    assert answer.status_code in {403, 422}
    from gengyun.customers.models import ImportRun

    assert not ImportRun.objects.exists()


def test_rows_of_a_stranger_are_not_found(person, client):
    path, _answer = checked(person, create_products="yes")
    client.force_login(make_user("leader", language="en"))
    assert client.get(f"{path}rows.csv").status_code == 404


def test_opportunities_of_a_crm_show_stage_and_product_by_name(person):
    from gengyun.revenue.actions.opportunity_stages import install_defaults
    from gengyun.revenue.models import Opportunity

    install_defaults(now=NOW)
    text = "客户,商机编号,产品,商机阶段,预计金额\n晨曦科技,D-1,数据中台,Closed Won,8万\n"
    text += "晨曦科技,D-2,数据中台,哪个阶段,8万\n"
    file = SimpleUploadedFile("商机.csv", text.encode())
    path = person.post("/imports/new/", {"kind": "opportunities", "file": file}).url
    fields = ["customer", "key", "product", "stage", "amount"]
    mapping = {f"map.{place}": field for place, field in enumerate(fields)}
    assert person.post(path, mapping | {"create_products": "yes"}).status_code == 303
    page = person.get(path).content.decode()
    for said in ("<ins>Won</ins>", "<ins>数据中台</ins>", "counts as “已成交” here", "哪个阶段"):
        assert said in page
    assert not Opportunity.objects.exists()


def test_kinds_without_money_have_no_rows_file(person):
    text = "客户名称\n甲\n".encode()
    file = SimpleUploadedFile("a.csv", text)
    path = person.post("/imports/new/", {"kind": "customers", "file": file}).url
    person.post(path, {"map.0": "name"})
    assert person.get(f"{path}rows.csv").status_code == 404


def test_sample_tables_of_every_kind_are_recognised_again(person):
    from gengyun.customers.actions.import_kinds import kind_named
    from gengyun.customers.calc.columns import suggest
    from gengyun.web.present.import_revenue import KINDS

    for kind in KINDS:
        body = person.get(f"/imports/sample/{kind}.csv").content.decode("utf-8-sig")
        headers = next(csv.reader(io.StringIO(body)))
        columns = kind_named(kind).columns
        found = suggest(headers, columns)
        assert [found[header] for header in headers] == [column.field for column in columns], kind
