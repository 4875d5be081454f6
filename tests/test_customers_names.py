"""Company names: what is the same writing, and what only may be the same company."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gengyun.customers.calc import company_names as names


def test_only_width_case_space_and_brackets_are_folded(shared):
    pairs = json.loads((shared / "oracles" / "company_names_zh.json").read_text())["pairs"]
    assert len(pairs) >= 9
    for pair in pairs:
        assert names.is_same_entity(pair["a"], pair["b"]) == pair["safe_merge"], pair


@pytest.mark.parametrize(
    "one, other, reason",
    [
        ("北京耕云科技有限公司", "北京耕云科技有限责任公司", "other_form"),
        ("北京耕云科技有限公司", "耕云", "short_name"),
        ("北京耕云科技有限公司", "耕云科技", "short_name"),
        ("成都泽砺教育", "成都泽砺教育科技有限公司", "short_name"),
        ("成都泽砺教育有限公司", "成都泽砺教育科技有限公司", "same_brand"),
        ("华为技术有限公司", "华为技术有限公司深圳分公司", "branch"),
        ("深圳市腾讯计算机系统有限公司", "腾讯科技（深圳）有限公司", "same_brand"),
        ("上海云帆科技有限公司", "成都云帆科技有限公司", "same_brand"),
        ("Acme Software Co., Ltd.", "ACME Software Inc", "other_form"),
        ("江苏恒瑞医药股份有限公司", "江苏恒端医药股份有限公司", None),
    ],
)
def test_reason_for_a_likeness(one, other, reason):
    for pair in ((one, other), (other, one)):
        found = names.likeness(*pair)
        assert (found.reason if found else None) == reason


def test_strangers_are_not_alike():
    assert names.likeness("北京耕云科技有限公司", "上海百川物流有限公司") is None


def test_parts_of_a_registered_name():
    found = names.parts("深圳市腾讯计算机系统有限公司")
    assert (found.place, found.brand, found.trade, found.form) == (
        "深圳市",
        "腾讯",
        "计算机系统",
        "有限公司",
    )
    assert names.parts("上海有限公司").brand == "上海"  # a brand is never empty


@given(st.text(max_size=60))
def test_any_text_has_a_key_and_folding_twice_changes_nothing(text):
    assert names.folded(names.folded(text)) == names.folded(text)
    assert (names.name_key(text) == "") == (names.folded(text) == "") or names.folded(text)
    assert names.is_same_entity(text, text)
