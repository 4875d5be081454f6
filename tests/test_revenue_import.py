"""Import of contracts, invoices, payments, spend, budgets and rates by the user's path."""

import csv
import io
from datetime import date
from decimal import Decimal

import pytest
from django.db.models import Sum
from factories import NOW, People, make_customer, make_tiers
from openpyxl import Workbook

from gengyun.customers.actions import importing
from gengyun.customers.actions.import_messages import MESSAGES, explain, sentence_of
from gengyun.customers.models import Customer
from gengyun.kernel.errors import NotAllowed
from gengyun.revenue.models import (
    Contract,
    ExchangeRate,
    Invoice,
    Line,
    Movement,
    Payment,
    Product,
    Spend,
    WalletBudget,
)

pytestmark = pytest.mark.django_db
HEAD = "客户,合同编号,签约日期,开始日期,到期日,产品,席位数,合同金额"


@pytest.fixture
def cast(settings, tmp_path):
    settings.DATA_DIR = tmp_path / "data"
    people = People()
    people.tiers = make_tiers()
    people.one = make_customer("晨曦科技", external_id="C1", owner=people.owner)
    people.two = make_customer("蓝海物流", external_id="C2", owner=people.owner)
    Product.objects.create(key="suite", name_zh="协同办公", name_en="Suite", family="suite")
    Product.objects.create(key="bi", name_zh="数据中台", name_en="BI", family="bi")
    return people


@pytest.fixture
def imported(cast, tmp_path):
    """Import a text of comma-separated lines; returns the finished run."""

    def run(text, kind="contracts", *, name="合同.csv", actor=None, dry=False, **options):
        path = tmp_path / "upload"
        rows = [line.split(",") for line in text.strip().splitlines()]
        if name.endswith("xlsx"):
            book = Workbook()
            for row in rows:
                book.active.append(row)
            book.save(path)
        else:
            body = io.StringIO()
            csv.writer(body).writerows(rows)
            path.write_text(body.getvalue(), encoding="gb18030")
        given = {"actor": actor or cast.operations, "now": NOW}
        made = importing.prepare_import(**given, kind=kind, file_name=name, path=path)
        made = importing.check_import(**given, run=made, options=options)
        return made if dry else importing.run_import(**given, run=made)

    return run


def counts(run):
    return run.created_count, run.changed_count, run.same_count, run.error_count


def codes(run):
    return [(error["row"], error["code"]) for error in run.outcome["errors"]]


def flags(run):
    return [(flag["row"], flag["code"]) for flag in run.outcome.get("flags", [])]


def test_every_code_has_a_sentence_that_can_be_told():
    for code in MESSAGES:
        assert sentence_of(code)


@pytest.mark.parametrize("name", ["合同.csv", "合同.xlsx"])
def test_contract_with_its_lines_goes_into_the_ledger(cast, imported, name):
    run = imported(
        f"""{HEAD}
晨曦科技,HT-1,2025-02-20,2025-03-01,2026-02-28,协同办公,100,12万
晨曦科技,HT-1,2025-02-20,2025-03-01,2028-02-29,数据中台,20,¥90,000""".replace("¥90,000", "90000"),
        name=name,
    )
    assert counts(run) == (2, 0, 0, 0)
    contract = Contract.objects.get()
    assert (contract.number, contract.starts_on, contract.ends_on, contract.signed_on) == (
        "HT-1", date(2025, 3, 1), date(2028, 2, 29), date(2025, 2, 20),
    )  # fmt: skip
    one, two = Line.objects.order_by("product__key").reverse()
    assert (one.arr_minor, one.rule, one.seats) == (120_000_00, "by_paid_term", 100)
    assert (two.arr_minor, two.amount_minor) == (30_000_00, 90_000_00)
    assert sorted(Movement.objects.values_list("kind", flat=True)) == ["new", "new"]
    cast.one.refresh_from_db()
    assert cast.one.started_on == date(2025, 3, 1)
    assert Movement.objects.aggregate(all=Sum("arr_minor"))["all"] == 150_000_00


def test_rows_in_any_order_become_new_renewal_and_upsell(imported):
    run = imported(
        f"""{HEAD}
C1,HT-3,,2026-01-01,2026-12-31,协同办公,120,14.4万
C1,HT-1,,2024-01-01,2024-12-31,协同办公,100,10万
C1,HT-2,,2025-01-01,2025-12-31,协同办公,100,12万"""
    )
    assert counts(run) == (3, 0, 0, 0)
    found = Movement.objects.exclude(kind="transfer").order_by("effective_on", "pk")
    assert [(row.kind, row.arr_minor) for row in found] == [
        ("new", 100_000_00),
        ("renew", 0),
        ("price_change", 20_000_00),
        ("renew", 0),
        ("upsell", 24_000_00),
    ]
    assert Movement.objects.aggregate(all=Sum("arr_minor"))["all"] == 144_000_00


def test_same_file_again_changes_nothing(imported):
    text = f"""{HEAD}
C1,HT-1,,2025-03-01,2026-02-28,协同办公,100,12万
C2,HT-2,,2025-03-01,2026-02-28,数据中台,,6万
C2,HT-2,,2025-03-01,2026-02-28,协同办公,,6万"""
    assert counts(imported(text)) == (3, 0, 0, 0)
    before = [list(m.objects.order_by("pk").values()) for m in (Contract, Line, Movement)]
    assert counts(imported(text, name="合同.xlsx")) == (0, 0, 3, 0)
    assert before == [list(m.objects.order_by("pk").values()) for m in (Contract, Line, Movement)]


def test_changed_amount_is_a_correction_and_what_was_known_stays(imported):
    imported(f"{HEAD}\nC1,HT-1,,2025-12-01,2026-11-30,协同办公,100,12万")
    old = list(Movement.objects.values_list("pk", "arr_minor", "known_at"))
    run = imported(f"{HEAD}\nC1,HT-1,,2025-12-01,2026-11-30,协同办公,100,13万")
    assert counts(run) == (0, 1, 0, 0)
    assert flags(run) == [(2, "line_differs")]
    assert old == list(
        Movement.objects.filter(pk=old[0][0]).values_list("pk", "arr_minor", "known_at")
    )
    assert Movement.objects.aggregate(all=Sum("arr_minor"))["all"] == 130_000_00
    assert {row.kind for row in Movement.objects.exclude(pk=old[0][0])} == {"correction"}
    assert Line.objects.filter(voided_at__isnull=True).get().arr_minor == 130_000_00
    again = imported(f"{HEAD}\nC1,HT-1,,2025-12-01,2026-11-30,协同办公,100,13万")
    assert counts(again) == (0, 0, 1, 0)


def test_open_ended_line_that_gets_a_last_day_has_ended(imported):
    text = (
        "客户,合同编号,开始日期,到期日,产品,月费,计费周期\nC1,S-1,2025-06-01,{},协同办公,833,月付"
    )
    run = imported(text.format(""))
    assert counts(run) == (1, 0, 0, 0)
    line = Line.objects.get()
    assert (line.arr_minor, line.amount_minor, line.contract.kind) == (9_996_00, 833_00, "open")
    assert counts(imported(text.format("2026-01-31"))) == (0, 1, 0, 0)
    loss = Movement.objects.get(kind="churn")
    assert (loss.effective_on, loss.arr_minor) == (date(2026, 2, 1), -9_996_00)
    assert counts(imported(text.format("2026-01-31"))) == (0, 0, 1, 0)


def test_history_counts_as_known_when_it_happened(imported):
    imported(
        f"{HEAD},是否终止,断约原因\nC1,HT-1,2024-12-20,2025-01-01,2025-06-30,协同办公,100,6万,是,price",
        history="yes",
    )
    new, loss = Movement.objects.order_by("effective_on")
    assert new.known_at.date() == date(2024, 12, 19)  # midnight of the 20th in Shanghai
    assert (loss.kind, loss.cause, loss.effective_on) == ("churn", "price", date(2025, 7, 1))
    assert loss.known_at < NOW
    assert Contract.objects.get().ended_on == date(2025, 6, 30)


def test_what_ran_out_and_was_not_renewed_is_lost_after_the_grace_days(imported):
    imported(f"{HEAD}\nC1,HT-1,,2024-01-01,2024-12-31,协同办公,100,12万", history="yes")
    loss = Movement.objects.get(kind="churn")
    assert (loss.effective_on, loss.due_minor) == (date(2025, 1, 1), 120_000_00)
    assert loss.known_at.date() == date(2025, 1, 30)  # 30 days of grace, then midnight in Shanghai
    assert Customer.objects.get(external_id="C1").arr_minor == 0


BAD = {
    "end_before_start": "C1,HT-1,,2026-03-01,2025-03-01,协同办公,1,1",
    "seats_negative": "C1,HT-1,,2025-03-01,2026-02-28,协同办公,-5,1",
    "amount_negative": "C1,HT-1,,2025-03-01,2026-02-28,协同办公,1,-100",
    "currency_unknown": "C1,HT-1,,2025-03-01,2026-02-28,协同办公,1,100,XXX",
    "currency_differs": "C1,HT-1,,2025-03-01,2026-02-28,协同办公,1,$100,CNY",
    "customer_unknown": "C9,HT-1,,2025-03-01,2026-02-28,协同办公,1,1",
    "customer_missing": ",HT-1,,2025-03-01,2026-02-28,协同办公,1,1",
    "number_missing": "C1,,,2025-03-01,2026-02-28,协同办公,1,1",
    "start_missing": "C1,HT-1,,,2026-02-28,协同办公,1,1",
    "product_unknown": "C1,HT-1,,2025-03-01,2026-02-28,没有的产品,1,1",
    "product_missing": "C1,HT-1,,2025-03-01,2026-02-28,,1,1",
    "amount_missing": "C1,HT-1,,2025-03-01,2026-02-28,协同办公,1,",
    "not_an_amount": "C1,HT-1,,2025-03-01,2026-02-28,协同办公,1,面议",
    "not_a_day": "C1,HT-1,,明年,2026-02-28,协同办公,1,1",
    "day_unclear": "C1,HT-1,,01/03/2025,2026-02-28,协同办公,1,1",
    "no_such_day": "C1,HT-1,,2025-02-30,2026-02-28,协同办公,1,1",
    "number_too_large": "C1,HT-1,,2025-03-01,2026-02-28,协同办公,99999999999,1",
}


@pytest.mark.parametrize("code, row", BAD.items(), ids=list(BAD))
def test_bad_row_is_refused_with_its_rule_named_and_the_others_go_in(imported, code, row):
    row = row if row.count(",") == 8 else f"{row},"
    good = "C2,HT-2,,2025-03-01,2026-02-28,协同办公,1,12000,"
    run = imported(f"{HEAD},币种\n{row}\n{good}")
    assert counts(run) == (1, 0, 0, 1)
    assert codes(run) == [(2, code)]
    assert run.outcome["reasons"] == [[code, 1]]
    assert explain(run.outcome["errors"][0])
    assert Contract.objects.get().number == "HT-2"


def test_two_contracts_with_one_number_are_refused(imported):
    run = imported(
        f"""{HEAD}
C1,HT-1,,2025-03-01,2026-02-28,协同办公,1,1万
C2,HT-1,,2025-03-01,2026-02-28,协同办公,1,1万"""
    )
    assert codes(run) == [(3, "number_taken")]
    again = imported(f"{HEAD}\nC2,HT-1,,2025-03-01,2026-02-28,协同办公,1,1万")
    assert codes(again) == [(2, "number_taken")]
    assert Contract.objects.get().customer.external_id == "C1"


def test_rows_that_disagree_about_their_contract_are_refused(imported):
    run = imported(
        f"""{HEAD}
C1,HT-1,2025-02-01,2025-03-01,2026-02-28,协同办公,1,1万
C1,HT-1,2025-02-09,2025-03-01,2026-02-28,数据中台,1,1万"""
    )
    assert codes(run) == [(3, "contract_differs")]


def test_same_line_twice_is_refused_and_an_overlap_is_flagged(imported):
    run = imported(
        f"""{HEAD}
C1,HT-1,,2025-03-01,2026-02-28,协同办公,1,1万
C1,HT-1,,2025-03-01,2026-02-28,协同办公,1,1万
C1,HT-1,,2025-06-01,2026-02-28,协同办公,5,2万"""
    )
    assert codes(run) == [(3, "line_twice")]
    assert (4, "overlaps") in flags(run)
    assert counts(run) == (2, 0, 0, 1)


def test_amount_beyond_the_minor_unit_is_rounded_and_flagged(imported):
    run = imported(f"{HEAD}\nC1,HT-1,,2025-03-01,2026-02-28,协同办公,1,100.005")
    assert flags(run) == [(2, "rounded")]
    assert Line.objects.get().amount_minor == 100_01


def test_arr_of_the_file_that_the_rule_does_not_give_is_flagged(imported):
    run = imported(f"{HEAD},ARR\nC1,HT-1,,2025-03-01,2027-02-28,协同办公,1,24万,24万", dry=True)
    assert flags(run) == [(2, "arr_differs")]
    assert run.outcome["rows"][0]["facts"]["arr_minor"] == 120_000_00


def test_rules_of_arr_are_named_row_by_row(imported):
    head = "客户,合同编号,开始日期,到期日,产品,行类型,金额,税率,是否含税,赠送天数,年限,试用"
    run = imported(
        f"""{head}
C1,A,2025-03-01,2026-02-28,协同办公,订阅,12720,6%,是,,,
C1,B,2025-03-01,2026-05-31,协同办公,订阅,30000,,,3个月,,
C1,C,2025-03-01,,协同办公,订阅,360000,,,,3,
C1,D,2025-03-01,2025-08-07,协同办公,订阅,16000,,,,,
C1,E,2025-03-01,,协同办公,实施费,8000,,,,,
C1,F,2025-03-01,2025-03-31,数据中台,订阅,0,,,,,是
C1,G,2025-03-01,,数据中台,买断,200000,,,,,
C1,H,2025-03-01,2026-02-28,数据中台,维保,36000,,,,,""",
        dry=True,
    )
    facts = [(row["facts"]["arr_minor"], row["facts"]["rule"]) for row in run.outcome["rows"]]
    assert facts == [
        (12_000_00, "by_paid_term"),
        (30_000_00, "by_paid_term"),
        (120_000_00, "by_paid_term"),
        (36_500_00, "by_days"),
        (0, "one_off_zero"),
        (0, "trial_zero"),
        (0, "licence_zero"),
        (36_000_00, "by_paid_term"),
    ]
    assert run.outcome["rows"][2]["facts"]["ends_on"] == "2028-02-29"
    assert not Contract.objects.exists()


def test_new_products_are_made_only_where_it_is_asked_for(cast, imported):
    text = f"{HEAD},版本\nC1,HT-1,,2025-03-01,2026-02-28,GTX Pro,1,1万,旗舰版"
    assert codes(imported(text)) == [(2, "product_unknown")]
    run = imported(text, create_products="yes")
    assert counts(run) == (1, 0, 0, 0)
    line = Line.objects.get()
    assert (line.product.name_zh, line.edition.name_zh) == ("GTX Pro", "旗舰版")
    again = imported(text.replace("GTX Pro", "GTXPro"), create_products="yes")
    assert counts(again) == (0, 0, 1, 0)
    leader = imported(
        text.replace("GTX Pro", "另一个").replace("HT-1", "HT-9"),
        actor=cast.leader, create_products="yes", dry=True,
    )  # fmt: skip
    assert codes(leader) == [(2, "product_unknown")]


def test_leader_imports_only_for_customers_of_the_team(cast, imported):
    text = f"{HEAD}\nC1,HT-1,,2025-03-01,2026-02-28,协同办公,1,1万"
    assert codes(imported(text, actor=cast.stranger)) == [(2, "customer_unknown")]
    assert counts(imported(text, actor=cast.leader)) == (1, 0, 0, 0)


def test_line_that_says_what_it_renews_and_one_that_cannot(imported):
    head = f"{HEAD},行编号,续自"
    run = imported(
        f"""{head}
C1,HT-1,,2024-06-01,2025-05-31,协同办公,1,1万,L1,
C1,HT-2,,2025-09-01,2026-08-31,协同办公,1,1万,L2,L1
C1,HT-3,,2025-09-01,2026-08-31,数据中台,1,1万,L3,L9"""
    )
    assert codes(run) == [(4, "renews_unknown")]
    two = Line.objects.get(external_id="L2")
    assert two.previous.external_id == "L1"


def test_killed_import_goes_on_where_it_was(imported, monkeypatch):
    text = "\n".join(
        [
            HEAD,
            *(f"C{n % 2 + 1},HT-{n},,2025-0{n}-01,2026-02-28,协同办公,1,1万" for n in range(1, 7)),
        ]
    )
    monkeypatch.setattr(importing, "ROWS_A_STEP", 1)
    run = imported(text, dry=True)
    seen = []

    def stop(done, _total):
        seen.append(done)
        raise KeyboardInterrupt

    given = {"actor": run.created_by, "now": NOW, "run": run}
    with pytest.raises(KeyboardInterrupt):
        importing.run_import(**given, on_progress=stop)
    assert (Line.objects.count(), seen) == (3, [3])  # one customer whole, the other not begun
    run.refresh_from_db()
    done = importing.run_import(**given)
    assert (Line.objects.count(), done.created_count) == (6, 6)


def test_totals_of_refused_unreadable_and_good_rows_add_up(imported):
    run = imported(
        f"""{HEAD}
C1,HT-1,,2025-03-01,2026-02-28,协同办公,1,1万
C9,HT-2,,2025-03-01,2026-02-28,协同办公,1,2万
C1,HT-3,,2025-03-01,2026-02-28,数据中台,1,面议""",
        dry=True,
    )
    total = {(t["measure"], t["currency"]): t for t in run.outcome["totals"]}
    amount = total["amount", "CNY"]
    assert (amount["file"], amount["created"], amount["error"], amount["rows"]) == (
        3_000_000, 1_000_000, 2_000_000, 2,
    )  # fmt: skip
    assert amount["unreadable"] == 1


INVOICES = """客户,发票号码,合同编号,开票日期,到期日,价税合计,税额
C1,I-1,HT-1,2025-03-05,2025-04-05,127200,7200
C1,I-2,,2025-09-05,2025-10-05,1000,2000
C1,I-3,HT-9,2025-09-05,,1000,
C1,I-4,,2025-09-05,2025-08-05,0,
C2,I-1,,2025-09-05,,500,
C1,I-5,,2099-01-01,,500,
C1,I-6,,2025-09-05,,-300,"""


def test_invoices_and_payments_are_kept_apart_from_signing(imported):
    imported(f"{HEAD}\nC1,HT-1,,2025-03-01,2026-02-28,协同办公,1,12万")
    arr = Movement.objects.count()
    run = imported(INVOICES, "invoices")
    assert codes(run) == [
        (3, "tax_above_amount"), (4, "contract_unknown"), (5, "amount_zero"),
        (6, "number_repeated"), (7, "in_future"),
    ]  # fmt: skip
    assert counts(run) == (2, 0, 0, 5)
    one = Invoice.objects.get(number="I-1")
    assert (one.contract.number, one.amount_minor, one.tax_minor) == ("HT-1", 12_720_000, 720_000)
    assert Invoice.objects.get(number="I-6").amount_minor == -300_00  # 红字发票
    pay = """客户,流水号,发票号,到账日期,到账金额,退款金额
C1,P-1,I-1,2025-04-01,100000,
C1,P-2,I-1,2025-05-01,30000,
C1,P-3,,2025-06-01,,200
C1,,,2025-06-01,50,
C1,,,2025-06-01,50,
C2,P-4,I-1,2025-06-01,1,
C1,P-5,,2025-06-01,1,1"""
    run = imported(pay, "payments")
    assert codes(run) == [(7, "invoice_unknown"), (8, "refund_and_amount")]
    assert flags(run) == [(3, "paid_above_invoice")]
    assert counts(run) == (5, 0, 0, 2)
    assert Payment.objects.get(number="P-3").amount_minor == -200_00
    again = imported(pay, "payments")
    assert counts(again) == (0, 0, 5, 2)
    changed = imported(pay.replace("100000", "100001"), "payments")
    assert (2, "payment_differs") in codes(changed)
    assert Movement.objects.count() == arr
    later = imported(INVOICES.replace("2025-04-05", "2025-04-30"), "invoices")
    assert (later.changed_count, later.same_count) == (1, 1)
    assert Invoice.objects.get(number="I-1").due_on == date(2025, 4, 30)


def test_spend_adds_up_and_a_voucher_writes_its_difference(cast, imported):
    text = """月份,费用类型,金额,姓名,凭证号
2026-01,市场费用,10万,,V1
2026年1月,工资,20000,{owner},V2
2026-01,工资,20000,,V3
2026-01,团建,1,,V4
2026-02,销售费用,500,,
2026-02,销售费用,500,,"""
    text = text.format(owner=cast.owner.email)
    run = imported(text, "spend")
    assert codes(run) == [(4, "salary_of_nobody"), (5, "spend_kind_unknown")]
    assert counts(run) == (4, 0, 0, 2)
    assert Spend.objects.get(kind="salary").user == cast.owner
    assert counts(imported(text, "spend")) == (0, 0, 4, 2)
    assert counts(imported(text.replace("10万", "12万"), "spend")) == (0, 1, 3, 2)
    held = Spend.objects.filter(external_id="V1").order_by("pk")
    assert [row.amount_minor for row in held] == [10_000_000, 2_000_000]
    with pytest.raises(NotAllowed):  # salaries
        imported(text, "spend", actor=cast.leader)


def test_budget_that_changed_is_a_further_statement(imported):
    text = "客户,预算类别,年度,预算金额,信息来源,获知日期\nC1,办公软件,2026,{},王总,2026-01-15"
    assert counts(imported(text.format("50万"), "budgets")) == (1, 0, 0, 0)
    assert counts(imported(text.format("50万"), "budgets")) == (0, 0, 1, 0)
    assert counts(imported(text.format("60万"), "budgets")) == (0, 1, 0, 0)
    assert [row.amount_minor for row in WalletBudget.objects.order_by("pk")] == [
        50_000_000, 60_000_000,
    ]  # fmt: skip
    later = text.format("60万").replace("2026-01-15", "2027-01-15")
    assert codes(imported(later, "budgets")) == [(2, "in_future")]


def test_rates_are_dated_and_a_correction_is_known_later(imported):
    text = "币种,日期,中间价,单位\nUSD,2026-01-02,{},100\nJPY,2026-01-02,4.6,100\nCNY,2026-01-02,1,"
    run = imported(text.format("702.88"), "rates", history="yes")
    assert codes(run) == [(4, "currency_of_itself")]
    usd = ExchangeRate.objects.get(currency="USD")
    assert (usd.rate, usd.base, usd.on) == (Decimal("7.0288"), "CNY", date(2026, 1, 2))
    assert usd.known_at < NOW
    assert counts(imported(text.format("702.88"), "rates")) == (0, 0, 2, 1)
    assert counts(imported(text.format("703"), "rates")) == (0, 1, 1, 1)
    rates = ExchangeRate.objects.filter(currency="USD").order_by("pk")
    assert [row.known_at for row in rates] == [usd.known_at, NOW]


def test_opportunities_follow_their_system_and_stage_changes_are_kept(imported):
    from gengyun.revenue.actions.opportunity_stages import install_defaults
    from gengyun.revenue.models import Opportunity, OpportunityChange

    install_defaults(now=NOW)
    text = "客户,商机编号,商机名称,产品,商机阶段,预计金额,创建日期,成交日期,负责人\n"
    row = "C1,D-1,扩容,协同办公,{},{},2026-01-05,{},没有这个人"
    run = imported(text + row.format("Proposal", "8万", "2026-04-01"), "opportunities")
    assert counts(run) == (1, 0, 0, 0)
    assert flags(run) == [(2, "owner_left_out")]
    opp = Opportunity.objects.get()
    assert (opp.stage.key, opp.expected_on, opp.closed_on) == ("proposal", date(2026, 4, 1), None)
    assert opp.owner == opp.customer.owner
    won = text + row.format("Closed Won", "9万", "2026-02-20")
    assert counts(imported(won, "opportunities")) == (0, 1, 0, 0)
    opp.refresh_from_db()
    assert (opp.stage.key, opp.amount_minor, opp.closed_on) == (
        "won", 90_000_00, date(2026, 2, 20),
    )  # fmt: skip
    told = OpportunityChange.objects.order_by("pk").values_list("old", "new")
    assert list(told) == [(None, "proposal"), ("proposal", "won")]
    assert counts(imported(won, "opportunities")) == (0, 0, 1, 0)
    assert not Movement.objects.exists()
    late = won.replace("2026-02-20", "2027-02-20").replace("D-1", "D-2")
    assert (2, "in_future") in codes(imported(late, "opportunities"))
