"""Accessibility of every page that a person can reach, as axe judges it: nothing serious."""

import re
import time

import axe
import pytest

pytestmark = pytest.mark.slow
# who, in which language, how wide; together every page, both languages
WHO = [
    ("sumingyuan", "zh-hans", 1440),
    ("sumingyuan", "en", 390),
    ("tangwei", "en", 1440),
    ("liangjing", "zh-hans", 390),
    ("linxiao", "en", 1440),
    ("linxiao", "zh-hans", 390),
    ("fangning", "zh-hans", 1440),
]
DARK_TOO = "sumingyuan"  # who sees every page: the dark theme has the same markup, other colours
SKIP = re.compile(r"^/(logout|language)/|\.(csv|json|xlsx)$|/file/$")
THEME = "theme => { document.documentElement.dataset.bsTheme = theme; }"


@pytest.fixture(scope="module")
def script():
    text = axe.source()
    if text is None:
        pytest.skip("axe-core is neither in the cache folder nor to be had by npm")
    return text


def kind_of(link):
    """Pages that differ by the row they show are one page; so are those that differ by query."""
    path = link.partition("?")[0].partition("#")[0]
    path = re.sub(r"/\d+/", "/N/", path)
    return re.sub(r"^/(settings/metrics|health/missing)/(?!new/)[^/]+/", r"/\1/KEY/", path)


def walk(window):
    """Every kind of page once, found by the links that the pages carry."""
    seen, waiting = {"/": "/"}, ["/"]
    while waiting:
        path = waiting.pop(0)
        answer = window.page.goto(window.address + path)
        assert answer.status == 200, f"{path} is linked and answers {answer.status}"
        window.page.wait_for_load_state("load")
        yield path
        links = window.page.eval_on_selector_all(
            "a[href^='/']", "found => found.map(a => a.getAttribute('href'))"
        )
        for link in links:
            kind = kind_of(link)
            if kind not in seen and not SKIP.search(kind):
                seen[kind] = link
                waiting.append(link.partition("#")[0])


def judge(window, path, script, met, themes):
    page = window.page
    if page.locator("[data-chart]").count():
        page.wait_for_timeout(350)  # charts draw in 300 ms
    mine = page.get_attribute("html", "data-bs-theme")
    for theme in themes:
        page.evaluate(THEME, theme)
        for one in axe.findings(page, script):
            # rows of one list are one finding
            key = (one["rule"], re.sub(r"\d+", "N", one["html"])[:70], theme)
            met.setdefault(key, {"path": path, "count": 0} | one)["count"] += 1
    page.evaluate(THEME, mine)


@pytest.mark.parametrize(("who", "language", "width"), WHO)
def test_axe_finds_nothing_serious_on_any_page(visit, script, capsys, who, language, width):
    window = visit(width=width)
    met, start = {}, time.monotonic()
    themes = ("light", "dark") if who == DARK_TOO else ("light",)
    window.page.emulate_media(reduced_motion="reduce")  # colours are judged, not their change
    window.go("/login/")
    judge(window, "/login/", script, met, themes)
    window.log_in(f"{who}@hezhou.example", language)
    paths = []
    for path in walk(window):
        paths.append(path)
        judge(window, path, script, met, themes)
        assert window.overflow() <= 0, path
    with capsys.disabled():
        took = time.monotonic() - start
        print(
            f"\n  {who} {language} {width}: {len(paths)} pages, {len(met)} findings, {took:.0f} s"
        )
        for (rule, _, theme), one in met.items():
            print(f"    {rule} {theme} {one['count']} x {one['path']} {one['target']}")
            print(f"      {one['why']}\n      {one['html']}")
    assert len(paths) > 10
    assert met == {}
