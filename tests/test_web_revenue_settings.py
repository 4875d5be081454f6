"""Settings of revenue: products and editions, rates, conventions, spend."""

import pytest
from django.urls import reverse
from factories import NOW, make_customer, make_tiers, make_user

from gengyun.revenue.actions.catalogue import create_product, put_editions
from gengyun.revenue.actions.contracts import create_contract
from gengyun.revenue.actions.lines import NewLine, append_line
from gengyun.revenue.models import Edition, ExchangeRate, Product, RevenueSettings, Spend
from gengyun.revenue.queries import settings as queries

pytestmark = pytest.mark.django_db


@pytest.fixture
def operations(client):
    client.force_login(make_user("operations"))
    return client


def _sold(product, **more):
    from datetime import date

    customer = make_customer()
    contract = create_contract(
        actor=None,
        now=NOW,
        customer=customer,
        starts_on=date(2026, 1, 1),
        ends_on=date(2026, 12, 31),
    )
    line = NewLine(
        product=product, amount_minor=120_000, starts_on=date(2026, 1, 1),
        ends_on=date(2026, 12, 31), **more,
    )  # fmt: skip
    return append_line(actor=None, now=NOW, contract=contract, line=line).line


def test_a_product_is_made_with_editions_edited_and_retired(operations):
    made = {
        "name_zh": "禾舟协同", "name_en": "Collab", "family": "", "key": "",
        "edition.key": ["", "", ""], "edition.zh": ["标准版", "旗舰版", ""],
        "edition.en": ["Standard", "", ""],
    }  # fmt: skip
    answer = operations.post(reverse("web:settings_product_new"), made)
    assert answer.status_code == 303
    product = Product.objects.get()
    assert (product.key, product.family) == ("collab", "collab")
    assert [(e.key, e.name_en, e.rank) for e in product.editions.all()] == [
        ("standard", "Standard", 0), ("edition", "旗舰版", 1),
    ]  # fmt: skip
    page = operations.get(reverse("web:settings_product", args=[product.pk])).content.decode()
    assert "旗舰版" in page
    # order turned around, one renamed: keys stay
    changed = made | {
        "edition.key": ["edition", "standard"], "edition.zh": ["尊享版", "标准版"],
        "edition.en": ["Plus", "Standard"],
    }  # fmt: skip
    operations.post(reverse("web:settings_product", args=[product.pk]), changed)
    assert list(product.editions.values_list("key", "name_zh")) == [
        ("edition", "尊享版"), ("standard", "标准版"),
    ]  # fmt: skip
    operations.post(reverse("web:settings_product_retire", args=[product.pk]))
    product.refresh_from_db()
    assert not product.is_active
    operations.post(reverse("web:settings_product_restore", args=[product.pk]))
    operations.post(reverse("web:settings_product_delete", args=[product.pk]))
    assert not Product.objects.exists()


def test_what_lines_name_is_neither_deleted_nor_moved_to_another_family(operations):
    product = create_product(actor=None, now=NOW, values={"name_zh": "协同", "name_en": "Collab"})
    [edition] = put_editions(
        actor=None,
        now=NOW,
        product=product,
        editions=[{"name_zh": "标准版", "name_en": "Standard"}],
    )
    _sold(product, edition=edition)
    path = reverse("web:settings_product", args=[product.pk])
    operations.post(reverse("web:settings_product_delete", args=[product.pk]))
    assert Product.objects.exists()
    typed = {"name_zh": "协同", "name_en": "Collab", "family": "other"}
    answer = operations.post(path, typed | {"edition.key": ["standard"], "edition.zh": ["标准版"],
                                            "edition.en": ["Standard"]})  # fmt: skip
    assert answer.status_code == 422
    assert operations.post(path, typed | {"family": "collab"}).status_code == 422  # edition dropped
    assert Edition.objects.exists()
    product.refresh_from_db()
    assert product.family == "collab"


def test_conventions_are_saved_and_refused_by_field(operations):
    make_tiers()
    path = reverse("web:settings_revenue")
    assert operations.get(path).status_code == 200
    typed = {
        "base_currency": "cny", "loss_grace_days": "45", "gross_margin": "78.5",
        "capacity_low": "18", "capacity_high": "28", "late": "windfall", "churn_date": "at_cancel",
    }  # fmt: skip
    assert operations.post(path, typed).status_code == 303
    row = RevenueSettings.objects.get()
    assert (row.base_currency, row.loss_grace_days, row.gross_margin_bp) == ("CNY", 45, 7850)
    assert row.policies == {"late": "windfall", "churn_date": "at_cancel"}
    assert queries.policy().late == "windfall"
    assert queries.churn_date(row) == "at_cancel"
    for wrong, field in (
        ({"capacity_low": "40"}, "e-capacity_low"),
        ({"gross_margin": "140"}, "e-gross_margin"),
        ({"gross_margin": "abc"}, "e-gross_margin"),
        ({"loss_grace_days": "4000"}, "e-loss_grace_days"),
        ({"base_currency": "元"}, "e-base_currency"),
    ):
        answer = operations.post(path, typed | wrong)
        assert answer.status_code == 422
        assert f'id="{field}"' in answer.content.decode(), wrong
    assert operations.post(path, typed | {"late": "whatever"}).status_code == 422
    row.refresh_from_db()
    assert row.loss_grace_days == 45


def test_metrics_wait_for_late_renewals_as_long_as_the_ledger_does(operations):
    assert queries.policy().grace_days == queries.current().loss_grace_days == 30
    path = reverse("web:settings_revenue")
    typed = {"base_currency": "CNY", "capacity_low": "20", "capacity_high": "30"}
    # the page sends every choice as it shows it: what was not touched follows
    assert (
        operations.post(path, typed | {"loss_grace_days": "60", "grace_days": "30"}).status_code
        == 303
    )
    assert queries.policy().grace_days == 60
    assert queries.current().policies == {}
    assert (
        operations.post(path, typed | {"loss_grace_days": "60", "grace_days": "-1"}).status_code
        == 303
    )
    assert queries.policy().grace_days == -1  # chosen: however late
    assert (
        operations.post(path, typed | {"loss_grace_days": "45", "grace_days": "-1"}).status_code
        == 303
    )
    assert (queries.policy().grace_days, queries.current().loss_grace_days) == (-1, 45)


def test_spend_adds_up_and_a_minus_takes_back(operations):
    person = make_user("csm")
    path = reverse("web:settings_spend_add")
    typed = {"kind": "cs", "month": "2026-03", "amount": "1.2万"}
    assert operations.post(path, typed).status_code == 303
    assert operations.post(path, typed | {"amount": "-2000"}).status_code == 303
    salary = typed | {"kind": "salary", "amount": "30000"}
    assert operations.post(path, salary).status_code == 422  # whose?
    assert operations.post(path, salary | {"user": person.pk}).status_code == 303
    for wrong in ({"month": "March"}, {"month": "2026-13"}, {"amount": ""}, {"kind": "fun"}):
        assert operations.post(path, typed | wrong).status_code == 422
    page = operations.get(reverse("web:settings_revenue")).content.decode()
    assert "2026-03" in page
    assert "1.0 万" in page  # 12,000 less 2,000
    assert Spend.objects.count() == 3


def test_a_rate_is_written_down_once_and_a_bad_one_refused(operations):
    path = reverse("web:settings_rates")
    typed = {"currency": "usd", "rate": "7.1234", "on": "2026-03-01", "source": "中间价"}
    assert operations.post(path, typed).status_code == 303
    assert operations.post(path, typed).status_code == 303
    assert ExchangeRate.objects.count() == 1
    assert "7.123400" in operations.get(path).content.decode()
    for wrong in (
        {"rate": "0"},
        {"rate": "x"},
        {"currency": "CNY"},
        {"currency": "QQQ"},
        {"on": ""},
    ):
        assert operations.post(path, typed | wrong).status_code == 422, wrong
    operations.force_login(make_user("leader"))
    assert operations.get(path).status_code == 200
    assert operations.post(path, typed).status_code == 403
