"""The lists of work as files: what the page shows, in its order, of the customers one may see."""

from datetime import timedelta

import pytest
from alert_rows import make_alert, make_rules
from django.test import Client
from factories import People, make_customer, make_user
from test_health_judge import card
from test_health_judge import run as judge
from test_web_list_export import export, rows_of

from gengyun.customers.actions.defaults import install_defaults as install_customers
from gengyun.customers.models import ExportRun, Stage
from gengyun.kernel.clock import utc_now
from gengyun.kernel.days import day_of
from gengyun.lake.store import Lake
from gengyun.portfolio.actions.summaries import refresh_summaries
from gengyun.team.models import AuditEntry, User
from gengyun.usage.actions.defaults import install_defaults as install_metrics

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast(settings, tmp_path):
    settings.DATA_DIR, settings.LAKE_DIR = tmp_path, tmp_path / "lake"
    people = People()
    people.now = utc_now()
    people.rules = make_rules()
    mine = {"owner": people.owner, "arr_minor": 48_600_050, "external_id": "acct_1"}
    people.customer = make_customer("=1+1科技", **mine)
    people.second = make_customer("上升制造", owner=people.owner, arr_minor=None)
    people.other = make_customer("北京衡石教育", owner=people.stranger)
    User.objects.update(language="en")
    return people


def browser(user):
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def alerts(cast):
    drop, dormant = cast.rules["usage_drop"], cast.rules["dormant"]
    said = {"last_on": "2026-02-10"}
    make_alert(drop, cast.customer, at=cast.now, readings=3)
    make_alert(dormant, cast.second, at=cast.now - timedelta(days=1), facts=said)
    make_alert(dormant, cast.other, at=cast.now, facts=said)
    refresh_summaries(now=cast.now)
    return cast


def test_the_queue_is_exported_as_it_is_shown(alerts):
    web = browser(alerts.owner)
    page = web.get("/alerts/").content.decode()
    assert 'name="listing" value="alerts"' in page
    header, *lines = rows_of(export(web, listing="alerts", tab="open", sort="urgent"))
    assert len(lines) == 2  # the stranger's is not among them
    names = [line[header.index("Customer")] for line in lines]
    shown = sorted(("=1+1科技", "上升制造"), key=page.index)
    assert [name.lstrip("'") for name in names] == shown  # same order
    one = lines[shown.index("=1+1科技")]
    assert one[header.index("Customer")] == "'=1+1科技"  # would run as a formula
    assert one[header.index("Customer id")] == "acct_1"
    assert one[header.index("ARR")] == "486000.50"
    assert "55% of the usual" in one[header.index("What happened")]
    unknown = lines[shown.index("上升制造")]
    assert unknown[header.index("ARR")] == ""  # unknown is not 0
    assert rows_of(export(web, "xlsx", "alerts", tab="open"))[0] == header
    assert AuditEntry.objects.filter(action__contains="export").count() == 2


def test_filters_of_the_queue_hold_for_its_file(alerts):
    web = browser(alerts.owner)
    _header, *lines = rows_of(
        export(web, listing="alerts", tab="open", rule=str(alerts.rules["dormant"].pk))
    )
    assert [line[2] for line in lines] == ["上升制造"]
    assert len(rows_of(export(web, listing="alerts", tab="closed"))) == 1  # the header alone
    levels = {str(n) for n in (1, 2, 3, 4)} - {str(alerts.rules["dormant"].severity)}
    _header, *lines = rows_of(export(web, listing="alerts", tab="open", sev=sorted(levels)))
    assert "上升制造" not in [line[2] for line in lines]
    # the conditions kept with the file are those asked for
    run = ExportRun.objects.latest("pk")
    assert run.query["severities"] == sorted(int(n) for n in levels)


def test_rules_with_their_precision_are_for_those_who_read_settings(alerts):
    web = browser(make_user("admin", language="en"))
    page = web.get("/settings/alerts/").content.decode()
    assert 'name="listing" value="alert_rules"' in page
    header, *lines = rows_of(export(web, listing="alert_rules"))
    row = next(line for line in lines if line[header.index("Open")] == "2")  # dormant, twice
    assert row[header.index("Verdicts")] == "0"
    assert row[header.index("Was right")] == ""  # nobody has judged one: unknown
    before = ExportRun.objects.count()
    refused = browser(alerts.owner).post("/exports/", {"listing": "alert_rules", "form": "csv"})
    assert refused.status_code == 403
    assert ExportRun.objects.count() == before


def test_what_moved_is_exported_with_its_causes(cast):
    install_metrics(now=cast.now - timedelta(days=99))
    card()
    for row in (cast.customer, cast.second, cast.other):
        row.known_at = cast.now - timedelta(days=99)
        row.save()
    lake, today = Lake.default(), day_of(cast.now)
    for back, (fell, rose, other) in ((7, (85, 55, 70)), (0, (60, 70, 10))):
        values = {cast.customer.pk: fell, cast.second.pk: rose, cast.other.pk: other}
        judge(lake, today - timedelta(days=back), values)
    refresh_summaries(now=cast.now)
    web = browser(cast.owner)
    page = web.get("/health/?sort=points").content.decode()
    assert 'name="listing" value="movers"' in page
    header, *lines = rows_of(export(web, listing="movers", sort="points", since="week"))
    changes = {line[0].lstrip("'"): line[header.index("Change")] for line in lines}
    assert set(changes) == {"=1+1科技", "上升制造"}
    assert float(changes["=1+1科技"].lstrip("'")) < 0 < float(changes["上升制造"])
    assert lines[0][header.index("because of")]


def test_journeys_are_exported_stage_by_stage(cast):
    install_customers(now=cast.now)
    stage = Stage.objects.order_by("pk").first()
    for row in (cast.customer, cast.other):
        row.stage, row.stage_since = stage, day_of(cast.now)
        row.save()
    web = browser(cast.owner)
    assert 'name="listing" value="journeys"' in web.get("/journeys/").content.decode()
    header, *lines = rows_of(export(web, listing="journeys"))
    assert len(lines) == Stage.objects.count()
    counted = [line for line in lines if line[header.index("Customers")] != "0"]
    assert [line[header.index("Stage")] for line in counted] == [stage.name_en]
    assert counted[0][header.index("Customers")] == "1"  # the stranger's is in another book
    assert counted[0][header.index("ARR")] == "486000.50"
