"""The demo company in a database and a lake: complete, known at the right time, judged."""

from datetime import UTC, date, datetime, timedelta

import pytest

from gengyun.demo.load.folder import MARK, NotADemo, built_as_of, make_room, mark_built

AS_OF = date(2026, 11, 22)
NOW = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def made(django_db_setup, django_db_blocker, tmp_path_factory):
    """Built once for the tests here; what each of them changes is taken back, and all at the end."""
    from django.db import transaction
    from django.test import override_settings

    from gengyun.demo.load.build import build

    folder = tmp_path_factory.mktemp("demo")
    places = override_settings(DATA_DIR=folder, LAKE_DIR=folder / "lake")
    with django_db_blocker.unblock(), places, transaction.atomic():
        yield build(as_of=AS_OF, now=NOW, seed=3, count=40, weeks=1)
        transaction.set_rollback(True)


@pytest.fixture
def built(made, db):
    return made


def test_demo_is_built_judged_and_visible_by_role(built, settings):
    from gengyun.customers.models import Customer
    from gengyun.engagement.models import Activity
    from gengyun.health.models import HealthScore
    from gengyun.kernel.days import start_of
    from gengyun.lake.store import Lake
    from gengyun.portfolio.models import CustomerSummary
    from gengyun.team.models import Role, User

    assert built.customer_count == 41  # one was typed in twice
    assert built.former_count == Customer.objects.count() - 41 > 5
    assert built.event_count == Lake.default().row_count("events") > 10_000
    assert built.activity_count == Activity.objects.count() > 100
    assert set(User.objects.values_list("role", flat=True)) == set(Role.values)
    known = Customer.objects.filter(known_at__lt=start_of(AS_OF), archived_at=None).count()
    assert HealthScore.objects.filter(as_of=AS_OF).count() == known
    assert CustomerSummary.objects.exclude(band="N").count() > known * 0.8
    assert CustomerSummary.objects.filter(need_rank__gt=0).exists()

    csm = User.objects.get(email="linxiao@hezhou.example")
    own = Customer.objects.visible_to(csm)
    assert 0 < own.count() < 40
    leader = User.objects.get(email="liangjing@hezhou.example")
    assert own.count() < Customer.objects.visible_to(leader).count() < 40

    # terms that changed are known from the day of the change, not before
    changed = Customer.objects.filter(field_changes__field="seats").distinct()
    assert any(c.field_changes.filter(field="seats").count() > 1 for c in changed)

    # one import went through the door people use: one row of five was refused, with the reason
    from gengyun.customers.models import ImportRun

    run = ImportRun.objects.get(kind="contacts")
    assert (run.state, run.created_count, run.error_count) == ("done", 4, 1)

    # a second company in the same folder is refused
    from gengyun.demo.load.build import NotEmpty, build

    with pytest.raises(NotEmpty):
        build(as_of=AS_OF, now=NOW, count=10)
    assert built_as_of(settings.DATA_DIR) == AS_OF


def test_the_company_has_fields_of_its_own_with_values_for_most(built):
    from gengyun.customers.models import Customer, CustomField, FieldValue

    fields = {field.key: field for field in CustomField.objects.all()}
    assert set(fields) == {"deployment", "purchasing", "linked_systems", "is_reference"}
    present = Customer.objects.present().count()
    for field in fields.values():
        held = FieldValue.objects.filter(field=field, place=0).count()
        assert 0.6 * present < held < present  # some are unknown, as in life
    numbers = FieldValue.objects.filter(field=fields["linked_systems"])
    assert numbers.filter(number=0).exists()  # none connected: known, and not "unknown"
    chosen = FieldValue.objects.filter(field=fields["deployment"]).values_list("text", flat=True)
    assert set(chosen) <= {option["key"] for option in fields["deployment"].options}
    assert len(set(chosen)) > 1


def test_events_in_the_lake_follow_the_tables_rules(built):
    import pyarrow.compute as pc

    from gengyun.kernel.days import day_of
    from gengyun.lake.keys import hash64
    from gengyun.lake.store import Lake

    rows = Lake.default().read("events")
    assert len(pc.unique(rows["message_key"])) == rows.num_rows
    for row in rows.slice(0, 200).to_pylist():
        assert row["user_key"] == hash64(row["user_id"])
        assert row["day"] == day_of(row["happened_at"])
        assert row["known_day"] == day_of(row["known_at"])
        assert row["known_at"] >= row["happened_at"]
        assert row["known_day"] < AS_OF


def test_make_room_never_deletes_what_is_not_a_demo(tmp_path):
    precious = tmp_path / "deployment"
    precious.mkdir()
    (precious / "gengyun.sqlite3").write_text("somebody's work")
    with pytest.raises(NotADemo):
        make_room(precious)
    assert (precious / "gengyun.sqlite3").exists()

    demo = tmp_path / "demo"
    make_room(demo)
    assert built_as_of(demo) is None
    mark_built(demo, AS_OF)
    assert built_as_of(demo) == AS_OF
    (demo / "old").write_text("x")
    make_room(demo)  # --fresh
    assert [path.name for path in demo.iterdir()] == [MARK]


def test_events_do_not_reach_beyond_yesterday(built):
    from gengyun.usage.models import Source

    source = Source.objects.get(key="hezhou")
    assert source.last_event_at < NOW
    assert source.last_event_at > NOW - timedelta(days=4)


def test_demo_refuses_the_folder_of_a_deployment(tmp_path):
    from click.testing import CliRunner

    from gengyun.cli.demo import command

    (tmp_path / "gengyun.sqlite3").write_text("somebody's work")
    for options in ([], ["--fresh"]):
        done = CliRunner().invoke(command, ["--data", str(tmp_path), *options])
        assert done.exit_code == 1
        assert "not empty and not a demo" in done.output
    assert (tmp_path / "gengyun.sqlite3").read_text() == "somebody's work"


def test_the_walk_fills_arguments_with_objects_of_the_demo():
    from gengyun.cli.demo_check import _fill

    samples = {"customers": 7, "activity": 9, "settings/metrics/key": "events_7d", "imports": None}
    assert _fill("/customers/<int:pk>/activities/<int:activity>/", samples) == (
        "/customers/7/activities/9/",
        False,
    )
    assert _fill("/settings/metrics/<slug:key>/", samples) == (
        "/settings/metrics/events_7d/",
        False,
    )
    assert _fill("/imports/<int:pk>/errors.csv", samples) == ("/imports/999999999/errors.csv", True)


def test_a_rise_of_list_prices_was_told_to_those_whose_term_ends_soon(built):
    from gengyun.revenue.models import Renewal, RenewalChange

    told = Renewal.objects.filter(asked_minor__isnull=False)
    assert told.filter(state="open").exists()
    assert min(row.due_on for row in told) >= date(2026, 12, 1)
    assert max(row.due_on for row in told) <= AS_OF + timedelta(days=120)
    assert {round(row.rise, 3) for row in told} == {0.05}
    changes = RenewalChange.objects.filter(field="asked_minor")
    assert changes.count() == told.count()
    assert max(change.at for change in changes) < NOW
