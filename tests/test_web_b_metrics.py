"""Metric pages: the editor as sentences, the preview, saving, retiring."""

import pytest
from factories import NOW, make_customer, make_user

from gengyun.web.present import metric_form

pytestmark = pytest.mark.django_db


@pytest.fixture
def person(client, settings, tmp_path):
    from gengyun.customers.actions.defaults import install_defaults as tiers
    from gengyun.health.actions.defaults import install_defaults as cards
    from gengyun.usage.actions.defaults import install_defaults as metrics

    settings.DATA_DIR, settings.LAKE_DIR = tmp_path, tmp_path / "lake"
    for install in (tiers, metrics, cards):
        install(now=NOW)
    client.force_login(make_user("operations", language="en"))
    return client


FORM = {
    "shape": "count",
    "events": "导出报表\nReport exported",
    "window_days": "14",
    "direction": "up",
    "name_zh": "导出次数",
    "name_en": "Exports 14 days",
}


def test_a_metric_is_made_from_sentences(person):
    from gengyun.usage.models import Metric

    answer = person.post("/settings/metrics/new/", FORM | {"step": "save"})
    assert answer.status_code == 303
    metric = Metric.objects.get(key="exports_14_days")
    assert metric.definition == {
        "aggregate": "count",
        "events": ["导出报表", "Report exported"],
        "window_days": 14,
    }
    page = person.get("/settings/metrics/").content.decode()
    assert "“导出报表”" in page
    assert "last 14 days" in page


@pytest.mark.parametrize(
    "change, field",
    [
        ({"window_days": "0"}, "window_days"),
        ({"window_days": "two"}, "window_days"),
        ({"shape": "sum"}, "property"),
        ({"shape": "change"}, "base"),
        ({"shape": "ratio", "numerator": "events_30d"}, "denominator"),
        ({"name_zh": ""}, "name_zh"),
        ({"key": "Not A Key"}, "key"),
        ({"key": "events_30d"}, "key"),
    ],
)
def test_what_cannot_be_is_refused_beside_the_field(person, change, field):
    from gengyun.usage.models import Metric

    before = Metric.objects.count()
    answer = person.post("/settings/metrics/new/", FORM | change | {"step": "save"})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert f'name="{field}"' in page
    assert 'aria-invalid="true"' in page
    assert Metric.objects.count() == before


def test_the_preview_shows_values_and_saves_nothing(person):
    from gengyun.usage.models import Metric

    make_customer("晨曦科技", arr_minor=1)
    before = Metric.objects.count()
    answer = person.post("/settings/metrics/new/", FORM, headers={"HX-Request": "true"})
    page = answer.content.decode()
    assert "<html" not in page
    assert "晨曦科技" in page
    assert "Number of" in page
    assert "—" in page  # unknown, not 0: nothing was ever received
    assert Metric.objects.count() == before


def test_the_first_sight_does_not_wait_for_the_engine(person):
    make_customer("晨曦科技")
    page = person.get("/settings/metrics/events_7d/").content.decode()
    assert "晨曦科技" not in page
    assert 'hx-get="/settings/metrics/events_7d/?preview=1"' in page
    assert "晨曦科技" in person.get("/settings/metrics/events_7d/?preview=1").content.decode()


def test_the_shape_decides_which_fields_are_asked(person):
    page = person.post("/settings/metrics/new/", FORM | {"shape": "ratio"}).content.decode()
    assert 'name="denominator"' in page
    assert 'name="events"' not in page


def test_a_changed_definition_is_a_new_version(person):
    from gengyun.usage.models import Metric

    metric = Metric.objects.get(key="events_7d")
    form = metric_form.draft_from_metric(metric) | {"window_days": "10", "step": "save"}
    assert person.post("/settings/metrics/events_7d/", form).status_code == 303
    metric.refresh_from_db()
    assert (metric.version, metric.definition["window_days"]) == (2, 10)


def test_every_default_metric_survives_the_form(person):
    from gengyun.usage.models import Metric

    for metric in Metric.objects.all():
        draft = metric_form.draft_from_metric(metric)
        definition, errors = metric_form.definition_from_draft(draft)
        assert not errors
        stored = {k: v for k, v in metric.definition.items() if v is not None}
        assert {k: v for k, v in definition.items() if v is not None} == stored, metric.key


def test_a_metric_that_a_scorecard_reads_is_not_retired(person):
    from gengyun.usage.models import Metric

    assert person.post("/settings/metrics/active_users_30d/retire/").status_code == 303
    assert Metric.objects.get(key="active_users_30d").retired_at is None
    assert "Take it out there first" in person.get("/settings/metrics/").content.decode()


def test_a_metric_is_retired_and_brought_back(person):
    from gengyun.usage.models import Metric

    person.post("/settings/metrics/new/", FORM | {"step": "save"})
    person.post("/settings/metrics/exports_14_days/retire/")
    assert Metric.objects.get(key="exports_14_days").retired_at is not None
    page = person.get("/settings/metrics/").content.decode()
    assert "/settings/metrics/exports_14_days/restore/" in page  # undo in the toast, and below
    person.post("/settings/metrics/exports_14_days/restore/")
    assert Metric.objects.get(key="exports_14_days").retired_at is None


def test_event_names_are_read_as_people_write_them():
    assert metric_form.event_names("a\n b ，c、a;d") == ["a", "b", "c", "d"]
    assert metric_form.event_names(" \n") is None


SHAPES = {
    "average": (
        {"shape": "count", "per_days": "7", "fewest_days": "10", "if_none": "unknown"},
        {"aggregate": "count", "events": ["导出报表", "Report exported"], "window_days": 14,
         "per_days": 7, "fewest_days": 10, "if_none": "unknown"},
    ),
    "without": (
        {"shape": "days_without"},
        {"aggregate": "days_without", "events": ["导出报表", "Report exported"]},
    ),
    "tenure": ({"shape": "days", "day": "since:started_on"}, {"days": {"since": "started_on"}}),
    "renewal": ({"shape": "days", "day": "until:renews_on"}, {"days": {"until": "renews_on"}}),
    "total": (
        {"shape": "total", "parts": ["events_7d", "events_30d"]},
        {"total": ["events_7d", "events_30d"]},
    ),
    "share": (
        {"shape": "ratio", "numerator": "events_7d", "denominator": "metric:events_30d",
         "unknown_is_zero": "1"},
        {"ratio": {"numerator": "events_7d", "denominator": {"metric": "events_30d"},
                   "unknown_is_zero": True}},
    ),
    "change": (
        {"shape": "change", "base": "events_30d", "change_days": "84"},
        {"change": {"metric": "events_30d", "days": 84}},
    ),
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_is_made_shown_and_changed_in_the_form(person, shape):
    from gengyun.usage.models import Metric

    make_customer("晨曦科技")
    fields, definition = SHAPES[shape]
    answer = person.post("/settings/metrics/new/", FORM | fields, headers={"HX-Request": "true"})
    assert "晨曦科技" in answer.content.decode()  # the preview has values
    assert (
        person.post("/settings/metrics/new/", FORM | fields | {"step": "save"}).status_code == 303
    )
    metric = Metric.objects.get(key="exports_14_days")
    assert metric.definition == definition
    page = person.get("/settings/metrics/exports_14_days/").content.decode()
    assert f'value="{fields["shape"]}" selected' in page
    draft = metric_form.draft_from_metric(metric)
    assert metric_form.definition_from_draft(draft) == (definition, {})
    assert (
        person.post("/settings/metrics/exports_14_days/", draft | {"step": "save"}).status_code
        == 303
    )
    metric.refresh_from_db()
    assert metric.version == 1  # nothing was lost on the way


@pytest.mark.parametrize(
    "change, field",
    [
        ({"shape": "days"}, "day"),
        ({"shape": "total", "parts": ["events_7d"]}, "parts"),
        ({"shape": "total", "parts": ["events_7d", "events_change_30d"]}, "parts"),
        ({"per_days": "x"}, "per_days"),
        ({"per_days": "7", "fewest_days": "99"}, "fewest_days"),
        ({"shape": "change", "base": "events_30d", "change_days": "0"}, "change_days"),
    ],
)
def test_what_a_new_shape_cannot_be_is_said_in_its_place(person, change, field):
    answer = person.post("/settings/metrics/new/", FORM | change | {"step": "save"})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "gy-err" in page[page.index(f'name="{field}"') :]
