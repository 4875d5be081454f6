"""Creating, changing and retiring metrics: audited, versioned, refused where others depend."""

import pytest
from factories import NOW, make_customer, make_user
from lake_events import arrow, days, event

from gengyun.kernel.errors import NotAllowed
from gengyun.lake.store import Lake
from gengyun.team.models import AuditEntry
from gengyun.usage.actions.compute import compute_day
from gengyun.usage.actions.defaults import DEFAULT_METRICS, install_defaults
from gengyun.usage.actions.metrics import (
    MetricInUse,
    MetricInvalid,
    MetricKeyTaken,
    MetricRetired,
    create_metric,
    edit_metric,
    restore_metric,
    retire_metric,
)
from gengyun.usage.calc.definition import DefinitionInvalid
from gengyun.usage.models import Measure, Metric
from gengyun.usage.queries.metrics import preview, values_as_of

pytestmark = pytest.mark.django_db
NAMES = {"name_zh": "导出次数", "name_en": "Exports"}
EXPORTS = {"aggregate": "count", "events": ["export.done"], "window_days": 14}


@pytest.fixture
def actor():
    return make_user("operations")


def make(actor, key="exports", definition=EXPORTS, **values):
    return create_metric(
        actor=actor, now=NOW, key=key, values=NAMES | values, definition=definition
    )


def test_defaults_are_installed_once_and_leave_edits_alone():
    assert install_defaults(now=NOW) == len(DEFAULT_METRICS) == 12
    Metric.objects.filter(key="events_7d").update(name_zh="改过")
    assert install_defaults(now=NOW) == 0
    assert Metric.objects.get(key="events_7d").name_zh == "改过"


def test_a_new_metric_is_kept_with_its_measure_and_an_audit_row(actor):
    metric = make(actor)
    assert (metric.version, metric.definition) == (1, EXPORTS)
    assert Measure.objects.filter(definition__events=["export.done"]).count() == 1
    row = AuditEntry.objects.get()
    assert (row.action, row.actor, row.object_id) == ("metric.created", actor, str(metric.pk))


@pytest.mark.parametrize(
    ("refusal", "change"),
    [
        (MetricInvalid, {"key": "Exports!"}),
        (MetricInvalid, {"name_zh": " "}),
        (MetricInvalid, {"name_en": "x" * 61}),
        (MetricInvalid, {"unit": "kg"}),
        (MetricInvalid, {"direction": "left"}),
        (DefinitionInvalid, {"definition": {"aggregate": "count"}}),
        (DefinitionInvalid, {"definition": {"change": "nothing"}}),
    ],
)
def test_a_wrong_metric_is_refused_and_leaves_nothing(actor, refusal, change):
    with pytest.raises(refusal):
        make(actor, **change)
    assert not Metric.objects.exists()
    assert not AuditEntry.objects.exists()


def test_a_key_is_given_once(actor):
    make(actor)
    with pytest.raises(MetricKeyTaken):
        make(actor)


@pytest.mark.parametrize("role", ["csm", "viewer", "leader"])
def test_only_who_may_edit_settings_changes_metrics(actor, role):
    stranger = make_user(role)
    with pytest.raises(NotAllowed):
        make(stranger)
    metric = make(actor)
    with pytest.raises(NotAllowed):
        edit_metric(actor=stranger, now=NOW, metric=metric, values={"name_zh": "x"})
    with pytest.raises(NotAllowed):
        retire_metric(actor=stranger, now=NOW, metric=metric)
    metric.refresh_from_db()
    assert metric.name_zh == "导出次数"


def test_a_new_definition_is_a_new_version_and_a_new_name_is_not(actor):
    metric = make(actor)
    metric = edit_metric(actor=actor, now=NOW, metric=metric, values={"name_zh": "导出"})
    assert metric.version == 1
    longer = EXPORTS | {"window_days": 28}
    metric = edit_metric(actor=actor, now=NOW, metric=metric, definition=longer)
    assert metric.version == 2
    entry = AuditEntry.objects.order_by("-pk").first()
    assert entry.changes["definition"] == [EXPORTS, longer]
    count = AuditEntry.objects.count()
    edit_metric(actor=actor, now=NOW, metric=metric, definition=longer)
    assert AuditEntry.objects.count() == count


def test_a_metric_that_others_are_made_of_stays(actor):
    metric = make(actor)
    user = make(actor, key="exports_change", definition={"change": "exports"})
    with pytest.raises(MetricInUse):
        retire_metric(actor=actor, now=NOW, metric=metric)
    with pytest.raises(MetricInUse):
        edit_metric(actor=actor, now=NOW, metric=metric, definition={"aggregate": "days_since"})
    retire_metric(actor=actor, now=NOW, metric=user)
    retire_metric(actor=actor, now=NOW, metric=metric)
    with pytest.raises(MetricRetired):
        edit_metric(actor=actor, now=NOW, metric=metric, values={"name_zh": "x"})
    with pytest.raises(DefinitionInvalid):
        restore_metric(actor=actor, now=NOW, metric=user)
    restore_metric(actor=actor, now=NOW, metric=metric)
    assert restore_metric(actor=actor, now=NOW, metric=user).retired_at is None


def test_a_new_metric_has_values_for_past_days_too(actor, tmp_path):
    """Its measure is made from all events there are, not only from those that follow."""
    lake = Lake(tmp_path / "lake")
    customer = make_customer(known_at=NOW.replace(year=2025))
    first = NOW.date().replace(day=1, month=1)
    rows = [event(customer.pk, on=day, name="export.done") for day in days(first, 20)]
    lake.append("events", arrow(rows))
    install_defaults(now=NOW)
    day = days(first, 11)[-1]
    compute_day(day, lake=lake, now=NOW)
    assert "exports" not in values_as_of(day, lake=lake)[customer.pk]
    assert preview(EXPORTS, as_of=day, customer_ids=[customer.pk], lake=lake) == {customer.pk: 10}
    make(actor)
    compute_day(day, lake=lake, now=NOW)
    assert values_as_of(day, lake=lake)[customer.pk]["exports"] == 10
    assert preview(EXPORTS, as_of=day, customer_ids=[customer.pk], lake=lake) == {customer.pk: 10}
    ratio = {"ratio": {"numerator": "exports", "denominator": {"metric": "events_7d"}}}
    assert preview(ratio, as_of=day, customer_ids=[customer.pk], lake=lake) == {
        customer.pk: pytest.approx(10 / 7)
    }
    with pytest.raises(DefinitionInvalid):
        preview({"change": "no"}, as_of=day, customer_ids=[customer.pk], lake=lake)
