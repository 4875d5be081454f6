"""An operations person without training: usage drop -> task, wait five working days, if still low mail
the champion, else thank; dry run, publish, and why one customer got nothing."""

import re
import time

import pytest

pytestmark = pytest.mark.slow
OPERATIONS = "tangwei@hezhou.example"
COMBINATIONS = [("zh-hans", 1440), ("en", 390)]
WORDS = {
    "zh-hans": {"published": "已发布", "not": "不进", "enters": "新进入", "holds": "不符"},
    "en": {"published": "is published", "not": "does not enter", "enters": "enters", "holds": "not so"},
}  # fmt: skip
LETTER = {
    "zh": ("好久不见", "{{ contact.name }}，您好：最近有什么我们能帮上的吗？"),
    "en": ("It has been quiet", "Dear {{ contact.name }}, can we help?"),
}


class Editor:
    """The editor as a person uses it: what is opened, filled and waited for."""

    def __init__(self, window):
        self.window, self.page = window, window.page

    def press(self, do):
        self.page.locator(f"[id='s-{do}']").click()
        self.window.settle()

    def add(self, kind, at="block"):
        self.page.locator(f"[id='a-{at}'] > summary").click()
        self.press(f"add.{kind}.{at}")

    def fill(self, name, text):
        field = self.page.locator(f"[id='f-{name}']")
        field.fill(text)
        field.blur()
        self.window.settle()

    def choose(self, name, key):
        self.page.select_option(f"[id='f-{name}']", key)
        self.window.settle()

    def usage_is_low(self, at, than):
        """A row that says: active users against four weeks before, under so many percent."""
        self.press(f"row.{at}")
        self.choose(f"{at}.parts.0.field", "active_change")
        self.choose(f"{at}.parts.0.op", "lt")
        self.fill(f"{at}.parts.0.values", than)

    def mail(self, at, subject, body, language):
        self.fill(f"{at}.title", subject)
        self.fill(f"{at}.{language}_subject", subject)
        self.fill(f"{at}.{language}_body", body)
        self.choose(f"{at}.mode", "approve")


@pytest.mark.parametrize(("language", "width"), COMBINATIONS)
def test_operations_builds_tries_and_publishes_an_sop_and_finds_out_why_not(visit, language, width):
    words, short = WORDS[language], "zh" if language.startswith("zh") else "en"
    window = visit(width=width)
    page = window.page
    window.log_in(OPERATIONS, language=language)
    window.go("/sops/new/")
    name = f"用量下降 {int(time.time() * 10) % 100_000}"
    page.fill("#f-name", name)
    page.click(".gy-find-l button")
    page.wait_for_url(re.compile(r"/sops/\d+/$"))
    window.settle()
    address = page.url.removeprefix(window.address)
    edit = Editor(window)

    edit.usage_is_low("entry.when", "-20")
    edit.add("task")
    edit.fill("block.items.0.title", "打电话问原因" if short == "zh" else "Call and ask why")
    edit.add("wait")
    assert page.input_value("[id='f-block.items.1.n']") == "5"
    edit.add("branch")
    edit.usage_is_low("block.items.2.cases.0.when", "-10")
    edit.add("message", "block.items.2.cases.0.block")
    edit.mail("block.items.2.cases.0.block.items.0", *LETTER[short], short)
    edit.add("message", "block.items.2.otherwise")
    thanks = ("谢谢您", "谢谢！") if short == "zh" else ("Thank you", "Thank you!")
    edit.mail("block.items.2.otherwise.items.0", *thanks, short)
    edit.fill("holdout", "0")
    assert window.overflow() <= 0

    # the dry run names who would enter, and says why one of the others would not
    page.wait_for_selector("#dry .gy-split")
    entering = page.locator("#dry .gy-list").first.locator("a").first.inner_text()
    assert words["enters"] in page.inner_text("#dry .gy-list li:first-child .end")
    page.fill("#f-why", "广州")
    page.locator("#dry button").last.click()
    page.wait_for_selector("#why-said")
    outside = page.get_attribute("#why-said b a", "href").partition("#")[0]
    assert page.locator("#sop-problems").count() == 0

    page.click("#s-publish")
    page.wait_for_url(re.compile(r"/runs/"))
    assert words["published"] in page.inner_text("#toasts")
    for _ in range(20):  # the worker looks at the entry within seconds
        window.go(f"{address}runs/?state=active")
        if page.locator("tbody tr").count():
            break
        page.wait_for_timeout(1500)
    page.fill("input[name=q]", entering)
    page.keyboard.press("Enter")
    window.settle()
    page.locator("tbody a").first.click()
    page.wait_for_url(re.compile(r"/sop-runs/\d+/"))
    window.settle()
    for _ in range(20):
        if page.locator(".gy-run .done").count():
            break
        page.wait_for_timeout(1500)
        page.reload()
        window.settle()
    assert page.locator(".gy-run .done").count() == 1  # the task; then it waits
    assert page.locator(".gy-run .now").count() == 1
    assert window.overflow() <= 0

    # on the page of the one that got nothing: which condition, and what holds there
    window.go(outside + "sops/")
    row = page.locator(".gy-whyrow", has_text=name)
    row.locator("summary").click()
    assert row.locator(".gy-why li").count() == 1
    assert window.overflow() <= 0
    assert window.faults == []
