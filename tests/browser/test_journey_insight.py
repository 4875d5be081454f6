"""A leader opens NRR and reaches the single contract behind one of its cells."""

import re

import pytest

pytestmark = pytest.mark.slow
LEADER = "liangjing@hezhou.example"
WORDS = {"zh-hans": "NRR 与 GRR", "en": "NRR and GRR"}
TABLE = "table.gy-cells"


@pytest.mark.parametrize(("language", "width"), [("zh-hans", 1440), ("en", 390)])
def test_a_leader_reaches_the_contract_behind_a_cell_of_nrr(visit, tmp_path, language, width):
    window = visit(width=width, height=900 if width > 500 else 844)
    page = window.page
    window.log_in(LEADER, language)
    window.go("/insight/")
    page.click(f".gy-tabs a:has-text('{WORDS[language]}')")
    page.wait_for_selector(TABLE)
    assert window.overflow() <= 0
    # the newest whole month; its last-but-some cell is the ARR that is there
    row = page.locator(f"{TABLE} tbody tr").nth(-2)
    assert re.search(r"\d+\.\d%", row.inner_text())
    row.locator("td a").nth(0).click()
    page.wait_for_selector(f"{TABLE} tbody tr.gy-under")
    assert window.overflow() <= 0
    page.screenshot(path=tmp_path / f"cell-{language}-{width}.png")
    link = page.locator(f"{TABLE} tr.gy-under a[href*='contract=']").first
    number = link.inner_text()
    link.click()
    page.wait_for_load_state("load")
    opened = page.locator(f"details[open]:has-text('{number}')")
    assert opened.count() >= 1
    page.screenshot(path=tmp_path / f"contract-{language}-{width}.png")


def test_the_bars_of_the_waterfall_are_drawn(visit):
    window = visit(width=1440, height=900)
    page = window.page
    window.log_in(LEADER, "zh-hans")
    window.go("/insight/")
    page.wait_for_selector(".gy-chart[data-chart=waterfall] svg")
    assert page.locator(".gy-chart[data-chart=waterfall] svg path").count() >= 6
    assert page.locator(".gy-chart[data-chart=waterfall]").get_attribute("aria-label")
