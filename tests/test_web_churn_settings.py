"""The settings of the churn probability: numbers with their sources, a look before saving."""

import re
from datetime import timedelta

import pytest
from factories import NOW, make_customer, make_renewal, make_tiers, make_user
from test_web_churn_report import make_model, text

from gengyun.churn.models import ChurnForecast, ChurnSettings
from gengyun.kernel.clock import utc_now
from gengyun.kernel.days import day_of
from gengyun.team.models import AuditEntry

pytestmark = pytest.mark.django_db
PATH = "/settings/churn/"


@pytest.fixture
def tiers():
    make_renewal(make_customer(), NOW.date() + timedelta(days=90))
    return make_tiers()


def form_of(client):
    """Every input of the page with its value, as a browser would send it."""
    html = client.get(PATH).content.decode()
    found = {}
    for tag in re.findall(r"<input [^>]+>", html):
        name = re.search(r'name="([^"]+)"', tag)
        value = re.search(r'value="([^"]*)"', tag)
        if name and value and name[1] != "csrfmiddlewaretoken":
            found[name[1]] = value[1]
    chosen = re.search(r'<select class="form-select" id="f-event".*?</select>', html, re.DOTALL)[0]
    found["event"] = re.search(r'value="(\w+)" selected', chosen)[1]
    return found


def test_every_number_stands_beside_its_source(client, tiers):
    client.force_login(make_user("leader"))
    html = client.get(PATH).content.decode()
    told = text(html)
    for word in ("基准率", "阈值", "权重", "宽限天数", "现在：不续约", "使用", "关系"):
        assert word in told, word
    values = len(re.findall(r'name="(?:rate|value|weight)\.', html))
    assert values == len(re.findall(r'name="source\.', html)) > 60
    assert 'value="假设"' in html
    assert "只能看" in told or "管理员和运营" in told
    client.force_login(make_user("csm"))
    assert client.get(PATH).status_code == 403


def test_left_as_it_is_nothing_changes(client, tiers):
    client.force_login(make_user("admin"))
    assert client.post(PATH, form_of(client) | {"step": "save"}).status_code == 303
    row = ChurnSettings.objects.get(pk=1)
    assert (row.weights, row.base_rates, row.thresholds, row.version) == ({}, {}, {}, 1)
    assert not AuditEntry.objects.filter(action="churn.settings").exists()


def test_a_change_is_shown_first_and_saved_with_its_source(client, tiers):
    user = make_user("operations")
    client.force_login(user)
    asked = form_of(client) | {
        "rate.standard": "25",
        "source.rate.standard": "2025 年台账",
        "weight.overdue_days": "3",
        "value.tier:key": "45%",
        "source.value.tier:key": "assumption",
        "grace_days": "45",
    }
    told = text(client.post(PATH, asked | {"step": "preview"}).content.decode())
    assert "保存后" in told
    assert "30 × 20 (假设) → 25 × 20 (2025 年台账)" in told
    assert not ChurnSettings.objects.exists()
    assert client.post(PATH, asked | {"step": "save"}).status_code == 303
    row = ChurnSettings.objects.get(pk=1)
    assert row.base_rates == {"standard": {"rate": 0.25, "worth": 20.0, "source": "2025 年台账"}}
    # nobody said where this one comes from: who changed it, and when, is what is known
    mark = f"{user.name}，{day_of(utc_now())}"
    assert row.weights == {"overdue_days": {"weight": 3.0, "source": mark}}
    assert row.thresholds == {"tier:key": {"value": 0.45, "source": "assumption"}}
    assert (row.grace_days, row.version) == (45, 2)
    html = client.get(PATH).content.decode()
    assert "出厂：30" in html
    # what is typed back is as shipped again; the rest stays
    again = form_of(client) | {"rate.standard": "30", "source.rate.standard": "假设"}
    again |= {"value.tier:key": "", "source.value.tier:key": ""}
    assert client.post(PATH, again | {"step": "save"}).status_code == 303
    row.refresh_from_db()
    assert (row.base_rates, row.thresholds) == ({}, {})
    assert row.weights == {"overdue_days": {"weight": 3.0, "source": mark}}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("rate.standard", "viel"),
        ("rate.standard", "120"),
        ("worth.rate.standard", ""),
        ("worth.rate.standard", "-5"),
        ("weight.util_28", "9"),
        ("value.close_share", "5"),
        ("value.tier:key", "150%"),
        ("silent_days", "3"),
        ("weight.util_28", "nan"),
        ("value.jump_logit", "-1"),
        ("grace_days", "x"),
        ("grace_days", "9999"),
        ("event", "rain"),
    ],
)
def test_what_cannot_be_is_refused_and_kept_on_the_page(client, tiers, name, value):
    client.force_login(make_user("admin"))
    for step in ("preview", "save"):
        answer = client.post(PATH, form_of(client) | {name: value, "step": step})
        assert answer.status_code == 422
        html = answer.content.decode()
        assert 'role="alert"' in html
        assert "保存后" not in text(html)  # what is refused is no change
    assert not ChurnSettings.objects.filter(version__gt=1).exists()


def test_a_number_without_a_source_is_refused(client, tiers):
    client.force_login(make_user("admin"))
    asked = form_of(client) | {"weight.util_28": "1", "source.weight.util_28": ""}
    answer = client.post(PATH, asked | {"step": "save"})
    assert answer.status_code == 422
    assert "来源" in text(answer.content.decode())


def test_reading_is_not_changing(client, tiers):
    client.force_login(make_user("leader"))
    assert client.post(PATH, {"step": "save", "grace_days": "30"}).status_code == 403


def test_other_base_rates_are_shown_on_todays_estimates(client, tiers):
    make_model(rung="L0")
    customer = make_customer(tier=tiers["standard"])
    ChurnForecast.objects.create(
        customer=customer, as_of=NOW.date(), event="non_renewal", probability=0.30,
        tier=tiers["standard"], computed_at=NOW,
    )  # fmt: skip
    client.force_login(make_user("admin"))
    asked = form_of(client) | {"rate.standard": "15", "step": "preview"}
    told = text(client.post(PATH, asked).content.decode())
    assert "30.0%15.0%" in told.replace(" ", "")
    assert "这些数" in told


def test_a_model_that_has_learned_is_said_not_to_follow_at_once(client, tiers):
    make_model()
    client.force_login(make_user("admin"))
    told = text(client.post(PATH, form_of(client) | {"rate.standard": "15"}).content.decode())
    assert "在用的模型学过 90 笔断约" in told


def test_the_editor_comes_alone_when_htmx_asks_for_it(client, tiers):
    client.force_login(make_user("admin"))
    asked = form_of(client) | {"weight.util_28": "x"}
    html = client.post(PATH, asked, headers={"HX-Request": "true"}).content.decode()
    assert html.startswith('<div id="churn-editor"')
    assert "<html" not in html
    assert 'role="alert"' in html
    assert html.count('name="source.') > 10


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("weight.util_28", "7", "“日活跃席位占比”的权重是 0 到 3 的数。"),
        ("value.close_share", "5", "”是 0.1 到 1 的数。"),
        ("value.tier:key", "150%", "是 1 到 99 的数。"),
        ("rate.standard", "150", "基准率大于 0、小于 100%，相当于 0 到 10000 笔续约。"),
    ],
)
def test_a_refusal_names_what_the_page_names(client, tiers, name, value, said):
    client.force_login(make_user("admin"))
    html = client.post(PATH, form_of(client) | {name: value, "step": "preview"}).content.decode()
    alert = re.search(r'role="alert">([^<]+)<', html)[1]
    assert alert.endswith(said), alert
    assert name.partition(".")[2] not in alert


def test_a_changed_number_does_not_keep_the_source_of_the_old_one(client, tiers):
    user = make_user("admin")
    client.force_login(user)
    mark = f"{user.name}，{day_of(utc_now())}"
    first = form_of(client) | {"weight.util_28": "1.5"}
    seen = client.post(PATH, first | {"step": "preview"}).content.decode()
    assert f"2 (假设) → 1.5 ({mark})" in text(seen)
    assert re.search(rf'name="source.weight.util_28" value="{mark}"', seen)
    # taken back after the look: as it was
    back = first | {"weight.util_28": "2.0", "source.weight.util_28": mark}
    assert client.post(PATH, back | {"step": "save"}).status_code == 303
    assert not ChurnSettings.objects.filter(version__gt=1).exists()
    client.post(PATH, first | {"step": "save"})
    assert ChurnSettings.objects.get().weights["util_28"]["source"] == mark
    # back to what is shipped without touching the source: shipped again
    client.post(PATH, form_of(client) | {"weight.util_28": "2", "step": "save"})
    assert ChurnSettings.objects.get().weights == {}


@pytest.mark.parametrize(
    ("changed", "said", "unsaid"),
    [
        ({"grace_days": "45"}, "直接替换在用的", "在用的模型学过"),
        ({"value.jump_logit": "1"}, "阈值不改变概率", "在用的模型学过"),
        ({"weight.util_28": "1"}, "在用的模型学过 90 笔断约", "阈值不改变概率"),
        ({"event": "non_renewal"}, "保存后", "直接替换在用的"),  # the event that holds anyway
    ],
)
def test_each_kind_of_change_says_what_it_does(client, tiers, changed, said, unsaid):
    make_model()
    client.force_login(make_user("admin"))
    asked = form_of(client) | changed | {"step": "preview"}
    told = text(client.post(PATH, asked).content.decode())
    assert said in told
    assert unsaid not in told


def test_what_was_saved_can_be_taken_back(client, tiers):
    client.force_login(make_user("admin"))
    client.post(PATH, form_of(client) | {"grace_days": "45", "weight.util_28": "1", "step": "save"})
    html = client.get(PATH).content.decode()
    undo = re.search(r'"(/undo/[^"]+)"', html)[1]
    assert client.post(undo).status_code in {204, 302, 303}
    row = ChurnSettings.objects.get()
    assert (row.grace_days, row.weights, row.version) == (60, {}, 3)
    client.post(PATH, form_of(client) | {"step": "save"})  # nothing changed, nothing to take back
    assert "/undo/" not in client.get(PATH).content.decode()


def test_the_audit_log_says_churn_in_words(client, tiers):
    client.force_login(make_user("admin"))
    client.post(PATH, form_of(client) | {"grace_days": "45", "step": "save"})
    html = client.get("/settings/audit/").content.decode()
    assert "断约概率：改了设置</option>" in html
    assert ">churn.settings<" not in html
    assert "churn.churnsettings" not in html
