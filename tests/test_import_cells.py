"""Cells as people write them; which header means what; which encoding a file has."""

import contextlib
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gengyun.customers.calc import cells
from gengyun.customers.calc.columns import (
    ACTIVITY_COLUMNS,
    CONTACT_COLUMNS,
    CUSTOMER_COLUMNS,
    amount_unit,
    folded,
    suggest,
)
from gengyun.customers.calc.encoding import NotText, decode, delimiter_of

SHANGHAI = ZoneInfo("Asia/Shanghai")
MARCH = date(2026, 3, 1)


@pytest.mark.parametrize(
    "cell",
    [
        "2026-03-01", "2026/3/1", "2026.3.1", "2026年3月1日", " 2026 年 3 月 1 日 ", "20260301",
        20260301, 46082, 46082.75, "46082", date(2026, 3, 1), datetime(2026, 3, 1, 18, 30),
        "2026-03-01 18:30:00", "2026-03-01T18:30:00", "2026/3/1 18:30", "２０２６－０３－０１",
        "2026年3月1日 18:30", "2026年3月1号",
    ],
)  # fmt: skip
def test_day_is_read_as_people_write_it(cell):
    assert cells.day(cell) == MARCH


@pytest.mark.parametrize(
    "cell, code",
    [
        ("01/03/2026", "day_unclear"), ("1-3-26 08:00", "day_unclear"), ("3月1日", "not_a_day"),
        ("31/12/2026", "not_a_day"), ("2026-13-01", "no_such_day"), ("2026-02-30", "no_such_day"),
        ("20269999", "no_such_day"), (20260230, "no_such_day"), ("明年", "not_a_day"),
        (0, "not_a_day"), (-5, "not_a_day"), (999_999, "not_a_day"),
    ],
)  # fmt: skip
def test_day_that_could_mean_several_things_is_refused(cell, code):
    with pytest.raises(cells.BadCell, match=code):
        cells.day(cell)


@pytest.mark.parametrize("cell", [None, "", "  ", "-", "——", "无", "N/A", "null", "\u3000"])
def test_empty_is_unknown_and_never_zero(cell):
    for parse in (cells.text, cells.day, cells.amount_minor, cells.count, cells.email, cells.words):
        assert parse(cell) is None


@given(st.dates(date(1905, 1, 1), date(2199, 12, 31)))
def test_excel_serial_and_written_day_agree(day):
    serial = (day - date(1899, 12, 30)).days
    assert cells.day(serial) == day
    assert cells.day(day.isoformat()) == cells.day(f"{day.year}年{day.month}月{day.day}日") == day


@pytest.mark.parametrize(
    "cell, unit, yuan",
    [
        ("48.6万", 1, 486_000), ("1,200,000.00", 1, 1_200_000), ("¥480,000.00", 1, 480_000),
        ("￥48万元", 1, 480_000), ("1.2亿", 1, 120_000_000), ("300k", 1, 300_000), (48.6, 10_000, 486_000),
        ("48.6", 10_000, 486_000), ("48.6万", 10_000, 486_000), ("USD 1,500", 1, 1_500),
        ("0", 1, 0), (0, 1, 0), ("1200000元/年", 1, 1_200_000), ("１２０万", 1, 1_200_000),
        ("120,0000", 1, 1_200_000), ("99.995", 1, 100), (0.1 + 0.2, 1, 0.3),
    ],
)  # fmt: skip
def test_amount_is_read_in_its_unit(cell, unit, yuan):
    assert cells.amount_minor(cell, unit=unit) == round(yuan * 100)


@pytest.mark.parametrize("cell", ["面议", "-5", "1,5", "12万5", "1e9999", float("inf"), "=1+1"])
def test_amount_that_is_none_is_refused(cell):
    with pytest.raises(cells.BadCell, match="not_an_amount"):
        cells.amount_minor(cell)


@pytest.mark.parametrize("parse", [cells.amount_minor, cells.count])
@pytest.mark.parametrize("cell", [10**20, "99999999999999999999"])
def test_number_too_large_says_so(cell, parse):
    with pytest.raises(cells.BadCell, match="number_too_large"):
        parse(cell)


@given(st.integers(0, 10**12))
def test_amount_with_thousands_marks_comes_back(fen):
    assert cells.amount_minor(f"{fen // 100:,}.{fen % 100:02}") == fen


@pytest.mark.parametrize(
    "cell, count", [("200", 200), ("1,200", 1200), ("200 人", 200), ("1.5万", 15_000), (200.0, 200)]
)
def test_count(cell, count):
    assert cells.count(cell) == count


@pytest.mark.parametrize("cell", ["1.5", -1, "很多", 1.5, float("nan")])
def test_count_that_is_none_is_refused(cell):
    with pytest.raises(cells.BadCell, match="not_a_count"):
        cells.count(cell)


@pytest.mark.parametrize(
    "cell, moment",
    [
        ("2026-03-01 14:30", datetime(2026, 3, 1, 14, 30, tzinfo=SHANGHAI)),
        ("2026年3月1日 下午2:30", datetime(2026, 3, 1, 14, 30, tzinfo=SHANGHAI)),
        ("2026/3/1 14点30分", datetime(2026, 3, 1, 14, 30, tzinfo=SHANGHAI)),
        ("2026-03-01T06:30:00Z", datetime(2026, 3, 1, 6, 30, tzinfo=UTC)),
        ("2026-03-01", datetime(2026, 3, 1, 12, tzinfo=SHANGHAI)),
        (46082.5625, datetime(2026, 3, 1, 13, 30, tzinfo=SHANGHAI)),
        (datetime(2026, 3, 1, 9), datetime(2026, 3, 1, 9, tzinfo=SHANGHAI)),
    ],
)
def test_instant(cell, moment):
    assert cells.instant(cell, SHANGHAI) == moment


@pytest.mark.parametrize("cell", ["2026-03-01 25:00", "2026年3月1日 某时", "昨天"])
def test_instant_that_is_none_is_refused(cell):
    with pytest.raises(cells.BadCell):
        cells.instant(cell, SHANGHAI)


def test_texts_numbers_and_marks():
    assert cells.text(1001.0) == "1001"
    assert cells.text(" 青禾\u3000科技\n") == "青禾 科技"
    assert cells.text("'=SUM(A1)") == "=SUM(A1)"
    assert cells.text("'quoted'") == "'quoted'"
    assert cells.email(" Zhou.Min@Example.CN ") == "zhou.min@example.cn"
    assert cells.words("试点，已培训; 试点、重点") == ["试点", "已培训", "重点"]
    assert [cells.currency_in(x) for x in ("¥1", "usd", "美元", "48万", "HKD")] == [
        "CNY", "USD", "USD", None, "HKD",
    ]  # fmt: skip
    for cell in ("zhou", "a@b", "a b@c.cn"):
        with pytest.raises(cells.BadCell, match="not_an_email"):
            cells.email(cell)


PARSERS = [
    cells.text, cells.long_text, cells.day, cells.amount_minor, cells.count, cells.email,
    cells.words, cells.currency_in, lambda cell: cells.instant(cell, SHANGHAI),
]  # fmt: skip


@given(st.text(max_size=40) | st.floats() | st.integers() | st.booleans(), st.sampled_from(PARSERS))
def test_no_cell_breaks_a_parser(cell, parse):
    with contextlib.suppress(cells.BadCell):
        parse(cell)


def test_headers_of_chinese_exports_are_understood():
    headers = [
        "客户编号*",
        "客户名称",
        "负责人",
        "客户级别",
        "合同金额（万元）",
        "到期日期",
        "所属行业",
        "备用",
    ]
    assert suggest(headers, CUSTOMER_COLUMNS) == {
        "客户编号*": "external_id", "客户名称": "name", "负责人": "owner", "客户级别": "tier",
        "合同金额（万元）": "arr", "到期日期": "renews_on", "所属行业": "industry", "备用": None,
    }  # fmt: skip


def test_each_field_is_suggested_once():
    found = suggest(["公司", "客户名称", "客户"], CUSTOMER_COLUMNS)
    assert found == {"公司": None, "客户名称": "name", "客户": None}
    assert suggest(["Account Name", "Owner_Email", "Renewal Date"], CUSTOMER_COLUMNS) == {
        "Account Name": "name", "Owner_Email": "owner", "Renewal Date": "renews_on",
    }  # fmt: skip


@pytest.mark.parametrize("columns", [CUSTOMER_COLUMNS, CONTACT_COLUMNS, ACTIVITY_COLUMNS])
def test_no_header_means_two_fields(columns):
    names = [folded(name) for c in columns for name in {c.field, *c.names}]
    assert all(names)
    for column in columns:
        for name in (column.field, *column.names):
            assert suggest([name], columns)[name] == column.field


def test_unit_of_amounts_in_the_header():
    assert [amount_unit(h) for h in ("ARR（万元）", "ARR(万)", "年费", "金额[亿元]", "金额（千元）")] == [
        10_000, 10_000, 1, 10**8, 1_000,
    ]  # fmt: skip


TEXT = "客户编号,客户名称\n1,青禾科技\n2,蓝海物流"


@pytest.mark.parametrize(
    "written, named",
    [("utf-8", "utf-8"), ("utf-8-sig", "utf-8-sig"), ("gb18030", "gb18030"), ("gbk", "gb18030"),
     ("utf-16", "utf-16")],
)  # fmt: skip
def test_encoding_is_found(written, named):
    assert decode(TEXT.encode(written)) == (TEXT, named)


@given(
    st.text(st.characters(codec="gb18030", min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=2)
)
def test_chinese_text_in_gb18030_comes_back(text):
    """Never taken for UTF-8, but for the rare pairs of bytes that are both."""
    body = text.encode("gb18030")
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        assert decode(body) == (text, "gb18030")


@pytest.mark.parametrize("body", [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", b"\xff\xff\xfe", b"abc\xff"])
def test_what_is_no_text_is_refused(body):
    with pytest.raises(NotText):
        decode(body)


def test_delimiter():
    assert [delimiter_of(t) for t in ("a,b\n", "a;b;c\n1;2,5;3", "a\tb", "name", '"a;b",c')] == [
        ",", ";", "\t", ",", ",",
    ]  # fmt: skip
