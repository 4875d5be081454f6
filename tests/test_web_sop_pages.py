"""Pages of SOPs and segments: who may do what, what they say, and that odd forms do no harm."""

import re
from html.parser import HTMLParser

import pytest
from django.urls import reverse
from factories import NOW, make_contact, make_customer, make_user

from gengyun.customers.models import CustomField
from gengyun.portfolio.actions.summaries import refresh_summaries
from gengyun.portfolio.models import CustomerSummary
from gengyun.sop.actions import drafts
from gengyun.sop.actions.by_hand import enter_by_hand
from gengyun.sop.actions.step import run_due
from gengyun.sop.models import Run, Sop

pytestmark = pytest.mark.django_db
LOW = {"all": [{"field": "score", "op": "lt", "value": 50}]}
TASK = {"key": "call", "kind": "task", "title": "打电话", "role": "csm", "due_working_days": 2,
        "next": "wait"}  # fmt: skip
WAIT = {"key": "wait", "kind": "wait", "working_days": 5, "next": None}


def form(**more):
    entry = {"kind": "condition", "when": LOW}
    return {"entry": entry, "steps": [TASK, WAIT], "first": "call"} | more


@pytest.fixture
def operations():
    return make_user("operations")


@pytest.fixture
def csm():
    return make_user("csm")


@pytest.fixture
def sop(operations):
    found = drafts.create_sop(actor=operations, now=NOW, name="用量下降", form=form())
    drafts.publish(actor=operations, now=NOW, sop=found)
    found.refresh_from_db()
    return found


def customer_of(owner, name="晨曦科技", score=40.0):
    customer = make_customer(name=name, owner=owner)
    refresh_summaries(now=NOW, customer_ids=[customer.pk])
    band = "D" if score < 50 else "A"
    CustomerSummary.objects.filter(pk=customer.pk).update(score=score, band=band)
    return customer


class Fields(HTMLParser):
    """What a browser would send of the editor."""

    def __init__(self):
        super().__init__()
        self.sent, self.select = {}, None

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        name = values.get("name")
        if tag == "select":
            self.select = name
        if tag == "option" and self.select and "selected" in values:
            self.sent[self.select] = values.get("value", "")
        if tag == "input" and name and values.get("form") is None:
            is_ticked = "checked" in values or values.get("type") not in {"checkbox", "radio"}
            if is_ticked:
                self.sent.setdefault(name, values.get("value", ""))

    def handle_endtag(self, tag):
        if tag == "select":
            self.select = None


def sent_by(html):
    parser = Fields()
    parser.feed(html[html.index('id="sop-editor"') : html.index('id="dry"')])
    return {name: value for name, value in parser.sent.items() if name != "csrfmiddlewaretoken"}


def test_the_list_counts_only_customers_one_may_see(client, sop, csm):
    enter_by_hand(actor=csm, now=NOW, sop=sop, customers=[customer_of(csm)])
    enter_by_hand(actor=None, now=NOW, sop=sop, customers=[customer_of(None, "别家")])
    client.force_login(csm)
    row = client.get(reverse("web:sops")).content.decode()
    assert re.search(r"\?state=active\">1<", row)
    assert "用量下降" in row


def test_what_the_page_shows_is_what_it_keeps(client, sop, operations):
    client.force_login(operations)
    path = reverse("web:sop", args=[sop.pk])
    page = client.get(path).content.decode()
    answer = client.post(path, sent_by(page) | {"do": "save"})
    assert answer.status_code == 200
    draft = sop.versions.get(state="draft")
    assert [step["key"] for step in draft.form["steps"]] == ["call", "wait"]
    assert draft.form["entry"]["when"] == LOW
    assert draft.form["steps"][1]["working_days"] == 5


def test_a_version_is_offered_only_where_something_differs(client, sop, operations):
    client.force_login(operations)
    path = reverse("web:sop", args=[sop.pk])
    page = client.get(path).content.decode()
    assert 'value="publish"' not in page
    same = sent_by(page) | {"do": "preview"}
    htmx = {"HTTP_HX_REQUEST": "true"}
    assert 'value="publish"' not in client.post(path, same, **htmx).content.decode()
    # also what the list of differences does not name, and beside the head of the page
    for changed in ({"cost": "12"}, {"holdout": "25"}):
        page = client.post(path, same | changed, **htmx).content.decode()
        assert page.count('value="publish"') == 2
        assert 'id="sop-publish" hx-swap-oob="true"' in page


def test_a_step_is_added_and_its_faults_are_told_when_it_is_published(client, sop, operations):
    client.force_login(operations)
    path = reverse("web:sop", args=[sop.pk])
    sent = sent_by(client.get(path).content.decode())
    page = client.post(path, sent | {"do": "add.message@block"}).content.decode()
    assert "block.items.2.zh_body" in page
    again = client.post(path, sent_by(page) | {"do": "publish"})
    assert again.status_code == 422
    assert 'id="sop-problems"' in again.content.decode()
    assert sop.versions.filter(state="published").get().number == 1


def test_the_dry_run_names_who_would_enter_and_why_another_would_not(client, sop, operations):
    customer_of(operations)
    well = customer_of(operations, "安好科技", score=80.0)
    client.force_login(operations)
    path = reverse("web:sop", args=[sop.pk])
    sent = sent_by(client.get(path).content.decode())
    page = client.post(
        path,
        sent | {"do": "dry", "why": well.name},
        headers={"HX-Request": "true", "HX-Target": "dry"},
    ).content.decode()
    assert "晨曦科技" in page
    said = page[page.index('id="why-said"') :]
    assert 'class="no"' in said
    assert "80" in said
    assert Run.objects.count() == 0


def test_a_run_shows_what_was_done_and_where_it_stands(client, sop, csm):
    customer = customer_of(csm)
    enter_by_hand(actor=csm, now=NOW, sop=sop, customers=[customer])
    run_due(now=NOW)
    run = Run.objects.get()
    client.force_login(csm)
    page = client.get(reverse("web:sop_run", args=[run.pk])).content.decode()
    assert page.count('<li class="done">') == 1
    assert page.count('<li class="now">') == 1
    assert "打电话" in client.get(reverse("web:sop_log", args=[sop.pk])).content.decode()
    stranger = make_user("csm")
    client.force_login(stranger)
    assert client.get(reverse("web:sop_run", args=[run.pk])).status_code == 404
    assert "打电话" not in client.get(reverse("web:sop_log", args=[sop.pk])).content.decode()


def test_the_customers_page_says_why_not_and_starts_by_hand(client, sop, csm):
    customer = customer_of(csm, score=80.0)
    client.force_login(csm)
    path = reverse("web:customer_sops", args=[customer.pk])
    page = client.get(path, headers={"HX-Request": "true"}).content.decode()
    assert 'class="gy-whyrow"' in page
    assert "80" in page
    client.post(reverse("web:customer_sop_start", args=[customer.pk]), {"sop": sop.pk})
    assert Run.objects.get().entered_by == csm
    assert "gy-sopline" in client.get(path).content.decode()
    again = client.post(reverse("web:customer_sop_start", args=[customer.pk]), {"sop": sop.pk})
    assert again.status_code == 302
    assert Run.objects.count() == 1


def test_many_are_started_from_the_list_and_taken_back(client, sop, csm):
    customers = [customer_of(csm, f"客户{n}") for n in range(3)]
    client.force_login(csm)
    offered = client.get(reverse("web:sop_choose")).content.decode()
    assert sop.name in offered
    ids = [customer.pk for customer in customers]
    client.post(reverse("web:customers_bulk"), {"verb": "sop", "sop": sop.pk, "ids": ids})
    assert Run.objects.active().count() == 3
    page = client.get(reverse("web:sops")).content.decode()
    client.post(re.search(r'/undo/[^/"]+/', page)[0])
    assert Run.objects.active().count() == 0


def test_versions_say_what_changed_and_an_old_one_is_opened_again(client, sop, operations):
    changed = form(steps=[TASK, WAIT | {"working_days": 3}])
    drafts.save_draft(actor=operations, now=NOW, sop=sop, form=changed)
    drafts.publish(actor=operations, now=NOW, sop=sop, note="快一点")
    client.force_login(operations)
    page = client.get(reverse("web:sop_versions", args=[sop.pk])).content.decode()
    assert "快一点" in page
    assert re.search(r"<del>[^<]*5[^<]*</del> → <ins>[^<]*3[^<]*</ins>", page)
    client.post(reverse("web:sop_reopen", args=[sop.pk, 1]))
    assert sop.versions.get(state="draft").form["steps"][1]["working_days"] == 5


def test_pause_go_on_and_stop(client, sop, operations):
    client.force_login(operations)
    path = reverse("web:sop_control", args=[sop.pk])
    for verb, state in [("pause", "paused"), ("resume", "live"), ("stop", "stopped")]:
        client.post(path, {"verb": verb})
        sop.refresh_from_db()
        assert sop.state == state
    assert client.post(path, {"verb": "fly"}).status_code == 404


def test_who_may_not_edit_reads_and_changes_nothing(client, sop, csm):
    client.force_login(csm)
    path = reverse("web:sop", args=[sop.pk])
    page = client.get(path).content.decode()
    assert 'id="s-publish"' not in page
    for verb in ("save", "publish", "preview", "add.task@block"):
        assert client.post(path, sent_by(page) | {"do": verb}).status_code == 403
    assert client.get(reverse("web:sop_new")).status_code == 403
    assert (
        client.post(reverse("web:sop_control", args=[sop.pk]), {"verb": "stop"}).status_code == 403
    )
    assert client.get(reverse("web:sop", args=[999_999])).status_code == 404


ODD = ["", "\x00", "NaN", "9" * 400, "²", "a.b.c"]


@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
def test_odd_forms_do_no_harm(client, sop, operations, odd):
    client.force_login(operations)
    path = reverse("web:sop", args=[sop.pk])
    base = sent_by(client.get(path).content.decode())
    for headers in ({}, {"HX-Request": "true"}):
        for verb in ("preview", "save", "dry", "publish", odd, f"add.{odd}@block", f"row@{odd}"):
            sent = dict.fromkeys(base, odd) | {"do": verb, "why": odd}
            assert client.post(path, sent, headers=headers).status_code < 500
            assert client.post(path, {"do": verb}, headers=headers).status_code < 500
    for name in base:
        answer = client.post(path, base | {name: odd, "do": "save"})
        assert answer.status_code < 500, name
    for address in ("sop_runs", "sop_log"):
        query = {"state": odd, "which": odd, "q": odd, "page": odd}
        assert client.get(reverse(f"web:{address}", args=[sop.pk]), query).status_code < 500
    assert client.post(reverse("web:sop_new"), {"name": odd, "library": odd}).status_code < 500
    assert client.post(reverse("web:sop_name", args=[sop.pk]), {"name": odd}).status_code < 500


def test_a_segment_is_written_counted_pinned_and_retired(client, csm):
    inside, outside = customer_of(csm), customer_of(csm, "安好科技", score=80.0)
    client.force_login(csm)
    row = {"when.join": "all", "when.parts.0.field": "score", "when.parts.0.how": "now",
           "when.parts.0.op": "lt", "when.parts.0.values": "50"}  # fmt: skip
    new = reverse("web:segment_new")
    preview = client.post(new, row | {"do": "preview"}, headers={"HX-Request": "true"})
    assert inside.name in preview.content.decode()
    assert outside.name not in preview.content.decode()
    assert client.post(new, row | {"do": "save", "name": ""}).status_code == 422
    saved = client.post(new, row | {"do": "save", "name": "偏弱"})
    page = client.get(saved.url).content.decode()
    assert inside.name in page
    assert outside.name not in page
    pin = saved.url + "pin/"
    client.post(pin, {"pin": "in", "name": "安好"})
    client.post(pin, {"pin": "out", "customer": inside.pk})
    page = client.get(saved.url).content.decode()
    assert page.index(outside.name) < page.index(inside.name)  # inside now only among the pinned
    client.post(pin, {"pin": "none", "customer": inside.pk})
    stranger = make_user("csm")
    client.force_login(stranger)
    assert client.get(saved.url).status_code == 404
    client.force_login(csm)
    client.post(saved.url + "retire/")
    assert "偏弱" in client.get(reverse("web:segments")).content.decode()
    for odd in ODD:
        for headers in ({}, {"HX-Request": "true"}):
            sent = dict.fromkeys(row, odd) | {"name": odd, "of": odd, "narrowed_to": odd}
            for verb in ("save", "preview", odd):
                answer = client.post(new, sent | {"do": verb}, headers=headers)
                assert answer.status_code < 500
        assert client.post(pin, {"pin": odd, "customer": odd, "name": odd}).status_code < 500


def test_a_draft_that_never_ran_is_deleted(client, operations):
    client.force_login(operations)
    made = client.post(reverse("web:sop_new"), {"name": "试试"})
    assert client.get(made.url).status_code == 200
    client.post(made.url + "delete/")
    assert not Sop.objects.exists()


def test_another_measured_sop_is_named_beside_the_hold_out_unless_kept_apart(
    client, sop, operations
):
    held = {"holdout": 0.2, "outcome": {"kind": "health", "window_days": 90}}

    def published(name, **more):
        found = drafts.create_sop(actor=operations, now=NOW, name=name, form=form(**held, **more))
        drafts.publish(actor=operations, now=NOW, sop=found)
        return found

    first = published("甲")
    second = published("乙", not_while_in=[first.key])
    client.force_login(operations)

    def page(one):
        return client.get(reverse("web:sop", args=[one.pk])).content.decode()

    assert "也留对照组的还有：乙" in page(first)
    assert 'id="beside"' in page(second)  # only one of the two keeps away
    assert 'id="beside"' not in page(sop)  # it holds nobody out
    drafts.save_draft(
        actor=operations, now=NOW, sop=first, form=form(**held, not_while_in=[second.key])
    )
    drafts.publish(actor=operations, now=NOW, sop=first)
    assert 'id="beside"' not in page(first)
    assert 'id="beside"' not in page(second)


MAIL = {"key": "mail", "kind": "message", "title": "问候", "channel": "email",
        "category": "service", "mode": "draft", "to": "champion", "next": None,
        "template": {"zh": {"subject": "{{ contact.name }}", "body": "{{ customer.seats }} 个席位"}}}  # fmt: skip


def test_the_dry_run_shows_the_messages_as_one_customer_would_get_them(client, operations):
    mine = customer_of(operations)
    other = customer_of(operations, "安好科技")
    nobody = customer_of(operations, "无人科技")
    make_contact(mine, "林岚", email="lin@example.cn", part="champion")
    type(mine).objects.filter(pk=mine.pk).update(seats=120)
    make_contact(other, "何先生", email="he@example.cn", part="champion")
    steps = [TASK | {"next": "mail"}, MAIL]
    sop = drafts.create_sop(actor=operations, now=NOW, name="信", form=form(steps=steps))
    client.force_login(operations)
    path = reverse("web:sop", args=[sop.pk])
    sent = sent_by(client.get(path).content.decode())
    sent["block.items.1.zh_body"] = MAIL["template"]["zh"]["body"]

    def asked(customer):
        headers = {"HX-Request": "true", "HX-Target": "dry"}
        page = client.post(path, sent | {"do": "dry", "why": customer.name}, headers=headers)
        return page.content.decode().partition('id="letter-1"')[2]

    assert "120 个席位" in asked(mine)
    assert "林岚" in asked(mine)
    # why it would not go, before it does not go
    assert "customer.seats" in asked(other)
    assert "没有这个角色的联系人" in asked(nobody)
    assert Run.objects.count() == 0


def test_the_list_names_running_sops_whose_field_was_deleted(client, operations):
    field = CustomField.objects.create(key="n", kind="number", created_at=NOW, updated_at=NOW)
    entry = {"kind": "condition", "when": {"field": "custom.n", "op": "lt", "value": "5"}}
    sop = drafts.create_sop(actor=operations, now=NOW, name="自定义", form=form(entry=entry))
    drafts.publish(actor=operations, now=NOW, sop=sop)
    client.force_login(operations)
    path = reverse("web:sops")
    assert "gy-tag d" not in client.get(path).content.decode()
    field.delete()
    assert "1 处失效" in client.get(path).content.decode()
    # the editor says which
    assert 'id="sop-problems"' in client.get(reverse("web:sop", args=[sop.pk])).content.decode()
