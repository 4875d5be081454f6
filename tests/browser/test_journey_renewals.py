"""A leader goes through next quarter's renewals: by disagreement, and by keyboard."""

import re

import pytest

pytestmark = pytest.mark.slow
LEADER = "liangjing@hezhou.example"
TOTAL = "[data-total=forecast]"


def number(page):
    return float(page.inner_text(TOTAL).replace(",", ""))


def open_row(page):
    """The first row that can still be judged."""
    return page.locator("#board tr[data-save]").first


@pytest.mark.parametrize(("language", "width"), [("zh-hans", 1440), ("en", 1440)])
def test_a_leader_changes_a_forecast_by_keyboard_and_sees_the_total_move(visit, language, width):
    window = visit(width=width, height=900)
    page = window.page
    window.log_in(LEADER, language)
    window.go("/renewals/?scope=team")
    # next quarter is the tab after the present one
    page.locator(".gy-tabs a[aria-current] + a").click()
    window.settle()
    assert window.overflow() <= 0
    page.locator("#board .gy-seg a[href*='sort=gap']").click()
    page.wait_for_selector("#board .gy-seg a[href*='sort=gap'][aria-pressed=true]")
    window.settle()
    first = open_row(page)
    number_of_row, unit = first.get_attribute("data-pk"), page.get_attribute("#board", "data-unit")
    before = number(page)
    was = float(first.get_attribute("data-amount") or 0)

    # into the grid with the keyboard only, to the amount, a new one, and a reason
    page.focus("#board td[tabindex='0']")
    page.evaluate(
        "pk => document.querySelector(`#board tr[data-pk='${pk}'] td[data-col=category]`).focus()",
        number_of_row,
    )
    page.keyboard.press("ArrowRight")
    page.keyboard.press("e")
    assert page.evaluate("document.activeElement.name") == "amount"
    wanted = round(was / 2, 1) if was else (1.5 if unit == "wan" else 15)
    page.keyboard.type(str(wanted))
    page.keyboard.press("Tab")
    page.keyboard.type("预算砍半")
    with page.expect_response(re.compile(rf"/renewals/{number_of_row}/forecast/")) as answer:
        page.keyboard.press("Enter")
    assert answer.value.status == 200
    window.settle()
    assert number(page) == pytest.approx(before + wanted - was, abs=0.21 if unit == "wan" else 2.1)
    cell = page.locator(f"#board tr[data-pk='{number_of_row}'] td.amt")
    assert "chg" in (cell.get_attribute("class") or "")
    assert page.evaluate("document.activeElement.dataset.col") == "amount", "the next row waits"

    # it is taken back at once; both stand in the record, with the reason
    with page.expect_response(re.compile("/undo/")), page.expect_navigation():
        page.keyboard.press("Control+z")
    window.settle()
    assert number(page) == pytest.approx(before, abs=0.11)
    page.locator(f"#board tr[data-pk='{number_of_row}'] a.nm").click()
    page.wait_for_selector(f"#panel [data-renewal='{number_of_row}']")
    assert "预算砍半" in page.inner_text("#panel .gy-hist")


def test_a_price_is_told_by_keyboard_and_to_a_whole_view(visit):
    window = visit(width=1440, height=900)
    page = window.page
    window.log_in(LEADER, "en")
    window.go("/renewals/?scope=team")
    page.locator(".gy-tabs a[aria-current] + a").click()
    window.settle()
    pk = open_row(page).get_attribute("data-pk")
    row = f"#board tr[data-pk='{pk}']"
    due = page.evaluate(f'parseFloat(document.querySelector("{row} .due").innerText)')
    before = number(page)

    # the cell of what comes due takes the price; what comes due stays in sight
    page.evaluate("one => document.querySelector(one).focus()", f"{row} td[data-col=asked]")
    page.keyboard.press("e")
    assert page.evaluate("document.activeElement.name") == "asked"
    assert page.inner_text(f"{row} .due").strip().startswith(f"{due:.0f}"[:1])
    page.keyboard.type(f"{due * 1.1:.1f}")
    with page.expect_response(re.compile(rf"/renewals/{pk}/forecast/")) as answer:
        page.keyboard.press("Enter")
    assert answer.value.status == 200
    window.settle()
    assert "asked" in page.inner_text(f"{row} .due")
    assert number(page) == before, "a price is no judgement"
    with page.expect_response(re.compile("/undo/")), page.expect_navigation():
        page.keyboard.press("Control+z")
    window.settle()

    # a rise told to all of the view, and taken back together
    page.locator(f"{row} .gy-rowcb").check()
    page.fill(".gy-bulk [name=more]", "6.5")
    page.locator(".gy-bulk [name=whole]").check()
    with page.expect_response(re.compile("/renewals/bulk/")) as answer:
        page.locator(".gy-bulk button[value=ask]").click()
    assert answer.value.status == 200
    window.settle()
    rows = page.locator("#board tr[data-save] .due").all_inner_texts()
    assert len(rows) > 1
    assert all("+6.5%" in text for text in rows if not text.strip().startswith("0"))
    assert window.overflow() <= 0


def test_the_grid_works_on_a_phone(visit):
    window = visit(width=360, height=780)
    window.log_in(LEADER, "zh-hans")
    window.go("/renewals/?scope=team")
    assert window.overflow() <= 0
    window.go("/renewals/accuracy/?scope=team")
    assert window.overflow() <= 0
