"""A person's morning: log in, find a customer by two characters, see why the score fell, write."""

import pytest

pytestmark = pytest.mark.slow

WORDS = {
    "zh-hans": {
        "lost": "分里，",
        "urgent": "需要我处理",
        "note": "电话里确认了席位，周五前给报价。",
    },
    "en": {
        "lost": "points lost,",
        "urgent": "Needs me",
        "note": "They need seats; quote by Friday.",
    },
}


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_a_csm_leader_finds_out_why_and_writes_it_down(visit, tmp_path, language):
    words = WORDS[language]
    window = visit()
    page = window.page
    window.log_in(language=language)
    assert words["urgent"] in page.inner_text("#needs")
    page.screenshot(path=tmp_path / f"today-{language}.png")

    fallen = page.locator(".gy-moves li", has=page.locator(".gy-d.down")).first
    name = fallen.locator("a").inner_text()

    # two characters in the palette, then by arrow keys
    page.keyboard.press("Control+k")
    page.keyboard.type(name[2:4])
    page.wait_for_selector("#palette-results [role=option]")
    page.wait_for_timeout(500)
    labels = page.locator("#palette-results [role=option] .nm").all_inner_texts()
    assert all(name[2:4] in label for label in labels[:1])
    assert name in labels
    for _ in range(labels.index(name)):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_selector("h1")
    window.settle()
    assert page.inner_text("h1") == name

    # why the score fell: a sentence, the points per factor, the definition behind one
    health = page.locator("#s-health")
    assert words["lost"] in health.inner_text()
    assert health.locator(".gy-fx .gy-d.down").count() >= 1
    health.locator("button.gy-def").first.click()
    assert page.locator(".gy-popover:popover-open").count() == 1
    page.keyboard.press("Escape")
    health.locator(".gy-seg a").nth(1).click()
    page.wait_for_selector("#s-health .gy-seg a:nth-child(2)[aria-pressed=true]")
    window.settle()
    assert page.locator("#s-usage .gy-chart svg").count() == 1
    page.screenshot(path=tmp_path / f"customer-{language}.png")

    # write it down, take it back, write it again
    page.keyboard.press("Escape")
    page.click("[data-log]")
    for round_ in (1, 2):
        page.fill("#composer textarea", words["note"])
        page.keyboard.press("Control+Enter")
        page.wait_for_selector(f".gy-tl .txt:text-is('{words['note']}')")
        page.wait_for_selector("[data-toast]")
        assert page.input_value("#composer textarea") == ""
        if round_ == 1:
            page.locator("h1").click()
            page.keyboard.press("Control+z")
            page.wait_for_selector(f".gy-tl .txt:text-is('{words['note']}')", state="detached")
            window.settle()
    page.screenshot(path=tmp_path / f"noted-{language}.png")
    window.go("/")


def test_draft_survives_leaving_the_page(visit):
    window = visit()
    page = window.page
    window.log_in()
    window.go("/customers/")
    path = page.locator("[data-row]").first.get_attribute("data-href")
    window.go(path)
    page.fill("#composer textarea", "half a thought")
    window.go("/")
    window.go(path)
    assert page.input_value("#composer textarea") == "half a thought"


def test_list_by_keyboard_alone(visit):
    window = visit()
    page = window.page
    window.log_in()
    window.go("/customers/")
    for key in ("j", "j", "x"):
        page.keyboard.press(key)
    assert page.locator("tr.cur").count() == 1
    assert page.locator("tr.sel").count() == 1
    assert page.locator(".gy-bulk").is_visible()
    page.keyboard.press("Escape")
    assert not page.locator(".gy-bulk").is_visible()

    page.keyboard.press("Enter")
    page.wait_for_selector("#panel .gy-panel-t")
    first = page.inner_text("#panel .gy-panel-t")
    page.keyboard.press("j")
    page.wait_for_function(
        "was => document.querySelector('#panel .gy-panel-t')?.textContent !== was", arg=first
    )
    page.keyboard.press("Escape")
    assert page.locator("#panel").is_hidden()
    assert page.evaluate("document.activeElement.matches('tr.cur [data-name]')")

    page.keyboard.press("e")
    page.wait_for_selector("tr.cur [data-cell] input[name=next_step]")
    page.fill("tr.cur [data-cell] input[name=next_step]", "Ask for the new decision maker")
    page.keyboard.press("Enter")
    page.wait_for_selector("tr.cur .gy-ed.chg")
    assert "Ask for the new" in page.inner_text("tr.cur .gy-ed.chg")

    page.keyboard.press("/")
    page.keyboard.type("天津")
    page.wait_for_function(
        "() => [...document.querySelectorAll('[data-name]')].every(a => a.textContent.includes('天津'))"
    )
    page.locator("[data-filter]").blur()
    page.keyboard.press("?")
    assert page.locator("#keys").is_visible()


@pytest.mark.parametrize("width", [390, 360])
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_phone_shows_every_page_without_overflow(visit, tmp_path, width, language):
    window = visit(width=width, height=844)
    page = window.page
    window.log_in(language=language)
    window.go("/customers/?view=risk")
    path = page.locator("[data-row]").first.get_attribute("data-href")
    for name, where in (
        ("today", "/"),
        ("list", "/customers/"),
        ("customer", path),
        ("edit", path + "edit/"),
        ("new", "/customers/new/"),
        ("go", "/go/?q=天津"),
        ("events", path + "events/"),
        ("usage", path + "usage/"),
    ):
        window.go(where)
        assert window.overflow() <= 0, where
        page.screenshot(path=tmp_path / f"{name}-{language}-{width}.png", full_page=True)
