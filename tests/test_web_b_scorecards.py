"""Scorecard pages: fields and back, the preview, publishing, versions, order."""

from datetime import date, timedelta

import pytest
from factories import NOW, make_customer, make_user
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gengyun.web.present import scorecard_form as form
from gengyun.web.present.scorecard_diff import diff

UNITS = {"a": "count", "b": "ratio"}


def flat(draft):
    """The draft as the browser sends it."""
    post = {"min_coverage": draft["min_coverage"], "hysteresis": draft["hysteresis"]}
    post |= {f"band.{band}": text for band, text in draft["bands"].items()}
    for g, group in enumerate(draft["groups"]):
        for name in ("key", "name_zh", "name_en", "weight"):
            post[f"group.{g}.{name}"] = group[name]
        for f, factor in enumerate(group["factors"]):
            at = f"group.{g}.factor.{f}"
            post |= {f"{at}.{k}": v for k, v in factor.items() if k != "points"}
            for p, point in enumerate(factor["points"]):
                post |= {f"{at}.point.{p}.x": point["x"], f"{at}.point.{p}.y": point["y"]}
    for c, cap in enumerate(draft["caps"]):
        post |= {f"cap.{c}.{k}": v for k, v in cap.items()}
    return post


numbers = st.integers(-1000, 1000).map(lambda n: n / 10)
missing = st.one_of(
    st.sampled_from(["exclude", "block"]),
    st.builds(lambda v: {"treat_as": v}, numbers),
    st.builds(lambda v: {"carry_forward": v}, st.integers(1, 400)),
)
factors = st.builds(
    lambda metric, weight, curve, rule: {
        "metric": metric, "weight": weight, "curve": curve, "missing": rule,
    },
    st.sampled_from(["a", "b"]),
    st.integers(1, 9),
    st.lists(st.tuples(numbers, st.integers(0, 100)).map(list), min_size=2, max_size=4),
    missing,
)  # fmt: skip
groups = st.builds(
    lambda weight, found: {"name_zh": "组", "name_en": "Group", "weight": weight, "factors": found},
    st.integers(1, 9),
    st.lists(factors, min_size=1, max_size=3),
)


# a machine under load draws slowly; what is drawn is small
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(groups, min_size=1, max_size=3))
def test_a_configuration_survives_the_form(found):
    config = {
        "min_coverage": 0.6,
        "hysteresis": 3,
        "bands": {"A": 80, "B": 65, "C": 50},
        "groups": [
            group
            | {
                "key": f"g{g}",
                "factors": [factor | {"key": f"f{g}{f}"} for f, factor in enumerate(group["factors"])],
            }
            for g, group in enumerate(found)
        ],
        "caps": [
            {"key": "c", "when": {"metric": "b", "op": "lt", "value": 0.1}, "cap_at": 49,
             "reason_zh": "少", "reason_en": "few"},
        ],
    }  # fmt: skip
    draft = form.draft_from_post(flat(form.draft_from_config(config, UNITS)))
    back, errors = form.config_from_draft(draft, UNITS)
    assert not {name for name in errors if not name.endswith("sum")}
    assert back["caps"] == config["caps"]
    for new, old in zip(back["groups"], config["groups"], strict=True):
        assert new["key"] == old["key"]
        total = sum(g["weight"] for g in config["groups"])
        assert abs(new["weight"] - old["weight"] / total) < 0.0006  # a tenth of a percent
        for a, b in zip(new["factors"], old["factors"], strict=True):
            assert a["metric"] == b["metric"]
            assert a["missing"] == b["missing"]
            assert a["curve"] == [[pytest.approx(x), y] for x, y in b["curve"]]


@pytest.mark.parametrize(
    "text, value",
    [("1,200", 1200), ("６０％", 60), ("-33", -33), ("−5", -5), ("1e400", None), ("nan", None), ("", None)],
)  # fmt: skip
def test_numbers_are_read_as_people_type_them(text, value):
    assert form.number(text) == value


@pytest.mark.parametrize(
    "path, field",
    [
        ("groups.0.factors.1.curve.2.0", "group.0.factor.1.point.2.x"),
        ("groups.0.factors.1.curve.2.1", "group.0.factor.1.point.2.y"),
        ("groups.0.factors.1.curve", "group.0.factor.1.curve"),
        ("groups.0.factors.1.missing.treat_as", "group.0.factor.1.missing_value"),
        ("caps.0.when.value", "cap.0.value"),
        ("bands.A", "band.A"),
        ("groups.0.weight", "group.0.weight"),
    ],
)
def test_a_fault_knows_its_field(path, field):
    assert form.field_of(path) == field


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


def default_card():
    from gengyun.health.models import Scorecard

    return Scorecard.objects.last()


def fields(card):
    from gengyun.usage.models import Metric

    units = dict(Metric.objects.values_list("key", "unit"))
    return flat(form.draft_from_config(card.versions.first().config, units))


def judge_one(name, **values):
    """One customer with a score of the newest judged day, and its metric values in the lake."""
    import pyarrow as pa
    from django.conf import settings

    from gengyun.health.models import HealthScore
    from gengyun.lake.store import Lake
    from gengyun.lake.tables import METRIC_VALUES

    customer, day = make_customer(name), date(2026, 3, 2)
    rows = [
        {"as_of": day, "customer_id": customer.pk, "metric": key, "version": 1, "value": value}
        for key, value in values.items()
    ]
    table = pa.Table.from_pylist(rows, schema=METRIC_VALUES)
    Lake(settings.LAKE_DIR).replace_partition("metric_values", "as_of", day, table)
    HealthScore.objects.create(
        customer=customer, as_of=day, version=default_card().versions.first(), score=90, raw_score=90,
        band="A", coverage=1, explanation={"groups": []}, computed_at=NOW,
    )  # fmt: skip
    return customer


@pytest.mark.django_db
def test_the_editor_shows_percentages_and_sentences(person):
    page = person.get(f"/settings/scorecards/{default_card().pk}/").content.decode()
    assert "all groups: 100%" in page
    assert "What the rule does" in page
    assert "Publish version 2" in page


@pytest.mark.django_db
def test_publishing_makes_a_version_with_note_and_day(person):
    card = default_card()
    tomorrow = (date.today() + timedelta(days=2)).isoformat()
    post = fields(card) | {"band.A": "85", "note": "Higher bar", "effective_from": tomorrow}
    answer = person.post(f"/settings/scorecards/{card.pk}/", post | {"step": "publish"})
    assert answer.status_code == 303, answer.content.decode()[:2000]
    version = card.versions.get(number=2)
    assert (version.config["bands"]["A"], version.note) == (85, "Higher bar")
    page = person.get(f"/settings/scorecards/{card.pk}/versions/").content.decode()
    assert "Higher bar" in page
    assert "<del>80</del> → <ins>85</ins>" in page
    assert "lower bound of band" in page
    old = person.get(f"/settings/scorecards/{card.pk}/?version=1").content.decode()
    assert 'name="band.A" value="80"' in old


@pytest.mark.django_db
@pytest.mark.parametrize(
    "change, field",
    [
        ({"group.0.weight": "70"}, "group.0.weight"),
        ({"group.0.factor.0.weight": "x"}, "group.0.factor.0.weight"),
        ({"group.0.factor.0.point.0.x": "99999"}, "group.0.factor.0.point.0.x"),
        ({"group.0.factor.0.metric": "no_such"}, "group.0.factor.0.metric"),
        ({"band.A": "40"}, "band.A"),
        ({"min_coverage": "300"}, "min_coverage"),
        ({"cap.0.reason_zh": "", "cap.0.reason_en": ""}, "cap.0.reason_zh"),
        ({"effective_from": "2001-01-01"}, "effective_from"),
        ({"effective_from": ""}, "effective_from"),
    ],
)
def test_faults_are_shown_beside_their_field_and_nothing_is_published(person, change, field):
    card = default_card()
    day = (date.today() + timedelta(days=2)).isoformat()
    post = fields(card) | {"effective_from": day} | change | {"step": "publish"}
    answer = person.post(f"/settings/scorecards/{card.pk}/", post)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert 'role="alert"' in page
    marked = [line for line in page.split("<") if f'name="{field}"' in line]
    assert marked
    assert "aria-invalid" in marked[0] or field == "effective_from"
    assert card.versions.count() == 1


@pytest.mark.django_db
def test_rows_are_added_and_taken_away_without_losing_what_was_typed(person):
    card = default_card()
    path = f"/settings/scorecards/{card.pk}/"
    post = fields(card) | {"note": "typed"}
    factors = sum(name.endswith(".metric") and "factor" in name for name in post)
    for step, change in (("add_factor.0", 1), ("drop_factor.0.0", -1), ("add_group", 1)):
        page = person.post(path, post | {"step": step}, headers={"HX-Request": "true"})
        text = page.content.decode()
        assert "<html" not in text
        assert 'value="typed"' in text
        import re

        found = re.findall(r'<select[^>]*name="group\.\d+\.factor\.\d+\.metric"', text)
        assert len(found) == factors + change, step


@pytest.mark.django_db
def test_scaling_makes_the_weights_a_hundred(person):
    card = default_card()
    post = fields(card) | {"group.0.weight": "80", "step": "even"}
    page = person.post(f"/settings/scorecards/{card.pk}/", post).content.decode()
    assert "all groups: 100%" in page


@pytest.mark.django_db
def test_the_preview_names_customers_whose_band_changes(person):
    card = default_card()
    judge_one("晨曦科技", days_since_active=400.0, active_users_30d=0.0, active_days_30d=0.0,
              active_users_90d=0.0, breadth_30d=0.0, events_180d=0.0, seat_use_30d=0.0,
              active_users_change_30d=-1.0, events_change_30d=-1.0)  # fmt: skip
    page = person.get(f"/settings/scorecards/{card.pk}/").content.decode()
    assert "1 of 1 customers changes its band" in page
    assert "晨曦科技" in page
    asked = person.post(f"/settings/scorecards/{card.pk}/", fields(card) | {"customer": "没有"})
    assert "No customer with this name" in asked.content.decode()


@pytest.mark.django_db
def test_a_version_is_proposed_for_today_also_when_it_is_judged(person):
    from gengyun.health.models import HealthScore
    from gengyun.kernel.clock import utc_now
    from gengyun.kernel.days import day_of

    judge_one("晨曦科技", days_since_active=1.0)
    today = day_of(utc_now())
    path = f"/settings/scorecards/{default_card().pk}/"
    assert f'name="effective_from" value="{today}"' in person.get(path).content.decode()
    HealthScore.objects.update(as_of=today)  # a judged today is judged again
    assert f'name="effective_from" value="{today}"' in person.get(path).content.decode()


@pytest.mark.django_db
def test_the_preview_shows_a_leader_only_their_customers(person, client):
    judge_one("别人的客户", days_since_active=1.0)
    client.force_login(make_user("leader"))
    page = client.get(f"/settings/scorecards/{default_card().pk}/").content.decode()
    assert "别人的客户" not in page


@pytest.mark.django_db
def test_a_new_scorecard_begins_as_a_copy_and_order_can_change(person):
    from gengyun.customers.models import Tier
    from gengyun.health.models import Scorecard

    values = {"name_zh": "重点客户", "name_en": "Key", "tier": Tier.objects.all()[1].pk}
    like = default_card().pk
    answer = person.post("/settings/scorecards/new/", values | {"like": like})
    assert answer.status_code == 303
    page = person.get(answer.url).content.decode()
    assert "Publish version 1" in page
    assert 'name="group.0.factor.0.metric"' in page
    assert person.post("/settings/scorecards/new/", {"like": like}).status_code == 422
    before = list(Scorecard.objects.values_list("pk", flat=True))
    person.post(f"/settings/scorecards/{before[1]}/up/")
    assert list(Scorecard.objects.values_list("pk", flat=True))[:2] == [before[1], before[0]]
    last = Scorecard.objects.last().pk  # for every tier: it must stay last
    person.post(f"/settings/scorecards/{last}/up/")
    assert Scorecard.objects.last().pk == last


def test_the_difference_names_what_changed():
    old = {
        "bands": {"A": 80, "B": 65, "C": 50}, "hysteresis": 3, "min_coverage": 0.6, "caps": [],
        "groups": [{"key": "g", "name_zh": "组", "name_en": "Group", "weight": 1, "factors": [
            {"key": "f", "metric": "a", "weight": 1, "curve": [[0, 0], [9, 100]], "missing": "block"},
        ]}],
    }  # fmt: skip
    assert diff(old, old) == []
    new = {**old, "hysteresis": 4}
    assert [(line.kind, line.old, line.new) for line in diff(old, new)] == [
        ("hysteresis", "3", "4")
    ]


def test_every_fault_of_a_configuration_is_in_the_catalogue():
    import ast
    import inspect

    from gengyun.health.calc import config
    from gengyun.web.present.scorecard_faults import FAULTS

    tree = ast.parse(inspect.getsource(config))
    said = {
        arg.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "fault"
        for arg in node.args[2:3]
        if isinstance(arg, ast.Constant)
    }
    assert len(said) > 15
    assert said <= set(FAULTS)
