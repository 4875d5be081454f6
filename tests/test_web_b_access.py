"""Every settings, import and profile path for every role, for a stranger and logged out."""

import pytest
from factories import NOW, make_user

from gengyun.team.queries.access import CAPABILITIES
from gengyun.web import urls_settings

pytestmark = pytest.mark.django_db
ROLES = ["admin", "leader", "csm", "operations", "viewer"]
# name -> (capability to open it, capability to change through it)
PAGES = {
    "settings": (None, None),
    "settings_sources": ("settings.read", None),
    "settings_source_new": ("sources.edit", "sources.edit"),
    "settings_source": ("settings.read", None),
    "settings_source_edit": ("sources.edit", "sources.edit"),
    "settings_source_live": ("settings.read", None),
    "settings_source_quarantine": ("settings.read", None),
    "settings_source_replay": (None, "sources.edit"),
    "settings_key_new": (None, "sources.edit"),
    "settings_key_revoke": (None, "sources.edit"),
    "settings_metrics": ("settings.read", None),
    "settings_metric_new": ("settings.edit", "settings.edit"),
    "settings_metric": ("settings.read", "settings.edit"),
    "settings_metric_retire": (None, "settings.edit"),
    "settings_metric_restore": (None, "settings.edit"),
    "settings_scorecards": ("settings.read", None),
    "settings_scorecard_new": ("settings.edit", "settings.edit"),
    "settings_scorecard": ("settings.read", "settings.edit"),
    "settings_scorecard_up": (None, "settings.edit"),
    "settings_scorecard_versions": ("settings.read", None),
    "settings_scorecard_scope": ("settings.edit", "settings.edit"),
    "settings_scorecard_retire": (None, "settings.edit"),
    "settings_scorecard_test": ("settings.read", "settings.edit"),
    "settings_tiers": ("settings.read", "settings.edit"),
    "settings_tier_new": ("settings.edit", "settings.edit"),
    "settings_tier": ("settings.edit", "settings.edit"),
    "settings_stages": ("settings.read", None),
    "settings_stage_new": ("settings.edit", "settings.edit"),
    "settings_stage": ("settings.edit", "settings.edit"),
    "settings_stage_up": (None, "settings.edit"),
    "settings_fields": ("settings.read", None),
    "settings_field_new": ("settings.edit", "settings.edit"),
    "settings_field": ("settings.edit", "settings.edit"),
    "settings_field_up": (None, "settings.edit"),
    "settings_field_retire": (None, "settings.edit"),
    "settings_field_restore": (None, "settings.edit"),
    "settings_field_delete": (None, "settings.edit"),
    "settings_products": ("settings.read", None),
    "settings_product_new": ("settings.edit", "settings.edit"),
    "settings_product": ("settings.edit", "settings.edit"),
    "settings_product_up": (None, "settings.edit"),
    "settings_product_retire": (None, "settings.edit"),
    "settings_product_restore": (None, "settings.edit"),
    "settings_product_delete": (None, "settings.edit"),
    "settings_opportunity_stages": ("settings.read", None),
    "settings_opportunity_stage_new": (None, "settings.edit"),
    "settings_opportunity_stage": (None, "settings.edit"),
    "settings_rates": ("settings.read", "settings.edit"),
    "settings_revenue": ("settings.read", "settings.edit"),
    "settings_spend_add": (None, "settings.edit"),
    "settings_churn": ("settings.read", "settings.edit"),
    "settings_team": ("team.edit", None),
    "settings_user_new": ("team.edit", "team.edit"),
    "settings_user": ("team.edit", "team.edit"),
    "settings_user_active": (None, "team.edit"),
    "settings_team_new": ("team.edit", "team.edit"),
    "settings_team_edit": ("team.edit", "team.edit"),
    "settings_audit": ("audit.read", None),
    "imports": ("customer.import", None),
    "import_new": ("customer.import", "customer.import"),
    "import_sample": ("customer.import", None),
    "import": ("customer.import", "customer.import"),
    "import_start": (None, "customer.import"),
    "import_progress": ("customer.import", None),
    "import_errors": ("customer.import", None),
    "import_rows": ("customer.import", None),
    "import_delete": (None, "customer.import"),
    "definitions": (None, None),
    "profile": (None, None),
    "profile_password": (None, None),
}
OPEN = {"settings", "definitions", "profile", "profile_password"}  # to everybody who is logged in


@pytest.fixture
def world(settings, tmp_path):
    """One row of each thing that a path can name; returns {name: path}."""
    from factories import make_team

    from gengyun.customers.actions.custom_fields import create_field
    from gengyun.customers.actions.defaults import install_defaults as tiers
    from gengyun.customers.actions.importing import prepare_import
    from gengyun.customers.models import Stage, Tier
    from gengyun.health.actions.defaults import install_defaults as cards
    from gengyun.health.models import HistoryTest, Scorecard
    from gengyun.revenue.actions.catalogue import create_product
    from gengyun.revenue.actions.opportunity_stages import install_defaults as opportunity_stages
    from gengyun.revenue.models import OpportunityStage
    from gengyun.usage.actions.defaults import install_defaults as metrics
    from gengyun.usage.actions.sources import create_source
    from gengyun.usage.models import Metric

    settings.DATA_DIR = tmp_path
    settings.INBOX_PATH = tmp_path / "inbox.sqlite3"
    for install in (tiers, metrics, cards, opportunity_stages):
        install(now=NOW)
    file = tmp_path / "a.csv"
    file.write_text("客户编号,客户名称\nacct_1,晨曦科技\n")
    source = create_source(actor=None, now=NOW, name="Product")
    field = create_field(actor=None, now=NOW, kind="text", values={"name_zh": "合同号"})
    run = prepare_import(actor=None, now=NOW, kind="customers", file_name="a.csv", path=file)
    tried = HistoryTest.objects.create(
        scorecard=Scorecard.objects.first(), config={}, weeks=13, asked_at=NOW
    )
    args = {
        "settings_scorecard_test": [tried.scorecard_id, tried.pk],
        "settings_key_revoke": [source.pk, source.keys.get().pk],
        "import_sample": ["customers"],
        "settings_team_edit": [make_team().pk],
        "settings_opportunity_stage": [OpportunityStage.objects.first().pk, "edit"],
    }
    by_prefix = {
        "settings_source": [source.pk],
        "settings_key": [source.pk],
        "settings_metric": [Metric.objects.first().key],
        "settings_scorecard": [Scorecard.objects.first().pk],
        "settings_tier": [Tier.objects.first().pk],
        "settings_stage": [Stage.objects.first().pk],
        "settings_field": [field.pk],
        "settings_product": [
            create_product(actor=None, now=NOW, values={"name_zh": "协同", "name_en": "Collab"}).pk
        ],
        "settings_user": [make_user("viewer").pk],
        "import": [run.pk],
    }
    return {name: _path(name, args, by_prefix) for name in PAGES}


def _path(name, args, by_prefix):
    from django.urls import reverse

    for candidate in [args.get(name), *(by_prefix[p] for p in by_prefix if name.startswith(p)), []]:
        if candidate is None:
            continue
        try:
            return reverse(f"web:{name}", args=candidate)
        except Exception:  # noqa: BLE001 - the next guess has the right number of parts
            continue
    raise AssertionError(name)


def _holds(role, capability):
    return capability is None or role in CAPABILITIES[capability]


def test_this_file_knows_every_path():
    named = {pattern.name for pattern in urls_settings.urlpatterns}
    assert named == set(PAGES)


def test_every_view_says_who_may_open_it():
    for pattern in urls_settings.urlpatterns:
        assert hasattr(pattern.callback, "access"), pattern.name


@pytest.mark.parametrize("role", ROLES)
def test_pages_open_to_their_roles_only(client, world, role):
    client.force_login(make_user(role))
    for name, (read, _) in PAGES.items():
        answer = client.get(world[name])
        if (read is None and name not in OPEN) or name == "profile_password":
            expected = {405}
        elif not _holds(role, read):
            expected = {403}
        elif name in {"import_errors", "import_rows"}:
            expected = {404}  # no row was refused; a file of customers carries no money
        elif name in {"import", "import_progress"} and role == "leader":
            expected = {404}  # another's: a leader sees their own imports
        elif name == "import_progress":
            expected = {303}  # not running: to its page
        else:
            expected = {200}
        assert answer.status_code in expected, (name, role, answer.status_code)


@pytest.mark.parametrize("role", ROLES)
def test_changes_are_refused_to_roles_without_the_capability(client, world, role):
    client.force_login(make_user(role))
    for name, (_, change) in PAGES.items():
        if change is not None and not _holds(role, change):
            answer = client.post(world[name], {"step": "save"})
            assert answer.status_code == 403, (name, role, answer.status_code)


def test_logged_out_everything_leads_to_the_login(client, world):
    for name, path in world.items():
        for send in (client.get, client.post):
            answer = send(path)
            assert answer.status_code in {302, 405}, (name, answer.status_code)
            if answer.status_code == 302:
                assert answer.url.startswith("/login/"), name


def test_guessed_ids_are_not_found(client, world):
    client.force_login(make_user("admin"))
    for path in (
        "/settings/sources/987654/",
        "/settings/sources/987654/live/",
        "/settings/metrics/no-such/",
        "/settings/scorecards/987654/",
        "/settings/tiers/987654/",
        "/settings/stages/987654/",
        "/settings/team/users/987654/",
        "/settings/team/teams/987654/",
        "/imports/987654/",
        "/imports/987654/errors.csv",
        "/imports/987654/rows.csv",
        "/imports/sample/nothing.csv",
    ):
        assert client.get(path).status_code == 404, path


def test_a_leader_does_not_see_the_import_of_another(client, world):
    client.force_login(make_user("leader"))
    assert client.get(world["import"]).status_code == 404
    assert client.post(world["import_start"]).status_code == 404
    assert client.post(world["import_delete"]).status_code == 404
