"""A contract file again, mended or not: what the dry run says is what the import does."""

from datetime import date

import pytest
from django.utils import translation
from factories import NOW, People, make_customer, make_tiers
from test_revenue_import import HEAD, codes, counts, flags, imported  # noqa: F401 - a fixture

from gengyun.alerts.actions.defaults import install_defaults
from gengyun.alerts.models import RiskCause
from gengyun.customers.actions.import_messages import MESSAGES, explain, sentence_of
from gengyun.kernel.errors import Refusal
from gengyun.revenue.actions import (
    contracts,
    corrections,
    ending,
    lines,
    refusals,
    settling,
    succeeding,
)
from gengyun.revenue.calc.rules import RULES
from gengyun.revenue.models import Line, Movement, Product

pytestmark = pytest.mark.django_db
DUE = date(2024, 12, 31)
LINES = f"{HEAD},行编号,续自"


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
def both(imported):  # noqa: F811
    """The dry run and the run of one file: they agree. Returns the finished run."""

    def run(text, **options):
        dry = imported(text, dry=True, **options)
        told = tuple(dry.outcome[name] for name in ("created", "changed", "same", "error"))
        done = imported(text, **options)
        assert counts(done) == told
        return dry

    return run


def arr():
    return sum(Movement.objects.values_list("arr_minor", flat=True))


def test_line_written_twice_stays_refused_when_it_has_run_out(both):
    text = f"""{HEAD}
C1,K1,,2025-01-01,2025-12-31,协同办公,10,12000
C1,K1,,2025-01-01,2025-12-31,协同办公,10,12000"""
    assert NOW.date().isoformat() > "2026-02-01"  # and the grace days are over
    assert codes(both(text)) == [(3, "line_twice")]
    again = both(text)
    assert (codes(again), Line.objects.count(), arr()) == ([(3, "line_twice")], 1, 0)


def test_line_beside_one_that_has_run_out_is_no_overlap(both):
    both(f"{HEAD},是否终止\nC1,K1,,2025-01-01,2025-12-31,协同办公,10,12000,是")
    found = both(f"{HEAD}\nC1,K2,,2025-06-01,2026-05-31,协同办公,10,12000")
    assert (counts_of(found), flags(found)) == ((1, 0, 0, 0), [])


def counts_of(run):
    return tuple(run.outcome[name] for name in ("created", "changed", "same", "error"))


def test_twin_of_a_corrected_line_is_refused(both):
    text = f"""{HEAD}
C1,K1,,2026-01-01,2026-12-31,协同办公,10,12000
C1,K1,,2026-01-01,2026-12-31,协同办公,10,12000"""
    both(text)
    mended = both(text.replace("12000", "18000"))
    assert (counts_of(mended), codes(mended)) == ((0, 1, 0, 1), [(3, "line_twice")])
    assert arr() == 18_000_00


def test_two_lines_corrected_into_one_are_refused(both):
    text = f"""{HEAD}
C1,K1,,2026-01-01,2026-12-31,协同办公,10,12000
C1,K1,,2026-01-01,2026-12-31,协同办公,10,18000"""
    both(text)
    assert codes(both(text.replace("18000", "12000"))) == [(3, "line_twice")]
    assert arr() == 30_000_00


def test_correction_of_a_line_that_has_ended_is_refused_in_words(both):
    text = f"""{LINES}
C1,A1,,2024-01-01,2024-12-31,协同办公,10,12000,L1,
C2,B1,,2024-01-01,2026-12-31,协同办公,10,30000,M1,"""
    both(text, history="yes")
    found = both(text.replace("12000", "18000"))
    assert (counts_of(found), codes(found), flags(found)) == (
        (0, 0, 1, 1), [(2, "line_ended")], [],
    )  # fmt: skip
    with translation.override("zh-hans"):
        said = explain(found.outcome["errors"][0])
    assert said.startswith("合同编号“A1”：这一行已于 2024-12-31 结束。")
    with translation.override("en"):
        assert "This line ended on 2024-12-31" in explain(found.outcome["errors"][0])


def test_correction_of_a_line_that_was_renewed_is_refused(both):
    text = f"""{LINES}
C1,A1,,2024-01-01,2024-12-31,协同办公,10,12000,L1,
C1,A2,,2025-01-01,2026-12-31,协同办公,10,24000,L2,L1"""
    both(text)
    found = both(text.replace("12000", "18000"))
    assert codes(found) == [(2, "line_taken_over")]
    assert "A2" in explain(found.outcome["errors"][0])


def test_renewal_that_begins_before_the_line_of_its_file_has_ended(both):
    found = both(
        f"""{LINES}
C1,B2,,2024-12-01,2025-11-30,协同办公,10,15000,M2,M1
C1,B1,,2024-01-01,2024-12-31,协同办公,10,12000,M1,
C2,D2,,2024-01-01,2024-12-31,协同办公,10,12000,N2,N1
C2,D1,,2024-02-01,2025-01-31,协同办公,10,12000,N1,"""
    )
    assert codes(found) == [(2, "renewal_overlaps"), (4, "renewal_overlaps")]
    assert counts_of(found) == (2, 0, 0, 2)


def test_renewal_of_a_row_that_is_refused_waits_with_it(both):
    text = f"""{LINES}
C1,B1,,2024-01-01,2024-12-31,协同办公,-10,12000,M1,
C1,B2,,2025-01-01,2026-12-31,协同办公,10,15000,M2,M1"""
    assert codes(both(text)) == [(2, "seats_negative"), (3, "renews_unknown")]
    assert counts_of(both(text.replace("-10", "10"))) == (2, 0, 0, 0)
    assert Line.objects.get(external_id="M2").previous.external_id == "M1"


def test_line_is_renewed_once(both):
    first = f"""{LINES}
C1,B1,,2025-01-01,2025-12-31,协同办公,10,12000,M1,
C1,B2,,2026-01-01,2026-12-31,协同办公,10,15000,M2,M1"""
    third = "C1,B3,,2026-01-01,2026-12-31,协同办公,5,3000,M3,M1"
    assert codes(both(f"{first}\n{third}")) == [(4, "renews_answered")]
    assert codes(both(f"{LINES}\n{third}")) == [(2, "renews_answered")]


WRITERS = (contracts, corrections, ending, lines, refusals, settling, succeeding)


def test_every_refusal_of_the_writers_has_a_sentence():
    found = {
        kind.code: kind.message
        for module in WRITERS
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, Refusal)
    }
    assert {"line_ended", "line_adjusted", "known_later", "not_found"} <= set(found)
    for code, message in found.items():
        assert MESSAGES.get(code, message) == message
        assert sentence_of(code)
    for refusal in vars(refusals).values():
        if isinstance(refusal, type) and refusal.__module__ == refusals.__name__:
            assert refusal.code in MESSAGES or refusal is refusals.RuleBroken
    assert set(RULES) <= set(MESSAGES)


def test_code_without_a_sentence_is_shown_and_breaks_nothing():
    with translation.override("en"):
        assert explain({"code": "gone_100%", "params": {"row": 3}}) == "gone_100%"
        assert explain({"code": "not_found"}) == "Not found."


SHORT = f"""{HEAD}
C1,K1,,2026-02-01,2026-02-28,协同办公,1,7000
C1,K2,,2026-02-01,2026-02-27,数据中台,1,7000
C2,K3,,2026-02-01,2026-02-01,协同办公,1,7000
C2,K4,,2026-02-01,2026-02-01,协同办公,1,0"""
YEARLY = "客户,合同编号,开始日期,到期日,产品,年费\nC1,K5,2026-02-01,2026-02-10,协同办公,7000"


def test_line_of_a_few_days_is_flagged_for_its_arr(both):
    found = both(SHORT)
    short = [row for row, code in flags(found) if code == "term_very_short"]
    assert (counts_of(found), short) == ((4, 0, 0, 0), [3, 4])
    with translation.override("zh-hans"):
        said = [explain(flag) for flag in found.outcome["flags"]]
    assert "到期日“2026-02-01”：这一行只有 1 天，ARR 按这样持续一年折算。" in said
    assert "term_very_short" not in [code for _, code in flags(both(YEARLY))]  # nothing is guessed


ENDED = f"""{HEAD},是否终止,断约原因
C1,K1,,2025-01-01,2025-06-30,协同办公,1,7000,是,竞品进入
C2,K2,,2025-01-01,2025-06-30,协同办公,1,7000,是,没这个原因"""


def test_cause_of_a_loss_is_one_of_the_tree(cast, both):
    install_defaults(now=NOW)
    RiskCause.objects.filter(key="layoff").update(retired_at=NOW)
    third = "C2,K3,,2025-01-01,2025-06-30,数据中台,1,70,是,LAY OFF"
    found = both(f"{ENDED}\n{third}", history="yes")
    assert counts_of(found) == (3, 0, 0, 0)
    assert [flag for flag in flags(found) if flag[1] == "loss_cause_unknown"] == [
        (3, "loss_cause_unknown")
    ]
    said = explain(next(f for f in found.outcome["flags"] if f["code"] == "loss_cause_unknown"))
    assert "没这个原因" in said
    assert "竞品进入" in said
    assert "裁员缩编" not in said
    losses = Movement.objects.filter(kind__in=["churn", "downsell"])
    found = dict(losses.values_list("line__external_id", "cause"))
    assert found == {"K1": "competitor", "K2": "", "K3": "layoff"}


def test_cause_stays_as_written_where_there_is_no_tree(both):
    both(ENDED, history="yes")
    assert set(Movement.objects.filter(kind="churn").values_list("cause", flat=True)) == {
        "竞品进入", "没这个原因",
    }  # fmt: skip


@pytest.mark.parametrize("signed_on", ["2025-01-25", "2025-03-20"])
def test_who_comes_back_after_the_grace_days_answers_the_due_date(both, signed_on):
    both(
        f"""{HEAD}
C1,B1,2023-12-20,2024-01-01,2024-12-31,协同办公,10,10000
C1,B2,{signed_on},2025-04-01,2026-12-31,协同办公,10,11000
C1,B3,{signed_on},2025-05-01,2026-12-31,数据中台,10,11000""",
        history="yes",
    )
    assert list(Movement.objects.order_by("effective_on", "pk").values_list("kind", "due_on")) == [
        ("new", None),
        ("churn", DUE),
        ("win_back", DUE),
        ("cross_sell", None),
    ]
    assert Line.objects.get(external_id="B2").previous.external_id == "B1"


def test_due_date_is_answered_once_and_only_where_it_was_lost(both):
    both(
        f"""{HEAD},是否终止
C1,B1,,2024-01-01,2024-12-31,协同办公,10,10000,
C1,B2,,2025-04-01,2025-12-31,协同办公,10,11000,
C1,B3,,2026-02-20,2026-12-31,协同办公,10,11000,
C2,D1,,2024-01-01,2024-12-31,协同办公,10,10000,
C2,D2,,2024-06-01,2025-05-31,协同办公,10,500,
C2,D3,,2025-04-01,2026-12-31,协同办公,10,700,"""
    )
    backs = Movement.objects.exclude(kind="churn").exclude(kind="downsell").order_by("pk")
    found = dict(backs.values_list("line__external_id", "due_on"))
    assert found == {
        "B1": None, "B2": DUE, "B3": date(2025, 12, 31), "D1": None, "D2": None, "D3": None,
    }  # fmt: skip
