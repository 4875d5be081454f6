"""The pages of the measured effect: what they say, the way to the records, who sees which."""

import re

import pytest
from factories import NOW, make_customer, make_run, make_sop, make_user
from sop_effect_runs import READ, form, renewing, run_measure

from gengyun.sop.models import Effect

pytestmark = pytest.mark.django_db


@pytest.fixture
def get(client, monkeypatch):
    monkeypatch.setattr("gengyun.web.clock.utc_now", lambda: NOW)

    def ask(user, path, status=200, **headers):
        client.force_login(user)
        client.cookies["gengyun_language"] = "en"
        answer = client.get(path, headers={"Accept-Language": "en", **headers})
        assert answer.status_code == status, answer.content.decode()[:400]
        return re.sub(r"\s+", " ", answer.content.decode())

    return ask


@pytest.fixture
def leader():
    return make_user("admin", language="en")


def measured(treat=(30, 27), holdout=(30, 6), raw=None):
    version = make_sop(raw or form())
    renewing(version, *treat)
    if holdout:
        renewing(version, *holdout, "holdout")
    run_measure(READ)
    return version


def test_an_sop_that_helps_says_so_with_its_interval_and_money(get, leader):
    version = measured()
    html = get(leader, f"/sops/{version.sop_id}/effect/")
    assert "It helps" in html
    assert "90%" in html
    assert "20%" in html
    assert 'class="iv2"' in html
    assert "intention to treat" in html
    assert "In money" in html
    assert f"/sops/{version.sop_id}/effect/customers/?version=1&arm=holdout" in html
    told = Effect.objects.get().told
    assert f"{told['daily'][0] * 100:+.0f}" in html


def test_few_outcomes_cannot_conclude_and_it_says_when(get, leader):
    version = measured((23, 19), (4, 3))
    html = get(leader, f"/sops/{version.sop_id}/effect/")
    assert "Too few outcomes" in html
    assert "4 customers of the hold-out have an outcome" in html
    assert re.search(r"could be seen about \w+ 20\d\d|not soon at this pace", html)
    assert "It helps" not in html


def test_the_editor_gets_the_card_alone(get, leader):
    version = measured()
    html = get(leader, f"/sops/{version.sop_id}/effect/", **{"HX-Request": "true"})
    assert html.strip().startswith('<section class="gy-card" id="effect"')
    assert "<html" not in html


def test_without_a_hold_out_it_is_called_not_causal(get, leader):
    version = measured((30, 27), None, form(holdout=0))
    html = get(leader, f"/sops/{version.sop_id}/effect/")
    assert "not causal" in html
    assert "cannot be known" in html
    assert "In money" not in html
    assert "intention to treat" not in html


def test_before_the_first_night_and_without_an_outcome(get, leader):
    assert "first night" in get(leader, f"/sops/{make_sop(form()).sop_id}/effect/")
    raw = form()
    del raw["outcome"]
    assert "declares no outcome" in get(leader, f"/sops/{make_sop(raw).sop_id}/effect/")


def test_a_guessed_sop_or_version_is_not_found(get, leader):
    version = measured()
    get(leader, "/sops/999999/effect/", status=404)
    for odd in ("7", "x", "-1", "9" * 30, "1e3", "²"):
        get(leader, f"/sops/{version.sop_id}/effect/?version={odd}", status=404)


def test_earlier_nights_are_a_chart(get, leader):
    version = measured()
    run_measure(READ.replace(day=READ.day + 1))
    html = get(leader, f"/sops/{version.sop_id}/effect/")
    assert "night by night" in html
    assert 'class="area"' in html


def test_the_customers_behind_it_are_those_one_may_see(get, leader):
    version = measured((2, 2), (2, 1))
    colleague = make_user("csm", language="en")
    mine = version.runs.filter(arm="holdout").first().customer
    mine.owner, mine.name = colleague, "Harbour Works"
    mine.save()
    path = f"/sops/{version.sop_id}/effect/customers/"
    everybody = get(leader, path)
    assert everybody.count('<a class="gy-strong" href="/customers/') == 4
    assert get(leader, f"{path}?arm=treat").count('<a class="gy-strong" href="/customers/') == 2
    html = get(colleague, path)
    assert html.count('<a class="gy-strong" href="/customers/') == 1
    assert "Harbour Works" in html
    for odd in ("?page=0", "?page=x", "?arm=<b>", "?page=" + "9" * 40):
        get(leader, path + odd)


def test_money_is_for_those_who_may_see_the_economics(get, leader):
    version = measured()
    csm = make_user("csm", language="en")
    assert "In money" not in get(csm, f"/sops/{version.sop_id}/effect/")
    assert "Net in money" not in get(csm, "/insight/sops/")
    assert "Net in money" in get(leader, "/insight/sops/")


def test_the_insight_tab_lists_every_measured_sop_the_certain_first(get, leader):
    unsure = measured((23, 19), (4, 3))
    sure = measured()
    unsure.sop.name, sure.sop.name = "Aaa unsure", "Zzz sure"
    unsure.sop.save()
    sure.sop.save()
    run_measure(READ)
    make_sop(form())
    html = get(leader, "/insight/sops/")
    assert html.index("Zzz sure") < html.index("Aaa unsure")
    assert "2 measured SOPs" in html
    assert "1 without a measured effect yet" in html
    assert f"/sops/{sure.sop_id}/effect/" in html


def test_the_insight_tab_without_any(get, leader):
    assert "Nothing is measured yet" in get(leader, "/insight/sops/")


def test_who_was_not_counted_is_told(get, leader):
    version = make_sop(form())
    renewing(version, 2, 2)
    make_run(version, make_customer(), stratum="")
    make_run(version, make_customer())
    run_measure(READ)
    html = get(leader, f"/sops/{version.sop_id}/effect/")
    assert "started by hand 1" in html
    assert "nothing comes due 1" in html
    assert "Not placed by chance" in get(leader, f"/sops/{version.sop_id}/effect/customers/")
