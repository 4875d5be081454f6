"""Contracts, lines, invoices and payments on the customer's page: owner, colleague, stranger."""

from datetime import date

import pytest
from django.urls import reverse
from factories import NOW, make_customer, make_user

from gengyun.revenue.actions.catalogue import create_product
from gengyun.revenue.models import Contract, Invoice, Line, Movement, Payment

pytestmark = pytest.mark.django_db


@pytest.fixture
def product():
    values = {"name_zh": "禾舟协同", "name_en": "Collab"}
    return create_product(actor=None, now=NOW, values=values, key="collab")


@pytest.fixture
def customer():
    return make_customer(owner=make_user("csm"), name="晨曦科技")


def _typed(product, **more):
    return {
        "number": "HT-1",
        "contract_kind": "fixed",
        "currency": "CNY",
        "signed_on": "2026-01-01",
        "starts_on": "2026-01-01",
        "ends_on": "2026-12-31",
        "interval": "12",
        "product": product.pk,
        "kind": "subscription",
        "seats": "20",
        "amount": "10.6万",
        "tax_included": "1",
        "tax_rate": "6",
    } | more


def _write(client, customer, product, **more):
    client.force_login(customer.owner)
    answer = client.post(reverse("web:contract_new", args=[customer.pk]), _typed(product, **more))
    assert answer.status_code == 302, answer.content.decode()
    return Line.objects.latest("pk")


def _verb(customer, line, verb):
    return reverse("web:line_verb", args=[customer.pk, line.pk, verb])


def test_preview_says_what_would_happen_and_writes_nothing(client, customer, product):
    client.force_login(customer.owner)
    path = reverse("web:contract_new", args=[customer.pk])
    answer = client.post(path, _typed(product, step="preview"), headers={"HX-Request": "true"})
    text = answer.content.decode()
    assert answer.status_code == 200
    assert "100,000" in text  # 106,000 with 6 % tax
    assert "付费月数" in text or "paid months" in text  # the ARR rule in words
    assert not Contract.objects.exists()
    assert not Movement.objects.exists()


def test_yen_have_no_parts_and_dinars_have_three(client, customer, product):
    typed = {"currency": "JPY", "amount": "1,200,000", "tax_included": "", "tax_rate": ""}
    line = _write(client, customer, product, **typed)
    assert (line.amount_minor, line.arr_minor, line.currency) == (1_200_000, 1_200_000, "JPY")
    page = client.get(reverse("web:customer_contracts", args=[customer.pk])).content.decode()
    assert "120.0 万" in page
    assert "12,000" not in page
    form = client.get(_verb(customer, line, "correct")).content.decode()
    assert 'value="1200000"' in form
    again = _write(
        client,
        customer,
        product,
        **(typed | {"currency": "KWD", "number": "HT-2", "amount": "1.234"}),
    )
    assert again.amount_minor == 1_234
    assert 'value="1.234"' in client.get(_verb(customer, again, "correct")).content.decode()


def test_a_rate_beyond_all_of_it_is_refused_in_plain_words(client, customer, product):
    client.force_login(customer.owner)
    typed = _typed(product, tax_rate="150", list="10.6万")
    answer = client.post(reverse("web:contract_new", args=[customer.pk]), typed)
    text = answer.content.decode()
    assert answer.status_code == 422
    assert "%%" not in text
    assert not Contract.objects.exists()


def test_a_contract_is_written_down_shown_and_taken_back(client, customer, product):
    line = _write(client, customer, product)
    assert line.arr_minor == 10_000_000
    customer.refresh_from_db()
    assert (customer.arr_minor, customer.seats, customer.renews_on) == (
        10_000_000, 20, date(2026, 12, 31),
    )  # fmt: skip
    page = client.get(reverse("web:customer_contracts", args=[customer.pk])).content.decode()
    assert "HT-1" in page
    assert "106,000" in page
    token = client.session["undo"][-1][0]
    client.post(reverse("web:undo", args=[token]))
    line.refresh_from_db()
    customer.refresh_from_db()
    assert line.voided_at is not None
    assert customer.arr_minor == 0
    assert sum(Movement.objects.values_list("arr_minor", flat=True)) == 0


def test_refusals_stand_beside_their_field(client, customer, product):
    _write(client, customer, product)
    path = reverse("web:contract_new", args=[customer.pk])
    for wrong, field in (
        ({"number": "HT-1"}, "e-number"),
        ({"number": "HT-2", "ends_on": "2025-01-01"}, "e-ends_on"),
        ({"number": "HT-2", "currency": "XXQ"}, "e-currency"),
        ({"number": "HT-2", "amount": ""}, "e-amount"),
        ({"number": "HT-2", "product": "999"}, "e-product"),
    ):
        answer = client.post(path, _typed(product) | wrong)
        assert answer.status_code == 422
        assert f'id="{field}"' in answer.content.decode(), wrong
    assert Contract.objects.count() == 1


def test_every_verb_of_a_line_moves_arr_as_it_says(client, customer, product):
    line = _write(client, customer, product)

    def do(row, verb, **typed):
        answer = client.post(_verb(customer, row, verb), typed)
        assert answer.status_code == 302, (verb, answer.content.decode())
        return Line.objects.latest("pk")

    assert client.get(_verb(customer, line, "upgrade")).status_code == 200
    bigger = do(line, "upgrade", on="2026-07-01", seats="30", yearly="159000")
    assert (bigger.arr_minor, bigger.ends_on) == (15_000_000, date(2026, 12, 31))
    assert bigger.amount_minor == 7_950_000  # six of twelve months, with tax
    longer = do(bigger, "extend", months="1", note="谈判中")
    assert (longer.ends_on, longer.arr_minor, longer.amount_minor) == (
        date(2027, 1, 31), 15_000_000, 0,
    )  # fmt: skip
    do(longer, "pause", on="2027-01-05", until="2027-01-10")
    again = _typed(
        product, starts_on="2027-02-01", ends_on="2028-01-31", amount="21.2万", seats="40"
    )
    renewed = do(longer, "renew", **again, new_number="HT-2")
    assert renewed.contract.number == "HT-2"
    assert renewed.arr_minor == 20_000_000
    wrong = client.post(_verb(customer, renewed, "correct"), again | {"why": ""})
    assert wrong.status_code == 422
    right = do(renewed, "correct", **again | {"amount": "19.08万", "why": "少抄了一位"})
    assert right.arr_minor == 18_000_000
    # nobody says why: refused; with a cause it is lost from the day after its last day
    assert client.post(_verb(customer, right, "end"), {}).status_code == 422
    do(right, "end", cancelled_on="2027-06-01", involuntary="1")
    rows = Movement.objects.filter(customer=customer)
    assert sum(row.arr_minor for row in rows if row.effective_on <= date(2028, 1, 31)) == 18_000_000
    assert sum(row.arr_minor for row in rows) == 0


def test_invoice_and_payment_by_hand(client, customer, product):
    _write(client, customer, product)
    typed = {
        "number": "FP-1", "issued_on": "2026-01-02", "due_on": "2026-02-01", "amount": "106000",
        "tax": "6000", "currency": "CNY",
    }  # fmt: skip
    assert client.post(reverse("web:invoice_new", args=[customer.pk]), typed).status_code == 302
    assert client.post(reverse("web:invoice_new", args=[customer.pk]), typed).status_code == 422
    invoice = Invoice.objects.get()
    path = reverse("web:payment_new", args=[customer.pk])
    assert "FP-1" in client.get(f"{path}?invoice={invoice.pk}").content.decode()
    paid = {"invoice": invoice.pk, "received_on": "2026-02-10", "amount": "56000"}
    assert client.post(path, paid | {"currency": "CNY"}).status_code == 302
    page = client.get(reverse("web:customer_invoices", args=[customer.pk])).content.decode()
    assert "50,000" in page  # what is left
    one = reverse("web:invoice", args=[customer.pk, invoice.pk])
    assert client.post(one, {"step": "dispute", "why": "数量不对"}).status_code == 302
    invoice.refresh_from_db()
    assert invoice.disputed_since is not None
    client.post(reverse("web:undo", args=[client.session["undo"][-1][0]]))
    invoice.refresh_from_db()
    assert invoice.disputed_since is None
    client.post(one, {"step": "void"})
    invoice.refresh_from_db()
    assert invoice.status == "void"
    assert Payment.objects.count() == 1


def test_movements_as_known_on_a_past_day(client, customer, product):
    _write(client, customer, product)
    path = reverse("web:customer_movements", args=[customer.pk])
    assert "HT-1" in client.get(path).content.decode()
    assert "HT-1" not in client.get(f"{path}?known=2020-01-01").content.decode()
    assert client.get(f"{path}?known=nonsense").status_code == 200
    for day in ("9999-12-31", "0001-01-01"):
        assert client.get(f"{path}?known={day}").status_code == 200


@pytest.mark.parametrize("odd", ["9" * 5_000, "²", "-1", "x"])
def test_an_odd_number_in_the_address_opens_no_contract(client, customer, odd):
    client.force_login(customer.owner)
    assert client.get(f"/customers/{customer.pk}/contracts/?contract={odd}").status_code == 200


def test_a_stranger_finds_nothing_and_a_viewer_changes_nothing(client, customer, product):
    line = _write(client, customer, product)
    contract = line.contract
    invoice = Invoice.objects.create(
        customer=customer, number="FP-9", issued_on=date(2026, 1, 1), amount_minor=100,
        known_at=NOW,
    )  # fmt: skip
    paths = [
        reverse("web:customer_contracts", args=[customer.pk]),
        reverse("web:customer_movements", args=[customer.pk]),
        reverse("web:customer_invoices", args=[customer.pk]),
        reverse("web:customer_arr_data", args=[customer.pk]),
        reverse("web:line", args=[customer.pk, line.pk]),
    ]
    forms = [
        reverse("web:contract_new", args=[customer.pk]),
        reverse("web:contract_edit", args=[customer.pk, contract.pk]),
        reverse("web:line_new", args=[customer.pk, contract.pk]),
        _verb(customer, line, "upgrade"),
        reverse("web:invoice_new", args=[customer.pk]),
        reverse("web:invoice", args=[customer.pk, invoice.pk]),
        reverse("web:payment_new", args=[customer.pk]),
    ]
    client.force_login(make_user("csm"))
    for path in [*paths, *forms]:
        assert client.get(path).status_code == 404, path
    client.force_login(make_user("viewer"))
    for path in paths:
        assert client.get(path).status_code == 200, path
    for path in forms:
        assert client.get(path).status_code == 403, path
    # of another customer: not found, whoever asks
    other = make_customer(name="别家")
    client.force_login(make_user("admin"))
    for name, pk in (("line", line.pk), ("contract_edit", contract.pk), ("invoice", invoice.pk)):
        assert client.get(reverse(f"web:{name}", args=[other.pk, pk])).status_code == 404
    for path in forms:
        assert client.get(path).status_code == 200, path


def test_without_contracts_the_card_says_what_to_do(client, customer):
    client.force_login(customer.owner)
    answer = client.get(
        reverse("web:customer_contracts", args=[customer.pk]), headers={"HX-Request": "true"}
    )
    text = answer.content.decode()
    assert reverse("web:contract_new", args=[customer.pk]) in text
    assert "<html" not in text
