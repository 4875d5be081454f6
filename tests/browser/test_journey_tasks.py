"""A CSM notes a task, moves it on the board by keyboard, talks about it and does it; on the phone,
a due task is done from Today with one touch."""

from datetime import date, timedelta

import pytest

pytestmark = pytest.mark.slow
CSM, COLLEAGUE = "zhoumu@hezhou.example", "linxiao@hezhou.example"
UNDO = "#toasts [data-undo] button"
TITLE = "把对账模板发给财务"


def card(page, title):
    return page.locator(f".gy-oc:has-text('{title}')")


def column_of(page, title):
    return page.locator(f".gy-stage:has(.gy-oc:has-text('{title}'))").get_attribute("data-stage")


def test_a_task_from_the_first_note_to_done(visit, tmp_path):
    window = visit()
    page = window.page
    window.log_in(CSM)
    window.go("/tasks/")
    page.keyboard.press("c")
    page.wait_for_url("**/tasks/new/")
    page.fill("[name=title]", TITLE)
    # names are offered while one types
    page.locator("[name=customer_name]").press_sequentially("科技", delay=30)
    page.wait_for_selector("#customer-names option", state="attached")
    name = page.locator("#customer-names option").first.get_attribute("value")
    page.fill("[name=customer_name]", name)
    page.fill("[name=due_on]", (date.today() + timedelta(days=40)).isoformat())
    page.fill("[name=worth]", "3.5 万")
    page.click(".gy-form button.pri")
    page.wait_for_url("**/tasks/")
    window.settle()
    row = page.locator(f"#tasks tr[data-row]:has-text('{TITLE}')")
    assert "3.5 万" in row.inner_text()
    assert name in row.inner_text()

    # the board: from "later on" to "no due day" by keyboard, and back by undo
    window.go("/tasks/?view=board")
    assert window.overflow() <= 0
    assert column_of(page, TITLE) == "after"
    card(page, TITLE).locator("[data-name]").focus()
    page.keyboard.press("]")
    page.wait_for_selector(f".gy-stage[data-stage=never] .gy-oc:has-text('{TITLE}')")
    page.wait_for_selector(UNDO)
    window.settle()
    page.screenshot(path=tmp_path / "board.png")
    page.click(UNDO)
    page.wait_for_selector(f".gy-stage[data-stage=after] .gy-oc:has-text('{TITLE}')")
    window.settle()

    # beside the board: a comment, a file, done with its result
    card(page, TITLE).locator("[data-name]").click()
    page.wait_for_selector("#panel [data-task]")
    window.settle()
    page.fill("#panel form[action$='/comments/'] textarea", "模板在共享盘里")
    page.click("#panel form[action$='/comments/'] button")
    page.wait_for_selector("#panel .gy-talk li")
    window.settle()
    file = tmp_path / "对账.xlsx"
    file.write_bytes(b"PK\x03\x04")
    page.set_input_files("#panel input[type=file]", file)
    page.click("#panel .gy-upload button")
    page.wait_for_selector("#panel .gy-fname")
    window.settle()
    with page.expect_download() as waiting:
        page.click("#panel .gy-fname")
    assert waiting.value.suggested_filename == "对账.xlsx"
    assert window.overflow() <= 0
    page.fill("#panel [name=result]", "已发，财务确认收到")
    page.click("#panel .gy-verdict button.pri")
    page.wait_for_selector(f".gy-stage[data-stage=done] .gy-oc:has-text('{TITLE}')")
    window.settle()
    assert "已发，财务确认收到" in page.inner_text("#panel")
    page.screenshot(path=tmp_path / "done.png")
    # nothing of it stays behind for the next run
    page.click(UNDO)
    page.wait_for_selector(f".gy-stage[data-stage=after] .gy-oc:has-text('{TITLE}')")


def test_a_due_task_is_done_on_the_phone(visit, tmp_path):
    window = visit(width=390, height=844)
    page = window.page
    window.log_in(COLLEAGUE, "en")
    window.go("/tasks/new/")
    page.fill("[name=title]", "Send the minutes")
    page.fill("[name=due_on]", date.today().isoformat())
    page.click(".gy-form button.pri")
    page.wait_for_url("**/tasks/")
    assert window.overflow() <= 0
    page.screenshot(path=tmp_path / "list.png", full_page=True)
    window.go("/")
    assert window.overflow() <= 0
    task = page.locator("#today_tasks li:has-text('Send the minutes')")
    assert "today" in task.inner_text()
    task.locator("form[action$='/finish/'] button").click()
    page.wait_for_selector("#today_tasks li:has-text('Send the minutes')", state="detached")
    page.wait_for_selector(UNDO)
    window.settle()
    page.screenshot(path=tmp_path / "today.png")
    window.go("/tasks/?tab=closed")
    assert "Send the minutes" in page.inner_text("#tasks")
    assert window.overflow() <= 0
