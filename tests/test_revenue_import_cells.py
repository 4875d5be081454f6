"""Cells of revenue files, as people write them."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gengyun.customers.calc.cells import BadCell, yes_or_no
from gengyun.customers.calc.columns import suggest
from gengyun.revenue.calc import import_cells as cells
from gengyun.revenue.calc import import_columns as columns


@pytest.mark.parametrize(
    "cell, value",
    [
        ("48.6万", 486_000),
        ("¥1,200,000.00", 1_200_000),
        ("(120)", -120),
        ("-120", -120),
        ("−1.5万", -15_000),
        ("￥-5", -5),
        ("-¥5", -5),
        ("USD 100", 100),
        ("100 usd", 100),
        ("1.2亿", 120_000_000),
        ("300k", 300_000),
        (0.1 + 0.2, Decimal("0.30000000000000004")),
        (Decimal("1.5"), Decimal("1.5")),
        ("１２００元", 1200),
        ("", None),
        ("-", None),
        (None, None),
    ],
)
def test_amounts_are_read_as_people_write_them(cell, value):
    found = cells.amount(cell, signed=True)
    assert (found and found.value) == value


@pytest.mark.parametrize(
    "cell",
    ["面议", "12%", "1,5", True, "--5", "5-", "(-5)", float("nan"), float("inf"), "1e5"],
)
def test_what_is_no_amount_is_refused(cell):
    with pytest.raises(BadCell, match="not_an_amount"):
        cells.amount(cell, signed=True)


@pytest.mark.parametrize("cell", [1e14, "99999999999999999999", "-99999999亿"])
def test_amount_too_large_says_so(cell):
    with pytest.raises(BadCell, match="number_too_large"):
        cells.amount(cell, signed=True)


def test_amount_below_zero_is_refused_where_none_is_meant():
    with pytest.raises(BadCell, match="below_zero"):
        cells.amount("-5")


@pytest.mark.parametrize(
    "written, currency, minor, is_rounded",
    [
        ("1.005", "CNY", 101, True),  # half up
        ("1.004", "CNY", 100, True),
        ("-1.005", "CNY", -101, True),
        ("1.00", "CNY", 100, False),
        ("1.5", "JPY", 2, True),  # a yen has no parts
        ("1.005", "KWD", 1005, False),  # a dinar has a thousand
    ],
)
def test_amounts_are_rounded_half_up_to_the_minor_unit_and_say_so(
    written, currency, minor, is_rounded
):
    found = cells.amount(written, signed=True)
    assert (found.minor(currency), found.is_rounded(currency)) == (minor, is_rounded)


def test_noise_of_binary_fractions_is_no_rounding():
    assert not cells.amount(0.1 + 0.2).is_rounded("CNY")


@given(st.integers(-(10**12), 10**12), st.sampled_from(["CNY", "JPY", "KWD"]))
def test_amount_survives_being_written_and_read(minor, currency):
    found = cells.amount(cells.major(minor, currency), signed=True)
    assert found.minor(currency) == minor
    assert not found.is_rounded(currency)


@pytest.mark.parametrize(
    "read, cell, value",
    [
        (cells.share_bp, "6%", 600),
        (cells.share_bp, "0.06", 600),
        (cells.share_bp, 0.06, 600),
        (cells.share_bp, "13", 1300),
        (cells.share_bp, "１３％", 1300),
        (cells.share_bp, "1%", 100),
        (cells.discount_bp, "85折", 1500),
        (cells.discount_bp, "8.5折", 1500),
        (cells.discount_bp, "九折", 1000),
        (cells.discount_bp, "八五折", 1500),
        (cells.discount_bp, "15%", 1500),
        (cells.months, "12", 12),
        (cells.months, "12个月", 12),
        (cells.months, "一年", 12),
        (cells.months, "1.5 years", 18),
        (cells.days, "30天", 30),
        (cells.days, "2 weeks", 14),
        (cells.interval_months, "月付", 1),
        (cells.interval_months, "每半年", 6),
        (cells.interval_months, "annual", 12),
        (cells.interval_months, "一次性付清", 0),
        (cells.month, "2026-03", date(2026, 3, 1)),
        (cells.month, "2026年3月", date(2026, 3, 1)),
        (cells.month, "202603", date(2026, 3, 1)),
        (cells.month, "20260315", date(2026, 3, 1)),
        (cells.month, 46_096, date(2026, 3, 1)),  # an Excel serial
        (cells.year, "2026年度", 2026),
        (cells.rate, "7.123456789", Decimal("7.12345679")),
        (cells.currency, "人民币", "CNY"),
        (cells.currency, "usd", "USD"),
        (yes_or_no, "是", True),
        (yes_or_no, "无", False),
    ],
)
def test_cells_are_read(read, cell, value):
    assert read(cell) == value


@pytest.mark.parametrize(
    "read, cell, code",
    [
        (cells.share_bp, "1", "share_unclear"),
        (cells.share_bp, "101%", "not_a_share"),
        (cells.share_bp, "-5%", "not_a_share"),
        (cells.discount_bp, "打折", "not_a_share"),
        (cells.months, "很久", "not_a_term"),
        (cells.days, "3个月", "not_a_term"),
        (cells.interval_months, "0", "not_an_interval"),
        (cells.month, "2026-13", "not_a_month"),
        (cells.month, "三月", "not_a_month"),
        (cells.year, "26", "not_a_year"),
        (cells.rate, "0", "not_a_rate"),
        (cells.rate, "-7.1", "not_a_rate"),
        (cells.currency, "XYZ", "currency_unknown"),
        (cells.currency, "比特币", "currency_unknown"),
        (yes_or_no, "maybe", "not_yes_or_no"),
    ],
)
def test_cells_that_cannot_be_read_say_why(read, cell, code):
    with pytest.raises(BadCell, match=code):
        read(cell)


@given(st.text(max_size=12))
def test_no_text_makes_a_reader_fail_otherwise(text):
    for read in (
        lambda cell: cells.amount(cell, signed=True), cells.share_bp, cells.discount_bp,
        cells.months, cells.days, cells.interval_months, cells.month, cells.year, cells.rate,
        cells.currency, yes_or_no,
    ):  # fmt: skip
        try:
            read(text)
        except BadCell:
            continue


HEADERS = {
    columns.CONTRACT_COLUMNS: {
        "客户名称": "customer", "合同编号": "number", "签约日期": "signed_on",
        "服务开始日期": "starts_on", "服务到期日": "ends_on", "产品名称": "product",
        "版本": "edition", "席位数": "seats", "合同金额（万元）": "amount", "税率": "tax_rate",
        "是否含税": "tax_included", "赠送天数": "gift_days", "付款方式": "billing",
        "自动续约": "auto_renew", "折扣": "discount", "币种": "currency", "备注": "note",
        "上级客户": None,
    },
    columns.INVOICE_COLUMNS: {
        "客户": "customer", "发票号码": "number", "开票日期": "issued_on", "到期日": "due_on",
        "价税合计": "amount", "税额": "tax", "合同编号": "contract", "状态": "status",
    },
    columns.PAYMENT_COLUMNS: {
        "客户": "customer", "流水号": "number", "回款日期": "received_on", "回款金额": "amount",
        "发票号": "invoice", "退款金额": "refund",
    },
    columns.SPEND_COLUMNS: {"月份": "month", "费用类型": "kind", "金额": "amount", "姓名": "user"},
    columns.BUDGET_COLUMNS: {
        "客户": "customer", "预算类别": "category", "年度": "year", "预算金额": "amount",
        "信息来源": "said_by", "获知日期": "said_on",
    },
    columns.RATE_COLUMNS: {"币种": "currency", "日期": "on", "中间价": "rate", "本位币": "base"},
    columns.OPPORTUNITY_COLUMNS: {
        "客户": "customer", "商机名称": "name", "商机阶段": "stage", "预计金额": "amount",
        "预计成交日期": "expected_on", "负责人": "owner", "输单原因": "loss_reason",
    },
}  # fmt: skip


@pytest.mark.parametrize("known, wanted", HEADERS.items(), ids=lambda it: "")
def test_usual_chinese_headers_are_recognised(known, wanted):
    assert suggest(wanted, known) == wanted


@pytest.mark.parametrize(
    "known", [value for name, value in vars(columns).items() if name.endswith("_COLUMNS")]
)
def test_every_field_is_recognised_by_its_own_name(known):
    fields = [column.field for column in known]
    assert suggest(fields, known) == {field: field for field in fields}
