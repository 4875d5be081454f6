"""Minor units of each currency: two places mostly, none of a yen, three of a dinar."""

from decimal import Decimal

import pytest

from gengyun.kernel.currencies import digits, major, minor_of_one
from gengyun.web.forms import Form
from gengyun.web.present import format as plain
from gengyun.web.present.contracts import plain_amount


@pytest.mark.parametrize(("code", "places"), [("CNY", 2), ("JPY", 0), ("KWD", 3), ("?", 2)])
def test_minor_and_major_units_agree(code, places):
    assert digits(code) == places
    assert major(minor_of_one(code), code) == 1
    assert plain_amount(minor_of_one(code) * 12, code) == "12"


def test_amounts_are_shown_in_units_of_their_currency():
    assert plain.money(1_200_000, "JPY", zh=False) == "JP¥1.20M"
    assert plain.money(1_200_000, "JPY", zh=True) == "JP¥120.0 万"
    assert plain.money(1_200_000, "CNY", zh=True) == "1.2 万"
    assert plain.money(1_234_500, "KWD", zh=False) == "KWD 1,234"
    assert plain.wan(1_200_000, "JPY", zh=True) == "120.0"
    assert plain.money_parts(1_200_000, "JPY", zh=True) == ("120.0", "万 JPY")
    assert plain_amount(1_234, "KWD") == "1.234"
    assert plain_amount(-48_600_050) == "-486000.50"


def test_amounts_are_read_in_units_of_their_currency():
    for code, typed, minor in (
        ("JPY", "120万", 1_200_000),
        ("KWD", "1.234", 1_234),
        ("CNY", "1.23", 123),
    ):
        form = Form.of({"amount": typed})
        form.amount("amount", into="minor", currency=code)
        assert form.values["minor"] == minor
    assert major(120_000, "CNY") == Decimal("1200.00")
