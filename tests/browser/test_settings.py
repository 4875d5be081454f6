"""Operations at work in a real browser: editors that keep what was typed, the live list."""

import re
import subprocess

import pytest

pytestmark = pytest.mark.slow
ADMIN = "sumingyuan@hezhou.example"
PAGES = (
    "/settings/", "/settings/sources/", "/settings/sources/new/", "/settings/sources/1/",
    "/settings/sources/1/quarantine/", "/settings/metrics/", "/settings/metrics/new/",
    "/settings/metrics/active_users_30d/", "/settings/metrics/seat_use_30d/",
    "/settings/scorecards/", "/settings/scorecards/1/", "/settings/scorecards/1/versions/",
    "/settings/scorecards/new/", "/settings/tiers/", "/settings/tiers/1/", "/settings/stages/",
    "/settings/team/", "/settings/team/users/new/", "/settings/audit/", "/imports/",
    "/imports/new/", "/help/definitions/", "/profile/",
)  # fmt: skip


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_no_page_overflows_a_phone_or_breaks_a_rule(visit, language):
    """At 360 px: no sideways scrolling, no console error, no CSP violation (see `visit`)."""
    window = visit(width=360, height=740)
    window.log_in(ADMIN, language)
    for path in PAGES:
        window.page.goto(window.address + path)
        window.page.wait_for_load_state("load")
        assert window.overflow() <= 0, path


def test_the_scorecard_editor_keeps_rows_and_focus_while_the_preview_follows(visit):
    window = visit()
    page = window.page
    window.log_in(ADMIN, "en")
    window.go("/settings/scorecards/1/")
    groups = page.locator("[name$='.name_en'][name^='group.']:visible").count()
    page.fill("[name='band.A']", "97")
    page.press("[name='band.A']", "Tab")  # the next field has the focus when the answer comes
    page.wait_for_selector("text=change their band")
    assert page.evaluate("document.activeElement.name") == "band.B"
    # leaving a weight puts the focus on a button that removes: nothing may be removed
    page.fill("[name='group.0.weight']", "80")
    page.press("[name='group.0.weight']", "Tab")
    page.wait_for_selector("text=The weights must add up to 100 percent")
    assert page.locator("[name$='.name_en'][name^='group.']:visible").count() == groups
    page.click("button[value=even]")
    page.wait_for_selector("text=change their band")
    assert page.input_value("[name='band.A']") == "97"
    # Enter in a field looks at the preview and publishes nothing
    page.press("[name='band.A']", "Enter")
    window.settle()
    assert page.get_by_text(re.compile(r"as version \d+")).count() == 1


def test_the_first_event_shows_up_by_itself(visit):
    window = visit()
    page = window.page
    window.log_in(ADMIN, "en")
    window.go("/settings/sources/new/")
    page.fill("[name=name]", "Browser test")
    page.click("main form button.pri")
    page.wait_for_selector("text=Waiting for the first event")
    code = page.inner_text("#code-curl")
    page.wait_for_timeout(3000)  # a new key is known to the endpoint within two seconds
    answer = subprocess.run(["bash", "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout == '{"success":true}'
    page.wait_for_selector("text=No customer has this id yet", timeout=20_000)
    page.wait_for_selector("#live .gy-live li")
    assert "Report exported" in page.inner_text("#live")
    assert page.locator("#live button", has_text="Replay").count() == 1
