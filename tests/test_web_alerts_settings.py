"""Rules, causes, policy and channels on their settings pages."""

import re

import pytest
from alert_rows import make_alert, make_rules
from django.test import Client
from factories import NOW, make_customer, make_user

from gengyun.alerts.models import Alert, AlertPolicy, AlertRule, RiskCause
from gengyun.engagement.models import Channel, Delivery
from gengyun.team.models import AuditEntry, User
from gengyun.usage.actions.defaults import install_defaults as install_metrics

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def rules():
    from gengyun.customers.actions.defaults import install_defaults as tiers

    tiers(now=NOW)
    install_metrics(now=NOW)
    found = make_rules()
    User.objects.update(language="en")
    return found


def browser(role):
    client = Client()
    client.force_login(make_user(role, language="en"))
    return client


def text_of(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


PATHS = ["/settings/alerts/", "/settings/alerts/causes/", "/settings/channels/"]
WRITES = ["/settings/alerts/new/", "/settings/channels/new/"]


@pytest.mark.parametrize("role", ["admin", "operations", "leader", "csm", "viewer"])
def test_who_may_look_and_who_may_change(rules, role):
    client, rule = browser(role), rules["usage_drop"]
    may_read, may_edit = role in {"admin", "operations", "leader"}, role in {"admin", "operations"}
    for path in [*PATHS, f"/settings/alerts/{rule.pk}/"]:
        assert client.get(path).status_code == (200 if may_read else 403), path
    for path in WRITES:
        assert client.get(path).status_code == (200 if may_edit else 403), path
    for path in (
        f"/settings/alerts/{rule.pk}/off/",
        "/settings/alerts/policy/",
        "/settings/alerts/causes/new/",
        f"/settings/alerts/causes/{rule.cause_id}/retire/",
    ):
        if not may_edit:
            assert client.post(path, {"daily_budget": 9}).status_code == 403, path
    if not may_edit:
        rule.refresh_from_db()
        assert rule.is_active


def form_of(client, path):
    """The fields of the editor, as a browser would send them back."""
    page = client.get(path).content.decode()
    form = page[page.index('id="rule-editor"') : page.index('id="rule-trial"')]
    values = {}
    for tag in re.findall(r"<input[^>]*>", form):
        name = re.search(r'name="([^"]+)"', tag)
        if not name or "csrf" in name[1]:
            continue
        if re.search(r'type="(checkbox|radio)"', tag) and "checked" not in tag:
            continue
        values.setdefault(name[1], []).append(re.search(r'value="([^"]*)"', tag)[1])
    for name, body in re.findall(
        r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', form, re.DOTALL
    ):
        chosen = re.search(r'value="([^"]*)" selected', body)
        values[name] = chosen[1] if chosen else re.search(r'value="([^"]*)"', body)[1]
    return values


def test_every_rule_can_be_saved_as_it_stands(rules):
    client = browser("operations")
    for rule in rules.values():
        path = f"/settings/alerts/{rule.pk}/"
        answer = client.post(path, form_of(client, path))
        assert answer.status_code == 303, (rule.key, text_of(answer)[:2000])
        after = AlertRule.objects.get(pk=rule.pk)
        assert (after.params, after.version) == (rule.params, rule.version), rule.key


def test_a_percentage_is_typed_as_people_say_it(rules):
    client, rule = browser("operations"), rules["usage_drop"]
    path = f"/settings/alerts/{rule.pk}/"
    form = form_of(client, path)
    assert form["p-ratio"] == ["80"]
    client.post(path, form | {"p-ratio": "70 %", "severity": "1"})
    rule.refresh_from_db()
    assert (rule.params["ratio"], rule.severity, rule.version) == (0.7, 1, 2)


def test_a_free_rule_on_any_metric(rules):
    client = browser("operations")
    path = "/settings/alerts/new/?kind=metric"
    form = form_of(client, path) | {
        "p-metric": "active_users_30d", "p-op": "lt", "p-enter": "3", "p-exit": "5", "p-evaluations": "2",
        "name_zh": "用的人太少", "name_en": "Too few users", "cause": str(rules["usage_drop"].cause_id),
        "tiers": [], "how": "none",
    }  # fmt: skip
    assert client.post(path, form).status_code == 303
    rule = AlertRule.objects.get(name_en="Too few users")
    assert rule.params["enter"] == 3
    assert rule.params["exit"] == 5
    assert rule.routes == [{"mode": "none"}]
    assert "30-day active users below 3" in text_of(
        client.get("/settings/alerts/")
    ) or "below 3" in text_of(client.get("/settings/alerts/"))


@pytest.mark.parametrize(
    "change, words",
    [
        ({"p-enter": ""}, "This is needed."),
        ({"p-enter": "many"}, "This is no number."),
        ({"p-exit": "1"}, "wrong side of the limit"),
        ({"p-evaluations": "0"}, "outside what makes sense"),
        ({"p-metric": "nonsense"}, "This cannot be chosen."),
        ({"cause": ""}, "Which cause is suspected"),
        ({"name_en": ""}, "A rule needs a name in both languages."),
        ({"first_response_hours": "-1"}, "outside what makes sense"),
        ({"tiers": ["999999"]}, ""),
    ],
)
def test_what_cannot_be_is_said_beside_the_field_and_kept(rules, change, words):
    client = browser("operations")
    path = "/settings/alerts/new/?kind=metric"
    form = form_of(client, path) | {
        "p-metric": "active_users_30d", "p-enter": "3", "p-exit": "5", "name_zh": "少", "name_en": "Few",
        "cause": str(rules["usage_drop"].cause_id),
    }  # fmt: skip
    answer = client.post(path, form | change)
    assert answer.status_code == 422
    assert words in text_of(answer)
    if "name_en" not in change:
        assert 'value="Few"' in answer.content.decode()
    assert not AlertRule.objects.filter(name_zh="少").exists()


def test_the_dry_run_follows_what_is_typed_and_saves_nothing(rules):
    from gengyun.customers.models import Contact

    client, rule = browser("operations"), rules["decider_left"]
    customer = make_customer("青禾科技")
    from gengyun.kernel.clock import utc_now
    from gengyun.kernel.days import day_of

    today = day_of(utc_now())
    Contact.objects.create(
        customer=customer,
        name="王思琪",
        part="decider",
        left_on=today,
        created_at=NOW,
        updated_at=NOW,
    )
    path = f"/settings/alerts/{rule.pk}/"
    form = form_of(client, path) | {"step": "preview"}
    page = text_of(client.post(path, form, headers=HTMX))
    assert "1 customer would be flagged now" in page
    assert "王思琪" in page
    none = client.post(path, form | {"p-parts": ["champion"]}, headers=HTMX)
    assert "0 customers would be flagged now" in text_of(none)
    rule.refresh_from_db()
    assert rule.params["parts"] == ["decider"]


def test_off_on_up_demote_retire_and_back(rules):
    client, rule = browser("operations"), rules["usage_drop"]
    do = f"/settings/alerts/{rule.pk}"
    for verb, check in (
        ("off", lambda r: not r.is_active),
        ("on", lambda r: r.is_active),
        ("demote", lambda r: r.severity == 3),
        ("up", lambda r: r.position < 40),
        ("retire", lambda r: r.retired_at is not None),
        ("restore", lambda r: r.retired_at is None and r.is_active),
    ):
        assert client.post(f"{do}/{verb}/").status_code == 303
        rule.refresh_from_db()
        assert check(rule), verb
    assert client.post(f"{do}/explode/").status_code == 404


def test_the_list_shows_how_right_a_rule_is_and_proposes_less_of_a_bad_one(rules):
    rule = rules["usage_drop"]
    for n in range(24):
        alert = make_alert(rule, make_customer(f"c{n}"))
        verdict = "true" if n < 2 else "false"
        Alert.objects.filter(pk=alert.pk).update(state="closed", verdict=verdict, closed_at=NOW)
    few = rules["dormant"]
    alert = make_alert(few, make_customer("x"))
    Alert.objects.filter(pk=alert.pk).update(state="closed", verdict="true", closed_at=NOW)
    page = text_of(browser("operations").get("/settings/alerts/"))
    assert "8% of 24" in page
    assert "“Usage drop” is wrong most of the time" in page
    assert "1 of 1, too few to say" in page


def test_the_policy_is_changed_within_its_limits(rules):
    client = browser("operations")
    assert (
        client.post(
            "/settings/alerts/policy/", {"daily_budget": "5", "snooze_days": "20"}
        ).status_code
        == 303
    )
    kept = AlertPolicy.objects.get()
    assert (kept.daily_budget, kept.snooze_days) == (5, 20)
    answer = client.post("/settings/alerts/policy/", {"daily_budget": "0"})
    assert answer.status_code == 422
    assert "must be between 1 and 200" in text_of(answer)
    kept.refresh_from_db()
    assert kept.daily_budget == 5


def test_causes_are_added_changed_and_retired_not_deleted(rules):
    client = browser("operations")
    family = RiskCause.objects.get(key="service")
    client.post(
        "/settings/alerts/causes/new/",
        {
            "parent": family.pk,
            "grade": "low",
            "name_zh": "培训不足",
            "name_en": "Too little training",
        },
    )
    cause = RiskCause.objects.get(name_en="Too little training")
    assert (cause.parent, cause.grade) == (family, "low")
    client.post(
        f"/settings/alerts/causes/{cause.pk}/edit/",
        {"grade": "high", "name_zh": "培训不足", "name_en": "Training"},
    )
    client.post(f"/settings/alerts/causes/{cause.pk}/retire/")
    cause.refresh_from_db()
    assert (cause.grade, cause.name_en, cause.retired_at is None) == ("high", "Training", False)
    client.post(f"/settings/alerts/causes/{cause.pk}/restore/")
    cause.refresh_from_db()
    assert cause.retired_at is None
    in_use = rules["usage_drop"].cause
    assert client.post(f"/settings/alerts/causes/{in_use.pk}/retire/").status_code == 409


# ---- channels

FEISHU = "https://open.feishu.cn/open-apis/bot/v2/hook/0a1b2c3d-secret-token"
FORM = {
    "name": "一线群", "url": FEISHU, "sign": "gengyunFeishuSecret01", "at_once": "1", "digest": "3",
    "digest_at": "09:30", "quiet_from": "20:00", "quiet_to": "08:00", "language": "en", "team": "",
}  # fmt: skip


def test_a_channel_is_made_and_its_secrets_do_not_come_back(rules):
    client = browser("operations")
    answer = client.post("/settings/channels/new/?kind=feishu", FORM)
    assert answer.status_code == 303
    channel = Channel.objects.get()
    assert (channel.at_once, channel.digest, f"{channel.digest_at:%H:%M}") == (1, 3, "09:30")
    for path in ("/settings/channels/", f"/settings/channels/{channel.pk}/"):
        page = client.get(path).content.decode()
        assert "一线群" in page
        assert "secret-token" not in page
        assert "gengyunFeishuSecret01" not in page
    assert (
        "open.feishu.cn … oken" in client.get(f"/settings/channels/{channel.pk}/").content.decode()
    )
    assert "secret-token" not in str(list(AuditEntry.objects.values_list("changes", flat=True)))


def test_empty_secret_fields_leave_the_secrets(rules):
    client = browser("operations")
    client.post("/settings/channels/new/?kind=feishu", FORM)
    channel = Channel.objects.get()
    form = FORM | {"url": "", "sign": "", "is_active": "0", "name": "夜班群"}
    assert client.post(f"/settings/channels/{channel.pk}/", form).status_code == 303
    channel.refresh_from_db()
    assert (channel.name, channel.is_active, channel.secrets["url"]) == ("夜班群", False, FEISHU)


@pytest.mark.parametrize(
    "kind, change, words",
    [
        ("feishu", {"url": "https://example.cn/x"}, "This is no address of this service."),
        ("feishu", {"url": ""}, "The address is missing."),
        ("feishu", {"digest_at": "9 o'clock"}, "A time looks like 09:00."),
        ("feishu", {"at_once": "9"}, "A severity is a number from 1 to 4"),
        ("feishu", {"name": ""}, "The channel needs a name."),
        (
            "email",
            {"host": "", "port": "x", "security": "none", "sender": "x"},
            "Which mail server?",
        ),
        (
            "email",
            {"host": "m", "port": "25", "security": "none", "sender": "a@b.cn", "recipients": ""},
            "To whom?",
        ),
        ("webhook", {"url": "https://example.cn/in", "sign": "short"}, "must begin with whsec_"),
    ],
)
def test_a_channel_that_cannot_work_says_where(rules, kind, change, words):
    answer = browser("operations").post(f"/settings/channels/new/?kind={kind}", FORM | change)
    assert answer.status_code == 422
    assert words in text_of(answer)
    assert not Channel.objects.exists()


def test_a_test_message_and_its_record(rules):
    client = browser("operations")
    client.post("/settings/channels/new/?kind=nowhere", FORM)
    channel = Channel.objects.get()
    answer = client.post(f"/settings/channels/{channel.pk}/test/", follow=True)
    assert "The test message was taken" in text_of(answer)
    assert "Gengyun: test message" in text_of(answer)
    row = Delivery.objects.get()
    Delivery.objects.filter(pk=row.pk).update(state="failed")
    assert client.post(f"/settings/channels/{channel.pk}/deliveries/{row.pk}/").status_code == 302
    row.refresh_from_db()
    assert row.state == "waiting"
    assert client.post(f"/settings/channels/{channel.pk}/deliveries/999999/").status_code == 404
    assert browser("leader").post(f"/settings/channels/{channel.pk}/test/").status_code == 403
