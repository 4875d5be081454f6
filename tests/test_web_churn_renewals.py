"""The churn probability beside the CSM's call: grid, order, chips, panel, export, forecast."""

from datetime import timedelta

import pytest
from django.test import Client
from factories import NOW, People, make_churn_model, make_customer, make_forecast, make_renewal

from gengyun.churn.actions.settings import edit_settings
from gengyun.kernel.clock import utc_now
from gengyun.kernel.days import day_of
from gengyun.portfolio.actions.chances import follow_chances
from gengyun.revenue.models import Renewal
from gengyun.revenue.queries import renewals as queries
from gengyun.revenue.queries.chances import calls, disagree
from gengyun.web.present.renewals import quarter_of

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def people():
    return People()


@pytest.fixture
def web(people):
    return client_of(people.owner)


def client_of(user):
    user.language = "en"
    user.save()
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def due():
    """A day of next quarter, whatever today is."""
    return quarter_of(day_of(utc_now())).shifted(1).first + timedelta(days=20)


def said(people, due, name, category, probability, *, rung="L2", **values):
    customer = make_customer(name, owner=people.owner)
    amount = None if category == "unjudged" else 10_000_000
    renewal = make_renewal(
        customer, due, category=category, forecast_minor=amount, created_at=NOW, **values
    )
    if probability is not None:
        model = make_churn_model(rung)
        make_forecast(renewal, probability, model, as_of=day_of(utc_now()))
    return renewal


@pytest.fixture
def book(people, due):
    rows = {
        "near": said(people, due, "Near", "commit", 0.10),
        "far": said(people, due, "Far", "commit", 0.62),
        "risk": said(people, due, "Risky", "at_risk", 0.20),
        "guess": said(people, due, "Guess", "commit", 0.70, rung="L0"),
        "none": said(people, due, "Silent", "expected", None),
        "signal": said(people, due, "Signal", "commit", 0.15, signal="risk", gap=3),
    }
    follow_chances()
    return rows


def grid(web, due, more=""):
    return web.get(f"/renewals/?p={quarter_of(due).key}{more}").content.decode()


def names(text):
    rows = text.split("<tr data-row ")[1:]
    return [row.split("data-name")[1].split(">")[1].split("<")[0] for row in rows]


def test_sums_of_the_disagreements_are_those_of_their_rows(book, due):
    known, whole = calls(), queries.scoped(None, queries.Filters())
    convert, _base = queries.converter(due)
    sums = queries.totals(whole, convert, known)
    rows = queries.totals(whole.filter(disagree(known)), convert, with_gaps=False)
    assert sums.gaps == 3
    assert sums.apart.cells == rows.cells
    assert sums.apart.of().forecast_minor == 30_000_000


def test_each_row_has_probability_interval_and_how_far_it_is_from_the_call(web, book, due):
    text = grid(web, due)
    assert "62%" in text
    assert "50–75%" in text
    assert "CSM: commit, model: 62%" in text
    assert "CSM: at risk, model: 20%" in text
    assert "model: 10%" not in text
    assert "CSM: commit, signal: at risk" in text


def test_an_estimate_is_marked_and_is_no_disagreement(web, book, due):
    text = grid(web, due)
    assert "70%" in text
    assert "estimate</span>" in text
    assert "model: 70%" not in text


def test_order_by_disagreement_begins_with_the_farthest_from_the_model(web, book, due):
    assert names(grid(web, due, "&sort=gap"))[:3] == ["Far", "Risky", "Signal"]


def test_only_those_that_disagree(web, book, due):
    assert sorted(names(grid(web, due, "&only=gap"))) == ["Far", "Risky", "Signal"]
    assert "3 disagree" in grid(web, due)


def test_the_distance_that_counts_is_a_setting(people, web, book, due):
    edit_settings(
        actor=people.admin, now=utc_now(),
        changes={"thresholds": {"disagreement_points": {"value": 40, "source": "tried"}}},
    )  # fmt: skip
    assert sorted(names(grid(web, due, "&only=gap"))) == ["Far", "Signal"]


def test_a_new_call_is_compared_at_once(web, book, due):
    path = f"/renewals/{book['far'].pk}/forecast/"
    web.post(path, {"category": "at_risk"}, headers=HTMX)
    assert "Far" not in names(grid(web, due, "&only=gap"))
    assert Renewal.objects.get(pk=book["far"].pk).churn_probability == 0.62


def test_panel_says_it_with_the_strongest_reasons(web, book):
    text = web.get(f"/renewals/{book['far'].pk}/", headers=HTMX).content.decode()
    assert "62% (50–75%), confidence medium" in text
    assert "CSM: commit, model: 62%" in text


def test_export_holds_the_probability(people, book, due):
    from gengyun.web.listings_renewals import RenewalsListing

    listing = RenewalsListing()
    query = listing.clean(people.owner, {"period": quarter_of(due).key})
    sheet = listing.sheet(people.owner, query, day_of(utc_now()))
    at, name = sheet.headers.index("断约概率"), sheet.headers.index("客户")
    found = {row[name]: row[at] for row in sheet.rows}
    assert found["Far"] == 0.62
    assert found["Silent"] is None


def test_forecast_says_how_many_come_from_the_model(web, book, due):
    text = web.get(f"/renewals/forecast/?p={quarter_of(due).key}").content.decode()
    assert "from the model 4, experience-based 2" in text


def test_a_stranger_sees_none_of_it(people, book, due):
    text = grid(client_of(people.stranger), due)
    assert names(text) == []
    path = f"/renewals/{book['far'].pk}/"
    assert client_of(people.colleague).get(path).status_code == 404
