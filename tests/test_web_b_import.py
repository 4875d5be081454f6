"""Import pages from the upload to the rows that were refused."""

import csv
import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from factories import NOW, make_user

pytestmark = pytest.mark.django_db
HEADER = ["客户编号", "客户名称", "城市", "合同金额", "席位数", "内部备注"]
ROWS = [
    ["acct_1", "晨曦科技有限公司", "上海", "48.6万", "120", "x"],
    ["acct_2", "杭州青禾", "杭州", "1,200,000.00", "abc", "y"],
    ["acct_3", "西安秦岭文旅", "西安", "", "", "z"],
]


@pytest.fixture
def person(client, settings, tmp_path):
    from gengyun.customers.actions.defaults import install_defaults

    settings.DATA_DIR = tmp_path
    install_defaults(now=NOW)
    user = make_user("operations", language="en")
    client.force_login(user)
    return client


def gb18030():
    text = io.StringIO()
    csv.writer(text).writerows([HEADER, *ROWS])
    return SimpleUploadedFile("客户名单.csv", text.getvalue().encode("gb18030"))


def xlsx():
    from openpyxl import Workbook

    book = Workbook()
    for row in [HEADER, *ROWS]:
        book.active.append(row)
    file = io.BytesIO()
    book.save(file)
    return SimpleUploadedFile("customers.xlsx", file.getvalue())


def run_jobs():
    """What the worker does with the queued import."""
    from gengyun.customers.actions.importing import import_in_background
    from gengyun.kernel.models import Job

    for job in Job.objects.filter(task__endswith="import_in_background", state="ready"):
        import_in_background.func(*job.args)
        Job.objects.filter(pk=job.pk).update(state="done")


@pytest.mark.parametrize("make", [gb18030, xlsx])
def test_import_end_to_end(person, make):
    from gengyun.customers.models import Customer, ImportRun

    answer = person.post("/imports/new/", {"kind": "customers", "file": make()})
    assert answer.status_code == 303
    path = answer.url
    page = person.get(path).content.decode()
    assert "晨曦科技有限公司" in page  # an example from the file
    assert '<option value="arr" selected>' in page  # 合同金额 was recognised
    mapping = ["external_id", "name", "region", "arr", "seats", ""]
    checked = person.post(path, {f"map.{n}": field for n, field in enumerate(mapping)})
    assert checked.status_code == 303
    page = person.get(path).content.decode()
    assert "not a whole number" in page
    assert "Import 2 rows" in page
    assert not Customer.objects.exists()  # the dry run wrote nothing
    assert person.post(f"{path}start/").status_code == 303
    assert "hx-trigger" in person.get(path).content.decode()  # progress is polled
    fragment = person.get(f"{path}progress/", headers={"HX-Request": "true"})
    assert "<html" not in fragment.content.decode()
    run_jobs()
    done = person.get(f"{path}progress/", headers={"HX-Request": "true"})
    assert done.headers["HX-Redirect"] == path
    assert Customer.objects.get(external_id="acct_1").arr_minor == 48_600_000
    assert Customer.objects.get(external_id="acct_3").seats is None  # unknown, not 0
    refused = b"".join(person.get(f"{path}errors.csv").streaming_content)
    assert "杭州青禾" in refused.decode("utf-8-sig" if make is xlsx else "gb18030")
    assert ImportRun.objects.get().error_count == 1
    # the same file again changes nothing
    again = person.post("/imports/new/", {"kind": "customers", "file": make()}).url
    person.post(again, {f"map.{n}": field for n, field in enumerate(mapping)})
    page = person.get(again).content.decode()
    assert "There is nothing to write" in page


def test_mapping_two_columns_to_one_field_is_refused_beside_the_column(person):
    path = person.post("/imports/new/", {"kind": "customers", "file": gb18030()}).url
    answer = person.post(path, {"map.0": "external_id", "map.1": "name", "map.2": "name"})
    assert answer.status_code == 422
    assert "two columns are mapped to the same field" in answer.content.decode()


def test_mapping_without_a_needed_field_says_which(person):
    path = person.post("/imports/new/", {"kind": "customers", "file": gb18030()}).url
    answer = person.post(path, {"map.2": "region"})
    assert answer.status_code == 422
    assert "“Name”" in answer.content.decode()


@pytest.mark.parametrize(
    "name, content",
    [("broken.xlsx", b"PK\x03\x04 not really"), ("empty.csv", b""), ("a.exe", b"MZ\0")],
)
def test_files_that_cannot_be_read_are_refused_with_the_reason(person, name, content):
    from gengyun.customers.models import ImportRun

    file = SimpleUploadedFile(name, content or b" ")
    answer = person.post("/imports/new/", {"kind": "customers", "file": file})
    assert answer.status_code == 422
    assert 'role="alert"' in answer.content.decode()
    assert not ImportRun.objects.exists()


def test_no_file_is_refused(person):
    assert person.post("/imports/new/", {"kind": "customers"}).status_code == 422


@pytest.mark.parametrize("kind", ["customers", "contacts", "activities"])
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_the_empty_table_is_recognised_when_it_comes_back(client, kind, language):
    from gengyun.customers.actions.import_kinds import kind_named
    from gengyun.customers.calc.columns import suggest

    client.force_login(make_user("admin", language=language))
    text = client.get(f"/imports/sample/{kind}.csv").content.decode("utf-8-sig")
    headers = next(csv.reader(io.StringIO(text)))
    columns = kind_named(kind).columns
    assert suggest(headers, columns) == dict(
        zip(headers, [column.field for column in columns], strict=True)
    )


def test_every_field_has_a_name_on_the_page():
    from gengyun.customers.actions.import_kinds import kind_named
    from gengyun.web.present.import_fields import FIELDS, KINDS

    for kind in KINDS:
        for column in kind_named(kind).columns:
            assert column.field in FIELDS, column.field


def test_an_import_is_forgotten(person):
    from gengyun.customers.models import ImportRun

    path = person.post("/imports/new/", {"kind": "customers", "file": gb18030()}).url
    assert person.post(f"{path}delete/").status_code == 303
    assert not ImportRun.objects.exists()
