"""The page of renewals: grid, totals that move, panel, undo, accuracy, whose rows they are."""

import re
from datetime import date, timedelta

import pytest
from factories import NOW, People, make_customer
from test_revenue_renewals import BAD, WAN, make_renewal

from gengyun.revenue.actions import checkpoints, renewals
from gengyun.revenue.models import Checkpoint, Renewal, RenewalState
from gengyun.web.views import renewals as views

pytestmark = pytest.mark.django_db
HTMX = {"HTTP_HX_REQUEST": "true", "HTTP_HX_TARGET": "board"}


@pytest.fixture
def people():
    return People()


@pytest.fixture
def today(monkeypatch):
    """Pages read the clock; the rows of these tests are around a fixed day."""
    from gengyun.web import clock

    monkeypatch.setattr(clock, "utc_now", lambda: NOW)
    return date(2026, 3, 2)


@pytest.fixture
def world(people, today):
    """Next quarter: two of the owner, one of a colleague, one of a stranger."""
    return {
        "a": make_renewal(make_customer("甲云科技", owner=people.owner), date(2026, 4, 10)),
        "b": make_renewal(make_customer("乙星制造", owner=people.owner), date(2026, 5, 20), 20 * WAN),
        "c": make_renewal(make_customer("丙海贸易", owner=people.colleague), date(2026, 5, 31), 40 * WAN),
        "x": make_renewal(make_customer("别家公司", owner=people.stranger), date(2026, 5, 2), 80 * WAN),
    }  # fmt: skip


def ask(client, user, path="/renewals/?p=2026q2&scope=team", **headers):
    user.language = "en"
    user.save()
    client.force_login(user)
    answer = client.get(path, **headers)
    assert answer.status_code == 200, answer.content.decode()[:600]
    return answer.content.decode()


def total(page, name="forecast"):
    return re.search(rf'data-total="{name}"[^>]*>([^<]*)<', page)[1]


def post(client, user, renewal, verb="forecast", htmx=True, **form):
    user.language = "en"
    user.save()
    client.force_login(user)
    path = f"/renewals/{renewal.pk}/{verb}/"
    form = {"p": "2026q2", "scope": "team", "unit": "wan"} | form
    return client.post(path, form, **(HTMX if htmx else {}))


def test_the_grid_shows_the_quarter_with_its_totals(client, people, world):
    page = ask(client, people.leader)
    assert "甲云科技" in page
    assert "丙海贸易" in page
    assert "别家公司" not in page
    assert total(page, "due") == "700"  # thousands: 10 + 20 + 40 万
    assert total(page) == "0"
    assert "April 2026" in page or "Apr 2026" in page
    mine = ask(client, people.owner)
    assert "丙海贸易" not in mine
    assert total(mine, "due") == "300"


def test_a_change_moves_the_total_and_is_marked(client, people, world):
    answer = post(
        client, people.owner, world["b"], category="commit", amount="18.5", why="口头答应"
    )
    page = answer.content.decode()
    assert answer.status_code == 200
    assert total(page) == "185"
    assert 'class="num amt chg"' in page
    assert "Changed this week: — → 185k" in page.replace("¥", "")
    assert 'hx-post="/undo/' in page
    renewal = Renewal.objects.get(pk=world["b"].pk)
    assert (renewal.category, renewal.forecast_minor) == ("commit", 18_500_000)


def test_a_bare_number_is_in_the_unit_of_the_column(client, people, world):
    post(client, people.owner, world["b"], amount="185", unit="k")
    assert Renewal.objects.get(pk=world["b"].pk).forecast_minor == 18_500_000
    post(client, people.owner, world["b"], amount="12万")
    assert Renewal.objects.get(pk=world["b"].pk).forecast_minor == 12_000_000
    answer = post(client, people.owner, world["b"], amount="a lot")
    assert answer.status_code == 422
    answer = post(client, people.owner, world["b"], amount="185000")  # 18.5 亿: the wrong unit
    assert answer.status_code == 422
    assert Renewal.objects.get(pk=world["b"].pk).forecast_minor == 12_000_000


def test_undo_takes_the_change_back(client, people, world):
    page = post(client, people.owner, world["b"], category="commit").content.decode()
    path = re.search(r'hx-post="(/undo/[^"]+)"', page)[1]
    assert client.post(path).status_code in {200, 204, 302}
    assert Renewal.objects.get(pk=world["b"].pk).category == "unjudged"


@pytest.mark.parametrize("who", ["colleague", "stranger"])
def test_a_guessed_id_is_not_found(client, people, world, who):
    user = getattr(people, who)
    client.force_login(user)
    assert client.get(f"/renewals/{world['a'].pk}/").status_code == 404
    assert post(client, user, world["a"], category="commit").status_code == 404


def test_a_viewer_reads_and_cannot_change(client, people, world):
    page = ask(client, people.viewer)
    assert "甲云科技" in page
    assert "data-save=" not in page
    assert post(client, people.viewer, world["a"], category="commit").status_code == 403


def test_sorted_by_disagreement_the_promise_against_a_risk_comes_first(client, people, world):
    renewals.set_forecast(actor=people.owner, now=NOW, renewal_id=world["b"].pk, category="commit")
    checkpoints.judge_renewals(now=NOW, as_of=date(2026, 3, 2), facts={world["b"].customer_id: BAD})
    page = ask(client, people.leader, "/renewals/?p=2026q2&scope=team&sort=gap")
    names = re.findall(r"data-name data-open-panel[^>]*>([^<]+)<", page)
    assert names[0] == "乙星制造"
    assert "CSM: commit, signal: at risk" in page
    only = ask(client, people.leader, "/renewals/?p=2026q2&scope=team&only=gap")
    assert re.findall(r"data-name data-open-panel[^>]*>([^<]+)<", only) == ["乙星制造"]


def test_the_panel_shows_facts_and_a_leader_decides(client, people, world):
    renewals.set_forecast(actor=people.owner, now=NOW, renewal_id=world["b"].pk, category="commit")
    checkpoints.judge_renewals(now=NOW, as_of=date(2026, 3, 2), facts={world["b"].customer_id: BAD})
    panel = ask(client, people.leader, f"/renewals/{world['b'].pk}/", **HTMX)
    assert "Health D 41 at risk" in panel
    assert "you decide" in panel
    own = ask(client, people.owner, f"/renewals/{world['b'].pk}/", **HTMX)
    assert "you decide" not in own
    point = Checkpoint.objects.get()
    answer = post(
        client, people.leader, world["b"], "decide", point=point.pk, decided="risk", why="x"
    )
    assert answer.status_code == 200
    assert Renewal.objects.get(pk=world["b"].pk).category == "at_risk"
    changes = ask(client, people.leader, "/renewals/changes/?p=2026q2&scope=team")
    assert "Decision at" in changes


def test_a_question_is_answered_in_the_panel(client, people, world):
    post(client, people.owner, world["a"], "check", question="3", answer="no", note="换人了")
    panel = ask(client, people.owner, f"/renewals/{world['a'].pk}/", **HTMX)
    assert "换人了" in panel


def test_a_past_day_shows_what_was_said_then(client, people, world):
    Renewal.objects.update(created_at=NOW - timedelta(days=60))
    for back, category in ((30, "commit"), (5, "at_risk")):
        renewals.set_forecast(
            actor=people.owner,
            now=NOW - timedelta(days=back),
            renewal_id=world["a"].pk,
            category=category,
        )
    page = ask(client, people.owner, "/renewals/?p=2026q2&then=2026-02-15")
    assert "As it stood at the end of" in page
    assert "data-save=" not in page
    row = re.search(r"<tr data-row.*?甲云科技.*?</tr>", page, re.DOTALL)[0]
    assert 'gy-sw k2"></span>commit' in row


def test_accuracy_scores_what_was_said_before(client, people, today):
    made = NOW - timedelta(days=300)
    won = make_renewal(
        make_customer(owner=people.owner), today - timedelta(days=20), created_at=made
    )
    lost = make_renewal(
        make_customer(owner=people.owner), today - timedelta(days=30), created_at=made
    )
    for row in (won, lost):
        renewals.set_forecast(
            actor=people.owner, now=made + timedelta(days=1), renewal_id=row.pk, category="commit"
        )
    Renewal.objects.filter(pk=won.pk).update(
        state=RenewalState.RENEWED, outcome_minor=10 * WAN, decided_on=today - timedelta(days=25)
    )
    Renewal.objects.filter(pk=lost.pk).update(
        state=RenewalState.LOST, outcome_minor=0, decided_on=today - timedelta(days=5)
    )
    page = ask(client, people.leader, "/renewals/accuracy/?scope=team")
    assert "50 points of what came due too hopeful" in page
    assert people.owner.name in page


def test_ticked_rows_take_one_category_together_and_back(client, people, world):
    page = ask(client, people.owner, "/renewals/?p=2026q2")
    assert page.count("gy-rowcb") == 2
    ids = [world["a"].pk, world["b"].pk]
    form = {"ids": ids, "category": "at_risk", "why": "换了负责人", "p": "2026q2"}
    answer = client.post("/renewals/bulk/", form, **HTMX)
    assert answer.status_code == 200
    assert "2 renewals: at risk" in answer.content.decode()
    assert set(Renewal.objects.filter(pk__in=ids).values_list("category", flat=True)) == {"at_risk"}
    assert {row.why for row in world["a"].changes.filter(field="category")} == {"换了负责人"}
    client.post(f"/undo/{client.session['undo'][-1][0]}/")
    assert set(Renewal.objects.filter(pk__in=ids).values_list("category", flat=True)) == {
        "unjudged"
    }
    # all or none: one of another is not found, a loss asks for its cause
    theirs = form | {"ids": [world["a"].pk, world["x"].pk]}
    assert client.post("/renewals/bulk/", theirs, **HTMX).status_code == 404
    assert client.post("/renewals/bulk/", form | {"category": "lost"}, **HTMX).status_code >= 400
    assert client.post("/renewals/bulk/", form | {"category": "signed"}, **HTMX).status_code >= 400
    world["a"].refresh_from_db()
    assert world["a"].category == "unjudged"
    client.force_login(people.viewer)
    assert client.post("/renewals/bulk/", form).status_code == 403


def test_a_past_day_is_paged_and_says_what_it_leaves_out(client, people, world, monkeypatch):
    Renewal.objects.update(created_at=NOW - timedelta(days=60))
    address = "/renewals/?p=2026q2&then=2026-02-15"
    whole = ask(client, people.owner, address)
    assert "甲云科技" in whole
    assert "乙星制造" in whole
    assert "left out" not in whole
    monkeypatch.setattr(views, "PAGE", 1)
    one, two = (ask(client, people.owner, f"{address}&page={n}") for n in (1, 2))
    assert ("甲云科技" in one) != ("乙星制造" in one)
    assert ("甲云科技" in one) != ("甲云科技" in two)
    assert "page=2" in one
    monkeypatch.setattr(views, "MOST_THEN", 1)
    assert "left out, of the sums too" in ask(client, people.owner, address)


def test_an_empty_period_says_what_to_do(client, people, today):
    page = ask(client, people.owner, "/renewals/?p=2031q1")
    assert "Nothing comes due" in page


def test_the_number_of_queries_does_not_grow_with_rows(
    client, people, world, django_assert_max_num_queries
):
    for n in range(30):
        make_renewal(make_customer(owner=people.owner), date(2026, 4, 1 + n % 28))
    ask(client, people.leader)
    with django_assert_max_num_queries(29):
        client.get("/renewals/?p=2026q2&scope=team")


def test_the_export_holds_what_the_grid_shows(client, people, world):
    renewals.set_forecast(actor=people.owner, now=NOW, renewal_id=world["b"].pk, category="commit")
    people.leader.language = "en"
    people.leader.save()
    client.force_login(people.leader)
    form = {"listing": "renewals", "form": "csv", "p": "2026q2", "scope": "team", "cat": "commit"}
    answer = client.post("/exports/", form, follow=True)
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    assert "乙星制造" in text
    assert "200000.00" in text
    assert "甲云科技" not in text


def test_the_command_says_the_pages_numbers(people, world):
    import json

    from click.testing import CliRunner

    from gengyun.cli.renewals import command

    renewals.set_forecast(actor=people.owner, now=NOW, renewal_id=world["b"].pk, category="commit")
    answer = CliRunner().invoke(command, ["--period", "2026q2", "--json", "--list"])
    assert answer.exit_code == 0, answer.output
    found = json.loads(answer.output)
    assert found["total"]["due_minor"] == 150 * WAN
    assert found["category"]["commit"] == {
        "count": 1, "due_minor": 20 * WAN, "forecast_minor": 20 * WAN
    }  # fmt: skip
    assert next(line["name"] for line in found["renewals"]) == "甲云科技"
    past = CliRunner().invoke(
        command, ["--period", "2026q2", "--json", "--as-of", "2026-01-31", "--by", "month"]
    )
    assert json.loads(past.output)["total"]["count"] == 0, "none was known then"
    assert CliRunner().invoke(command, ["--period", "soon"]).exit_code == 2
    human = CliRunner().invoke(command, ["--from", "2026-04-01", "--to", "2026-06-30"])
    assert "together" in human.output
