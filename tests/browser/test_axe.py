"""Accessibility of every page that a person can reach, as axe judges it: nothing serious.

Who may do everything sees every page, so theirs are all judged. The others walk all of theirs too;
axe is asked again only where a page is not drawn as one that it has judged in the same language and
width: less to press, another menu, other rows.
"""

import re
import time

import axe
import pytest

pytestmark = pytest.mark.slow
# who, in which language, how wide; the first two judge every page
WHO = [
    ("sumingyuan", "zh-hans", 1440),
    ("sumingyuan", "en", 390),
    ("tangwei", "en", 390),
    ("liangjing", "zh-hans", 1440),
    ("linxiao", "en", 390),
    ("fangning", "zh-hans", 1440),
]
SEES_ALL = "sumingyuan"  # the dark theme has the same markup, other colours: judged there
OTHER_WIDTH = {1440: 390, 390: 1440}  # nothing sticks out there either
SKIP = re.compile(r"^/(logout|language)/|\.(csv|json|xlsx)$|/file/$")
THEME = "theme => { document.documentElement.dataset.bsTheme = theme; }"
# How an element is drawn, without what is written in it: siblings that are alike count once.
OUTLINE = """() => {
  const of = (node) => {
    const names = [...node.attributes]
      .filter((one) => !/^(id|href|src|d|style|value|title|for|name|datetime)$/.test(one.name))
      .map((one) => one.name + (/^(class|role|type|aria-(hidden|expanded|live))$/.test(one.name)
        ? '=' + [...one.value.split(/\\s+/)].sort().join(' ') : ''))
      .sort();
    const says = [...node.childNodes].some((one) => one.nodeType === 3 && one.data.trim());
    const inside = node.localName === 'svg' ? [] : [...new Set([...node.children].map(of))].sort();
    return `<${node.localName} ${names.join(' ')} ${says}>${inside.join('')}</>`;
  };
  const main = document.querySelector('main');
  const whole = document.body.cloneNode(true);
  whole.querySelector('main')?.replaceChildren();
  return [main ? of(main) : '', of(whole)];
}"""
SETTLED = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


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


class Judge:
    """What axe found in one walk; `known` are the outlines judged in this language and width."""

    def __init__(self, window, script, known, *, is_dark_too):
        self.window, self.script, self.known = window, script, known
        self.is_dark_too = is_dark_too
        self.met, self.count = {}, 0

    def look(self, path):
        page = self.window.page
        if page.locator("[data-chart]").count():
            page.wait_for_timeout(350)  # charts draw in 300 ms
        outlines = set(page.evaluate(OUTLINE))
        if not self.is_dark_too and outlines <= self.known:
            return
        self.count += 1
        mine = page.get_attribute("html", "data-bs-theme")
        for theme in ("light", "dark") if self.is_dark_too else ("light",):
            page.evaluate(THEME, theme)
            for one in axe.findings(page, self.script, colours_only=theme == "dark"):
                # rows of one list are one finding
                key = (one["rule"], re.sub(r"\d+", "N", one["html"])[:70], theme)
                self.met.setdefault(key, {"path": path, "count": 0} | one)["count"] += 1
        page.evaluate(THEME, mine)
        self.known |= outlines


def nothing_sticks_out(window, path, width):
    page = window.page
    assert window.overflow() <= 0, path
    height = page.viewport_size["height"]
    page.set_viewport_size({"width": OTHER_WIDTH[width], "height": height})
    page.evaluate(SETTLED)
    if window.overflow() > 0:
        page.wait_for_timeout(500)  # a chart that is still growing into its place
    assert window.overflow() <= 0, f"{path} at {OTHER_WIDTH[width]}"
    page.set_viewport_size({"width": width, "height": height})


@pytest.fixture(scope="module")
def known():
    """(language, width) -> outlines that axe has judged."""
    return {}


@pytest.mark.parametrize(("who", "language", "width"), WHO)
def test_axe_finds_nothing_serious_on_any_page(visit, script, known, capsys, who, language, width):
    window, start = visit(width=width), time.monotonic()
    here = known.setdefault((language, width), set())
    judge = Judge(window, script, here, is_dark_too=who == SEES_ALL)
    window.page.emulate_media(reduced_motion="reduce")  # colours are judged, not their change
    window.go("/login/")
    judge.look("/login/")
    window.log_in(f"{who}@hezhou.example", language)
    paths = []
    for path in walk(window):
        paths.append(path)
        judge.look(path)
        nothing_sticks_out(window, path, width)
    with capsys.disabled():
        took = time.monotonic() - start
        print(
            f"\n  {who} {language} {width}: {len(paths)} pages, {judge.count} judged,"
            f" {len(judge.met)} findings, {took:.0f} s"
        )
        for (rule, _, theme), one in judge.met.items():
            print(f"    {rule} {theme} {one['count']} x {one['path']} {one['target']}")
            print(f"      {one['why']}\n      {one['html']}")
    assert len(paths) > 10
    assert judge.met == {}
