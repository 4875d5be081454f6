"""Figures, dates, rest days, amounts typed by people, and the list in an address."""

import sys
from datetime import date
from pathlib import Path

import pytest
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from gengyun.portfolio.calc.filters import BadFilter
from gengyun.web.forms import Form
from gengyun.web.present import figures, list_query
from gengyun.web.present import format as plain
from gengyun.web.present.restdays import rest_days

ROOT = Path(__file__).resolve().parents[1]
TODAY = date(2026, 11, 24)


@pytest.mark.parametrize(
    ("minor", "zh", "en"),
    [
        (None, "—", "—"),
        (0, "0 元", "0"),
        (930_000, "9,300 元", "9,300"),
        (48_600_000, "48.6 万", "486k"),
        (999_949, "1.0 万", "10k"),
        (994_900, "9,949 元", "9,949"),
        (120_000_000_00, "1.2 亿", "120.00M"),
        (-48_600_000, "−48.6 万", "−486k"),
    ],
)
def test_money_is_short_and_unknown_is_never_nought(minor, zh, en):
    assert plain.money(minor, zh=True) == zh
    assert plain.money(minor, zh=False) == en


@pytest.mark.parametrize(
    ("day", "zh", "en"),
    [
        (date(2026, 11, 24), "今天", "today"),
        (date(2026, 11, 25), "明天", "tomorrow"),
        (date(2026, 11, 21), "逾期 3 天", "3 days overdue"),
        (date(2026, 12, 1), "12-01", "1 Dec"),
        (date(2027, 2, 18), "2027-02-18", "18 Feb 2027"),
        (None, "—", "—"),
    ],
)
def test_deadlines_read_like_speech(day, zh, en):
    assert plain.due(day, today=TODAY, zh=True) == zh
    assert plain.due(day, today=TODAY, zh=False) == en


def test_score_is_rounded_down_so_that_it_agrees_with_its_band():
    assert plain.score(49.97) == "49"
    assert plain.score(None) == "—"


@given(st.floats(-1e9, 1e9, allow_nan=False))
def test_signed_figures_never_say_minus_nought(value):
    text = plain.signed(value)
    assert text == "0" or text[0] in "+−"
    assert text not in {"+0", "−0"}


@pytest.mark.parametrize(
    ("typed", "fen"),
    [
        ("486000", 48_600_000),
        ("48.6万", 48_600_000),
        ("48.6 万元", 48_600_000),
        ("1,200,000.05", 120_000_005),
        ("1.2亿", 12_000_000_000),
        ("486k", 48_600_000),
        ("0.29", 29),  # 0.29 * 100 is 28.999… in floats
        ("", None),
    ],
)
def test_amounts_are_read_by_digits(typed, fen):
    form = Form({"arr": typed})
    form.amount("arr", into="arr_minor")
    assert form.errors == {}
    assert form.values["arr_minor"] == fen


@pytest.mark.parametrize("typed", ["lots", "-5", "1.2.3", "万", "٣"])
def test_what_is_no_amount_is_refused(typed):
    form = Form({"arr": typed})
    form.amount("arr", into="arr_minor")
    assert "arr" in form.errors


def test_national_day_is_rest_and_the_weekend_worked_for_it_is_not():
    found = rest_days(date(2026, 9, 20), date(2026, 10, 12), zh=True)
    assert ("国庆", date(2026, 10, 1), date(2026, 10, 7)) in found.holidays
    assert date(2026, 10, 10) in found.worked_weekends
    assert found.rest[0] is False  # Sunday 20 September is worked
    assert found.is_complete


def test_years_without_a_calendar_know_weekends_only_and_say_so():
    found = rest_days(date(2031, 1, 1), date(2031, 1, 8), zh=False)
    assert sum(found.rest) == 2
    assert not found.is_complete


def test_sparkline_leaves_a_gap_where_a_week_has_no_score():
    drawn = figures.spark([60.0, None, 70.0, 71.0])
    assert drawn["path"].count("M") == 2
    assert (drawn["first"], drawn["last"]) == (60.0, 71.0)
    assert figures.spark([None, None])["path"] == ""


def test_address_of_a_list_comes_back_as_it_was():
    text = "f=band.in.C%2CD&f=arr.gte.100&f=touch.older.21&f=next_step.none&q=%E4%BA%91&sort=-arr"
    address = list_query.of_request(QueryDict(text))
    again = list_query.of_request(QueryDict(address.path("/").partition("?")[2]))
    assert again == address
    assert address.without(0) == address.filters[1:]


def test_broken_condition_in_an_address_is_refused():
    with pytest.raises(BadFilter):
        list_query.of_request(QueryDict("f=password.is.x"))


def test_every_icon_that_a_template_names_is_in_the_sprite():
    import re

    known = set((ROOT / "frontend" / "icons.txt").read_text().split())
    wanted = set()
    for path in (ROOT / "src" / "gengyun" / "web" / "templates").rglob("*.html"):
        wanted |= set(re.findall(r"""icon\(["']([a-z0-9-]+)["']""", path.read_text("utf-8")))
    assert wanted - known == set()


def test_parts_of_the_catalogue_do_not_contradict_each_other():
    sys.path.insert(0, str(ROOT))
    try:
        from hatch_build import merge_catalogue
    finally:
        sys.path.remove(str(ROOT))
    merged, conflicts = merge_catalogue(ROOT / "src" / "gengyun" / "locale" / "zh_Hans")
    assert conflicts == []
    assert len(merged) > 300


def test_lock_file_names_no_registry():
    text = (ROOT / "frontend" / "package-lock.json").read_text()
    assert '"resolved"' not in text
    assert text.count('"integrity"') >= 4
