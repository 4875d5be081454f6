"""A deployment of the version before, with its data, comes up in this one."""

import pytest
import schema
from databases import drop_database, migrated_database, new_database
from deployment import Deployment

pytestmark = pytest.mark.slow

# the packages as version 0.1 left them
BEFORE = """
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader

OLD = ["kernel", "team", "customers", "usage", "engagement", "health", "portfolio"]
executor = MigrationExecutor(connection)
# one after another, as there was no shorter way then
loader = executor.loader = MigrationLoader(connection, replace_migrations=False)
targets = [(app, "0001_initial") for app in OLD]
for app in ("contenttypes", "auth", "sessions", "axes"):
    targets += loader.graph.leaf_nodes(app)
executor.migrate(targets)
apps = loader.project_state(targets).apps

from datetime import UTC, date, datetime, timedelta
from django.contrib.auth.hashers import make_password

now = datetime.now(UTC)
long_ago = now - timedelta(days=400)
User = apps.get_model("team", "User")
admin = User.objects.create(
    email="admin@old.example", name="老管理员", role="admin",
    password=make_password("an-old-password"), created_at=long_ago,
)
csm = User.objects.create(
    email="csm@old.example", name="老林", role="csm",
    password=make_password("an-old-password"), created_at=long_ago,
)
Tier, Stage = apps.get_model("customers", "Tier"), apps.get_model("customers", "Stage")
tier = Tier.objects.create(
    key="key", name_zh="重点", name_en="Key", touch_model="low", position=1
)
apps.get_model("customers", "TierRule").objects.create(tier=tier, position=1)
stage = Stage.objects.create(
    key="steady", touch_model="low", name_zh="平稳", name_en="Steady", position=1,
    expected_days=60, longest_days=90,
)
Customer = apps.get_model("customers", "Customer")
FieldChange = apps.get_model("customers", "FieldChange")
Summary = apps.get_model("portfolio", "CustomerSummary")
for n in range(40):
    customer = Customer.objects.create(
        external_id=f"acct_{n}", name=f"杭州老客户{n:02d}有限公司", owner=csm, tier=tier,
        stage=stage, stage_since=date.today() - timedelta(days=30), arr_minor=10_000_00 + n,
        seats=10, known_at=long_ago, created_at=long_ago, updated_at=long_ago,
    )
    apps.get_model("customers", "StageStay").objects.create(
        customer=customer, stage=stage, entered_on=date.today() - timedelta(days=30)
    )
    for field, value in (("tier_id", tier.pk), ("stage_id", stage.pk), ("seats", 10)):
        FieldChange.objects.create(customer=customer, field=field, value=value, known_at=long_ago)
    Summary.objects.create(
        customer=customer, name=customer.name, search_key=f"{customer.name}\\nacct_{n}",
        owner=csm, tier=tier, stage=stage, arr_minor=customer.arr_minor, updated_at=long_ago,
    )
apps.get_model("engagement", "Activity").objects.create(
    customer=customer, kind="call", body="上个版本写下的话", happened_at=long_ago,
    recorded_at=long_ago, author=csm,
)
apps.get_model("portfolio", "SavedView").objects.create(
    owner=csm, name="我的旧视图", query={"filters": [], "sort": "-arr", "columns": ["arr"]},
    created_at=long_ago, updated_at=long_ago,
)
Metric = apps.get_model("usage", "Metric")
Metric.objects.create(
    key="events_30d", name_zh="30 天使用次数", name_en="Events", created_at=long_ago,
    updated_at=long_ago,
    definition={"aggregate": "count", "events": None, "window_days": 30},
)
Scorecard = apps.get_model("health", "Scorecard")
card = Scorecard.objects.create(name_zh="旧评分卡", name_en="Old card", position=1)
apps.get_model("health", "ScorecardVersion").objects.create(
    scorecard=card, number=1, published_at=long_ago,
    config={"groups": [{"key": "g", "name_zh": "组", "name_en": "G", "weight": 1, "factors": [
        {"key": "f", "metric": "events_30d", "weight": 1, "curve": [[0, 0], [10, 100]]}]}]},
)
Source = apps.get_model("usage", "Source")
source = Source.objects.create(key="app", name="App", is_history=True, created_at=long_ago)
apps.get_model("usage", "WriteKey").objects.create(
    source=source, key="test-write-key", created_at=long_ago
)
"""
EVENTS = b'{"batch":[%s]}' % b",".join(
    b'{"type":"track","event":"report","userId":"u%d","messageId":"m%d",'
    b'"timestamp":"2026-01-15T08:30:00Z","context":{"groupId":"acct_%d"}}' % (n, n, n)
    for n in range(40)
)
PAGES = """
from django.test import Client
from gengyun.customers.models import Customer
from gengyun.portfolio.models import SavedView

client = Client(headers={"accept-language": "zh-hans"})
from gengyun.team.models import User
client.force_login(
    User.objects.get(email="csm@old.example"),
    backend="django.contrib.auth.backends.ModelBackend",
)
customer = Customer.objects.get(external_id="acct_39")
view = SavedView.objects.get()
for path, text in (
    ("/", "老林"),
    ("/customers/?q=老客户07", "杭州老客户07"),
    (f"/customers/?view={view.pk}", "我的旧视图"),
    (f"/customers/{customer.pk}/", "上个版本写下的话"),
    ("/alerts/", "预警"),
    ("/health/", "健康"),
):
    answer = client.get(path, headers={"host": "localhost"})
    assert answer.status_code == 200, (path, answer.status_code)
    assert text in answer.content.decode(), (path, text)
"""


class OldDeployment(Deployment):
    """Its tables and what is in them are where the old version left them."""

    def __init__(self, folder):
        folder.mkdir()
        super().__init__(folder)
        self.python(BEFORE)

    def new_database(self):
        return new_database()


def schema_of_a_new_database(folder):
    url = migrated_database(folder)
    try:
        return schema.of(folder, url)
    finally:
        drop_database(url)


def test_data_of_the_version_before_is_there_and_goes_on(tmp_path):
    deployment = OldDeployment(tmp_path / "data")
    done = deployment.run("migrate")
    assert done.returncode == 0, done.stderr
    assert deployment.rows("SELECT count(*) FROM portfolio_namepair")[0][0] > 40
    assert schema.of(deployment.folder, deployment.url) == schema_of_a_new_database(
        tmp_path / "new"
    )
    deployment.start(workers=1).start_worker()
    try:
        assert deployment.post("/v1/batch", EVENTS)[0] == 200
        deployment.wait_until_drained()
        day = deployment.command("daily", "--json")
        assert day["state"] == "done", day
        again = deployment.command("rebuild", "--json")
        assert again == {"customers": 40, "changed": 0}
        deployment.python(PAGES)
        assert deployment.worker.poll() is None
    finally:
        deployment.stop_all()
