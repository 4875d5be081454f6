"""The pages of the back-test and of the models: what a leader can read from them, and who may what."""

import re
from datetime import timedelta

import numpy as np
import pytest
from churn_worlds import LEARNERS, beside, renewals
from factories import NOW, make_customer, make_tiers, make_user

from gengyun.churn.calc import backtest as calc
from gengyun.churn.calc import report
from gengyun.churn.models import Backtest, ChurnModel, ModelState
from gengyun.kernel.models import Job
from gengyun.team.models import AuditEntry

pytestmark = pytest.mark.django_db
DAY = np.datetime64("2026-03-01")


@pytest.fixture(scope="module")
def made():
    """A report of the known world, as it is stored."""
    table, _ = renewals(120)
    plan = calc.Plan()
    found = calc.out_of_time(table, beside(table), LEARNERS, today=DAY, plan=plan)
    asked = report.Asked(
        "non_renewal", DAY, plan=plan, tiers=["standard", "key", "strategic"], draws=40
    )
    return report.build(table, found, beside(table), asked, dict.fromkeys(range(600, 700), 120))


@pytest.fixture
def stored(made):
    return store(made)


def store(found, **values):
    own = {key: value for key, value in found.items() if key != "rows"}
    defaults = {
        "created_at": NOW, "finished_at": NOW, "state": "done", "event": "non_renewal",
        "result": own, "rows": found.get("rows"),
    }  # fmt: skip
    return Backtest.objects.create(**(defaults | values))


@pytest.fixture(autouse=True)
def renewals_there():
    """The event is a renewal where there is one."""
    from factories import make_renewal

    make_renewal(make_customer("有合同的客户"), NOW.date() + timedelta(days=90))


@pytest.fixture
def get(client, monkeypatch):
    monkeypatch.setattr("gengyun.web.clock.utc_now", lambda: NOW)

    def ask(user, path, status=200):
        client.force_login(user)
        answer = client.get(path)
        assert answer.status_code == status, answer.content[:1500]
        return answer.content.decode()

    return ask


def text(html):
    """What is read: without tags and heads."""
    body = html.split("<main", 1)[-1]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", body))


def make_model(**values):
    defaults = {
        "event": "non_renewal", "rung": "L1", "state": ModelState.CHAMPION, "trained_at": NOW,
        "cutoff": NOW.date(), "rows": 900, "events": 90, "outcomes": 300,
        "span_from": NOW.date() - timedelta(days=800), "span_to": NOW.date() - timedelta(days=70),
        "promoted_at": NOW, "settings": {"grace_days": 60, "weights": {"util_28": [2.0, "measured"]}},
        "metrics": {"reason": "monthly", "notes": []},
        "race": {"in_time": True, "rows": 500, "events": 50, "entries": [
            {"name": "plain", "log_loss": 0.5, "gain": 0.0, "error": 0.0, "auc": 0.72,
             "brier": 0.18, "slope": 0.9},
            {"name": "L1", "log_loss": 0.48, "gain": 0.02, "error": 0.01, "auc": 0.75,
             "brier": 0.17, "slope": 1.0}]},
        "content": {"rung": "L1", "importance": [0.6, 0.2, 0.0], "features": [
            {"key": "util_28", "sign": -1, "weight": 2.0, "group": "use", "actionable": True, "kind": "number"},
            {"key": "overdue_days", "sign": 1, "weight": 1.5, "group": "commercial", "actionable": True, "kind": "number"},
            {"key": "nps_last", "sign": -1, "weight": 1.0, "group": "sentiment", "actionable": False, "kind": "number"}],
            "members": [{"name": "expert", "rate": None, "edge": 0.0001,
                         "content": {"kind": "linear", "settings": {"k": 1.0, "tau": 0.5}}}]},
    }  # fmt: skip
    return ChurnModel.objects.create(**(defaults | values))


# --- the report ----------------------------------------------------------------------------------


def test_a_leader_reads_the_five_answers(stored, get):
    make_tiers()
    told = text(get(make_user("leader"), "/insight/churn/"))
    counts = stored.result["counts"]
    assert "60 天内没有签下后续合同" in told  # what event
    assert "到期前 90 天" in told  # what horizon
    assert f"{counts['outcomes']} 个续约" in told  # how many outcomes
    assert f"{counts['events']} 个断约" in told
    auc = round(100 * stored.result["methods"]["model"]["auc"]["value"])
    assert f"{auc}%" in told  # how good
    assert "什么时候不要信" in told
    assert "中途" in told  # what it never speaks of
    assert "数据截至 2026-03-01" in told


def test_the_same_in_english(stored, get):
    told = text(get(make_user("leader", language="en"), "/insight/churn/"))
    assert "What event?" in told
    assert "no successor is signed" in told
    assert not re.search(r"[\u4e00-\u9fff]", told.replace("中文", ""))


def test_every_method_and_part_is_on_the_page(stored, get):
    html = get(make_user("leader"), "/insight/churn/")
    told = text(html)
    for word in (
        "只用健康分",
        "普通逻辑回归",
        "CSM 的判断",
        "该层的平均断约率",
        "按分层",
        "按到期的季度",
        "预警额度",
    ):
        assert word in told, word
    assert html.count("<circle") + html.count('<rect x="') == len(stored.result["reliability"])
    # the plot has its table beside it
    for one in stored.result["reliability"]:
        assert f">{one['lost']}</td>" in html
    assert "style=" not in html.split("<main", 1)[1]


def test_a_figure_opens_the_cases_behind_it(stored, get):
    admin = make_user("admin")
    ids = sorted(set(stored.rows["account"]))
    for pk in ids[:5]:
        make_customer(f"客户{pk}", pk=5000 + pk)
    stored.rows["account"] = [5000 + pk for pk in stored.rows["account"]]
    stored.save()
    path = f"/insight/churn/reports/{stored.pk}/cases/"
    group = stored.result["reliability"][-1]
    told = text(get(admin, f"{path}?bin={len(stored.result['reliability']) - 1}"))
    assert f"{group['count']} 个，其中断约 {group['lost']} 个" in told
    assert text(get(admin, path)).count("客户") > 5
    for query in ("tier=key", "quarter=2025-Q1", "lag=30", "told=1", "page=99", "bin=999", "lag=x"):
        get(admin, f"{path}?{query}")
    get(admin, "/insight/churn/reports/999999/cases/", status=404)


def test_customers_of_others_have_no_name(stored, get):
    owner, stranger = make_user("csm"), make_user("csm")
    for pk in {one["account"] for one in stored.result["worst"]}:
        make_customer(f"秘密客户{pk}", pk=7000 + pk, owner=owner)
    for one in stored.result["worst"]:
        one["account"] += 7000
    stored.rows["account"] = [7000 + pk for pk in stored.rows["account"]]
    stored.save()
    assert "秘密客户" in get(owner, "/insight/churn/")
    html = get(stranger, "/insight/churn/")
    assert "秘密客户" not in html
    assert "别人的客户" in html
    cases = get(stranger, f"/insight/churn/reports/{stored.pk}/cases/")
    assert "秘密客户" not in cases


def test_without_a_report_the_page_says_what_to_do(get):
    assert "还没有检验过" in text(get(make_user("leader"), "/insight/churn/"))
    assert "主管或运营可以" in text(get(make_user("csm"), "/insight/churn/"))


def test_too_few_outcomes_are_said_instead_of_figures(get):
    table, _ = renewals(12, years=3)
    table.y[:] = np.where(table.account < 2, table.y, 0.0)
    plan = calc.Plan()
    found = calc.out_of_time(table, beside(table), LEARNERS, today=DAY, plan=plan)
    store(
        report.build(table, found, beside(table), report.Asked("non_renewal", DAY, plan=plan), {})
    )
    told = text(get(make_user("leader"), "/insight/churn/"))
    assert "样本不足" in told
    assert "不下结论" in told
    assert "AUC" not in told.split("定义")[0]


def test_one_click_begins_a_back_test_once(client, get, monkeypatch):
    monkeypatch.setattr("gengyun.web.clock.utc_now", lambda: NOW)
    leader = make_user("leader")
    client.force_login(leader)
    for _ in range(2):
        assert client.post("/insight/churn/run/").status_code == 303
    made = Backtest.objects.get()
    assert (made.state, made.requested_by) == ("running", leader)
    assert made.settings["grace_days"] == 60
    assert Job.objects.filter(unique_key=f"churn_backtest:{made.pk}").count() == 1
    assert AuditEntry.objects.filter(action="churn.backtest").count() == 1
    told = text(get(leader, "/insight/churn/"))
    assert "正在做回测" in told
    client.force_login(make_user("csm"))
    assert client.post("/insight/churn/run/").status_code == 403


def test_progress_is_a_part_of_the_page_and_ends_in_the_whole(client, stored):
    client.force_login(make_user("leader"))
    running = store({}, state="running", result=None, created_at=NOW)
    htmx = {"HTTP_HX_REQUEST": "true"}
    answer = client.get("/insight/churn/?progress=1", **htmx)
    assert answer.content.decode().startswith('<section class="gy-card mb-3" id="progress"')
    running.state = "done"
    running.result = stored.result
    running.save()
    assert client.get("/insight/churn/?progress=1", **htmx)["HX-Redirect"] == "/insight/churn/"


def test_a_failed_one_is_said_beside_the_last_good_one(stored, get):
    store({}, state="failed", result=None, error="ValueError('x')", created_at=NOW)
    told = text(get(make_user("leader"), "/insight/churn/"))
    assert "上一次回测没有成功" in told
    assert str(stored.result["counts"]["events"]) in told


# --- models --------------------------------------------------------------------------------------


def test_the_card_says_what_a_model_is_and_what_moves_it(get):
    row = make_model()
    told = text(get(make_user("csm"), f"/insight/churn/models/{row.pk}/"))
    for word in (
        "60 天内没有签下后续合同",
        "300 个结果",
        "其中断约 90 个",
        "k = 1",
        "实测",
        "75%",
        "已知局限",
    ):
        assert word in told, word
    assert "没有用到" in told
    get(make_user("csm"), "/insight/churn/models/424242/", status=404)
    assert "在用" in text(get(make_user("csm"), "/insight/churn/models/"))


def test_rejected_weights_are_said(get):
    row = make_model()
    row.content["members"][0]["content"]["settings"]["k"] = 0.0
    row.save()
    told = text(get(make_user("leader"), f"/insight/churn/models/{row.pk}/"))
    assert "没有得到数据的支持" in told


def test_a_person_may_let_a_challenger_speak(client, get):
    champion = make_model(cutoff=NOW.date() - timedelta(days=40))
    row = make_model(state=ModelState.CHALLENGER, promoted_at=None)
    client.force_login(make_user("leader"))
    assert client.post(f"/insight/churn/models/{row.pk}/promote/").status_code == 403
    admin = make_user("admin")
    client.force_login(admin)
    client.post(f"/insight/churn/models/{row.pk}/promote/", {"why": "新品上线"})
    row.refresh_from_db()
    champion.refresh_from_db()
    assert (row.state, champion.state) == ("champion", "retired")
    assert admin.name in text(get(admin, f"/insight/churn/models/{row.pk}/"))


# --- words ---------------------------------------------------------------------------------------


def test_a_greater_error_is_more_and_never_less_by_a_negative(made):
    from django.utils.translation import override

    from gengyun.web.present.churn_report import _how_good

    worse = {"value": -0.08, "low": -0.2, "high": 0.05}
    of_model = made["methods"]["model"] | {"skill": worse}
    asked = made | {"methods": made["methods"] | {"model": of_model}}
    with override("zh-hans"):
        assert _how_good(asked)[-1] == "误差：比只用该层的平均断约率多 8%（多 20% 到 少 5%）。"
    with override("en"):
        told = _how_good(asked)[-1]
        assert "8% more than the rate of the tier alone makes (20% more to 5% less)" in told
        better = of_model | {"skill": {"value": 0.08, "low": 0.01, "high": 0.2}}
        asked["methods"]["model"] = better
        assert "8% less than the rate" in _how_good(asked)[-1]


def test_findings_of_one_and_a_method_of_latin_letters():
    from django.utils.translation import override

    from gengyun.web.present.churn_findings import sentence

    def said(**found):
        return sentence(found, lambda key: key, lambda key: key)

    with override("en"):
        assert said(kind="open", count=1).startswith("1 case is not decided yet")
        assert said(kind="open", count=1200).startswith("1,200 cases are not decided yet")
        assert "1 loss is too few" in said(kind="thin_tier", tier="VIP", events=1)
        assert "Only 1 loss so far" in said(kind="few_events", events=1, enough=50)
    with override("zh-hans"):
        assert said(kind="as_good_as", method="csm") == "还没有证明它比 CSM 的判断更好。"
        assert said(kind="worse_than", method="health") == "它不如只用健康分。"


def test_the_column_of_ece_has_its_unit(stored, get):
    assert "ECE（百分点）" in get(make_user("leader"), "/insight/churn/")
