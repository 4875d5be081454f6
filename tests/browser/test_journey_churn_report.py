"""A leader asks how right the churn probability was, and reads the answer from the page alone."""

import re

import pytest

pytestmark = pytest.mark.slow
LEADER = "liangjing@hezhou.example"


def test_a_leader_runs_the_back_test_and_reads_it(visit, tmp_path):
    window = visit(width=1440, height=900)
    page = window.page
    window.log_in(LEADER, "zh-hans")
    window.go("/insight/churn/")
    assert window.overflow() <= 0
    page.get_by_role("button", name=re.compile("回测")).first.click()
    page.wait_for_load_state("load")
    # it may be left; the page says by itself when it is done
    page.wait_for_selector(".gy-five", timeout=400_000)
    page.wait_for_selector("#progress", state="detached", timeout=400_000)
    told = page.locator(".gy-five").inner_text()
    for question in ("什么事件？", "多长时间？", "多少个结果？", "有多准？", "什么时候不要信？"):
        assert question in told, question
    assert re.search(r"\d+ 个断约|样本不足|\d+ 个，不下结论", told)
    assert "宽限" in told or "60 天内" in told
    if page.locator("svg.gy-rel").count():
        # each dot of the plot is a row of the table beside it, and each row opens its cases
        dots = page.locator("svg.gy-rel g").count()
        rows = page.locator(".gy-relgrid table tbody tr")
        assert rows.count() == dots > 1
        count = rows.last.locator("a").inner_text()
        rows.last.locator("a").click()
        page.wait_for_selector("h1")
        assert count in page.locator(".gy-head").inner_text()
        page.go_back()
    page.set_viewport_size({"width": 360, "height": 780})
    assert window.overflow() <= 0
    page.screenshot(path=tmp_path / "churn-report-360.png", full_page=True)
    window.go("/insight/churn/models/")
    page.locator("tbody th a").first.click()
    page.wait_for_selector("#card-h")
    assert window.overflow() <= 0
