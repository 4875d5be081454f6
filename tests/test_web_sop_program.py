"""A program lets customers into an SOP: token, answers per customer, the same request twice."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from factories import NOW, make_contact, make_customer, make_user
from factories import make_sop as make_version

from gengyun.customers.actions.merging import merge_customers
from gengyun.portfolio.models import CustomerSummary
from gengyun.sop.models import Run, Sop
from gengyun.team.actions import tokens
from gengyun.team.calc import tokens as calc
from gengyun.team.models import ApiToken, AuditEntry, KeptAnswer
from gengyun.tracking.dialects import is_tracking_path

pytestmark = pytest.mark.django_db
STEPS = [{"key": "n", "kind": "note", "text": "x"}, {"key": "w", "kind": "wait", "days": 9}]


def made(external_id, score=40.0):
    customer = make_customer(external_id=external_id)
    CustomerSummary.objects.create(
        customer=customer, name=customer.name, score=score, updated_at=NOW
    )
    return customer


@pytest.fixture
def sop():
    linked = [STEPS[0] | {"next": "w"}, STEPS[1]]
    return make_version({"entry": {"kind": "api"}, "steps": linked, "first": "n"}).sop


@pytest.fixture
def token(sop):
    scope = calc.scope_of("sops.enter", sop.pk)
    return tokens.create_token(actor=None, now=NOW, scope=scope, name="ERP")[1]


def ask(sop, token, customers, *, key="", body=None, **more):
    headers = {"Authorization": f"Bearer {token}"} | ({"Idempotency-Key": key} if key else {})
    asked = {"customers": customers} if body is None else body
    return Client(enforce_csrf_checks=True).post(
        f"/v1/sops/{getattr(sop, 'key', sop)}/enter",
        asked,
        content_type=more.pop("content_type", "application/json"),
        headers=headers,
    )


def said(answer):
    return {one["id"]: one.get("reason", one["outcome"]) for one in answer.json()["customers"]}


def test_each_customer_gets_an_answer_and_enters_once(sop, token):
    first, gone = made("acct_a"), made("acct_gone")
    type(gone).objects.filter(pk=gone.pk).update(archived_at=NOW)
    make_customer(external_id="acct_new")  # its figures are not there yet
    answer = ask(sop, token, ["acct_a", "acct_?", "acct_gone", "acct_new", "acct_a"])
    assert answer.status_code == 200
    assert said(answer) == {
        "acct_a": "accepted", "acct_?": "not_found", "acct_gone": "not_found",
        "acct_new": "not_ready",
    }  # fmt: skip
    assert (answer.json()["accepted"], answer.json()["refused"]) == (1, 3)
    run = Run.objects.get()
    assert (run.customer, run.arm, run.step_key) == (first, "treat", "n")
    assert said(ask(sop, token, ["acct_a"])) == {"acct_a": "running"}
    assert Run.objects.count() == 1
    assert AuditEntry.objects.filter(action="sop.entered_by_program").count() == 2


def test_a_merged_customer_is_answered_for_by_whom_it_is_part_of(sop, token):
    gone, between, kept = made("acct_old"), made("acct_mid"), made("acct_kept")
    merge_customers(actor=None, now=NOW, kept=between, gone=gone)
    between.refresh_from_db()
    merge_customers(actor=None, now=NOW, kept=kept, gone=between)
    answer = ask(sop, token, ["acct_old"])
    assert said(answer) == {"acct_old": "accepted"}
    assert Run.objects.get().customer_id == kept.pk


def test_the_same_key_gets_the_same_answer_and_lets_nobody_in_twice(sop, token):
    made("acct_a")
    Sop.objects.update(changed_at=NOW)
    first = ask(sop, token, ["acct_a"], key="order-1")
    again = ask(sop, token, ["acct_a"], key="order-1")
    assert (said(first), again.json()) == ({"acct_a": "accepted"}, first.json())
    assert (first.get("Idempotency-Replayed"), again["Idempotency-Replayed"]) == (None, "true")
    other = ask(sop, token, ["acct_b"], key="order-1")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_used")
    # also when the answer is kept no more: the run itself carries the key
    KeptAnswer.objects.update(created_at=NOW - timedelta(days=30))
    late = ask(sop, token, ["acct_a"], key="order-1")
    assert said(late) == {"acct_a": "accepted"}
    assert Run.objects.count() == 1
    assert ask(sop, token, ["acct_a"], key="k" * 201).status_code == 400


def test_the_hold_out_is_drawn_and_said(sop, token):
    version = sop.versions.get()
    version.form = version.form | {"holdout": 0.5, "outcome": {"kind": "health"}}
    version.save()
    ids = [made(f"acct_{n}").external_id for n in range(10)]
    answer = ask(sop, token, ids).json()
    assert answer["accepted"] == 10
    held = {one["id"] for one in answer["customers"] if one["held_out"]}
    assert len(held) == 5
    runs = Run.objects.filter(arm="holdout")
    assert set(runs.values_list("customer__external_id", flat=True)) == held
    assert not runs.filter(stratum="").exists()  # chance placed them: they count


def test_the_entrys_own_condition_is_asked_in_three_values(sop, token):
    version = sop.versions.get()
    low = {"field": "score", "op": "lt", "value": 50}
    version.form = version.form | {"entry": {"kind": "api", "when": low}}
    version.save()
    made("acct_low"), made("acct_high", 80.0), made("acct_dark", None)
    answer = ask(sop, token, ["acct_low", "acct_high", "acct_dark"])
    assert said(answer) == {
        "acct_low": "accepted", "acct_high": "not_fitting", "acct_dark": "unknown"
    }  # fmt: skip


def test_contacts_of_a_customer_enter_together(sop, token):
    version = sop.versions.get()
    version.form = version.form | {"identity": "contact"}
    version.save()
    customer = made("acct_a")
    make_contact(customer)
    make_contact(customer)
    made("acct_alone")
    answer = ask(sop, token, ["acct_a", "acct_alone"]).json()["customers"]
    assert answer[0] == {"id": "acct_a", "outcome": "accepted", "runs": 2, "held_out": False}
    assert answer[1]["reason"] == "no_contact"


def test_who_may_not_is_told_nothing(sop, token):
    made("acct_a")
    other = make_version({"entry": {"kind": "api"}, "steps": STEPS}).sop
    for used, at, status, code in (
        ("", sop, 401, "token_invalid"),
        ("gy_wrong", sop, 401, "token_invalid"),
        ("gy_错", sop, 401, "token_invalid"),
        (token, other, 404, "not_found"),
        (token, "no-such", 404, "not_found"),
    ):
        answer = ask(at, used.encode().decode("latin-1"), ["acct_a"])
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert answer["Content-Type"] == "application/problem+json"
    assert ask(sop, "", ["acct_a"])["WWW-Authenticate"].startswith("Bearer")
    row = ApiToken.objects.get()
    assert token not in {row.digest, row.tail, row.name}
    tokens.revoke_token(actor=None, now=NOW, scope=row.scope, pk=row.pk)
    assert ask(sop, token, ["acct_a"]).status_code == 401
    assert not Run.objects.exists()


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ("{", 400, "invalid_json"),
        ("[]", 400, "invalid_json"),
        (b"\xff\xfe", 400, "invalid_json"),
        ("[" * 100_000, 400, "invalid_json"),
        ("{}", 422, "customers_unreadable"),
        ('{"customers": "acct_a"}', 422, "customers_unreadable"),
        ('{"customers": []}', 422, "customers_unreadable"),
        ('{"customers": [7]}', 422, "customers_unreadable"),
        ('{"customers": ["a\\u0000b"]}', 422, "customers_unreadable"),
        ('{"customers": ["' + "x" * 201 + '"]}', 422, "customers_unreadable"),
        ('{"customers": [' + ",".join(['"x"'] * 1_001) + "]}", 422, "sop_too_many_at_once"),
        (" " * 300_000, 413, "too_large"),
    ],
)
def test_odd_bodies_are_problems_and_never_errors(sop, token, body, status, code):
    answer = ask(sop, token, None, body=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["status"] == status


def test_half_a_character_is_an_unknown_customer(sop, token):
    answer = ask(sop, token, None, body='{"customers": ["\\ud83d"]}')
    assert said(answer) == {"?": "not_found"}


def test_other_methods_types_and_states_are_told(sop, token):
    made("acct_a")
    get = Client().get(f"/v1/sops/{sop.key}/enter")
    assert (get.status_code, get["Allow"]) == (405, "POST")
    plain = ask(sop, token, None, body="a=1", content_type="text/plain")
    assert plain.status_code == 415
    Sop.objects.update(state="paused")
    assert ask(sop, token, ["acct_a"]).json()["code"] == "sop_does_not_run"
    Sop.objects.update(state="live")
    sop.versions.update(form={"entry": {"kind": "hand"}, "steps": STEPS})
    assert ask(sop, token, ["acct_a"]).json()["code"] == "sop_not_by_program"


def test_a_token_comes_so_often_and_no_more(sop, token):
    ApiToken.objects.update(window_at=NOW, window_count=calc.MOST_IN_WINDOW)
    row = ApiToken.objects.get()
    second = timedelta(seconds=1)
    assert calc.counted(window_at=NOW, count=119, now=NOW + second) == (NOW, 120, None)
    assert calc.counted(window_at=NOW, count=120, now=NOW + second) == (NOW, 120, 59)
    later = NOW + calc.WINDOW
    assert calc.counted(window_at=NOW, count=120, now=later) == (later, 1, None)
    with pytest.raises(tokens.TokenTooOften) as refusal:
        tokens.admit(now=NOW + second, token=token, kind="sops.enter")
    assert refusal.value.params["seconds"] == 59
    admitted = tokens.admit(now=later, token=token, kind="sops.enter")
    assert (admitted.pk, admitted.last_used_at) == (row.pk, later)
    with pytest.raises(tokens.TokenInvalid):
        tokens.admit(now=later, token=token, kind="touches.bounces")


def test_tokens_are_made_shown_once_and_revoked_on_the_sops_page(client, sop):
    client.force_login(make_user("operations"))
    path = f"/sops/{sop.pk}/program/"
    assert "$TOKEN" in client.get(path).content.decode()
    assert client.post(path, {"name": " "}).status_code == 422
    page = client.post(path, {"name": "ERP"})
    assert page.status_code == 201
    token = re.search(r'<pre id="token"[^>]*>(gy_[\w-]+)</pre>', page.content.decode())[1]
    assert token not in client.get(path).content.decode()
    made("acct_a")
    assert said(ask(sop, token, ["acct_a"])) == {"acct_a": "accepted"}
    row = ApiToken.objects.get()
    client.post(f"{path}{row.pk}/revoke/")
    assert ask(sop, token, ["acct_a"]).status_code == 401
    assert client.post(f"{path}{row.pk + 1}/revoke/").status_code == 404
    for role in ("csm", "viewer"):
        client.force_login(make_user(role))
        assert client.get(path).status_code == 403
        assert client.post(path, {"name": "x"}).status_code == 403


def test_the_editor_offers_it_with_the_call_to_copy(client, sop):
    client.force_login(make_user("operations"))
    page = client.get(f"/sops/{sop.pk}/").content.decode()
    assert '<option value="api" selected>' in page
    assert f"curl -X POST http://testserver/v1/sops/{sop.key}/enter" in page
    assert f"/sops/{sop.pk}/program/" in page


def test_the_path_is_answered_by_the_pages_not_by_tracking():
    assert not is_tracking_path("/v1/sops/rescue/enter")
    assert is_tracking_path("/v1/track")
