"""Published and hand-worked cases of what one line is worth: ARR, MRR, TCV, credits, due dates."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest
import yaml
from test_revenue_oracles import ELSEWHERE, same, value

from gengyun.revenue.calc import normalise, terms, waterfall
from gengyun.revenue.calc.fx import Rates, effect
from gengyun.revenue.calc.moves import day_number, moves_of
from gengyun.revenue.calc.normalise import ArrPolicy, Terms, annualise
from gengyun.revenue.calc.policies import choose
from gengyun.revenue.calc.retention import retention_of_lists
from gengyun.revenue.calc.spans import ends, spans


def minor(amount) -> int:
    return round(Decimal(str(amount)) * 100)


def mrr(arr_minor) -> float:
    return float(Decimal(arr_minor) / 1200)


def line(**values) -> Terms:
    return Terms(**({"kind": "subscription", "amount_minor": 0} | values))


def billed(given):
    amount = minor(given["billed"])
    months = Decimal(given["interval_months"])
    return {"mrr": mrr(annualise(line(amount_minor=amount, paid_months=months)).arr_minor)}


def n05(given):
    net = normalise.discounted(Decimal(minor(given["list"])), given["discount_pct"] * 100)
    found = annualise(line(amount_minor=net, paid_months=Decimal(given["interval_months"])))
    return {"mrr": mrr(found.arr_minor)}


def coupon(discounts):
    """An invoice halved once: the line is sold at its list price for good, or at half of it."""

    def found(given):
        price = minor(given["list"])
        off = given["coupon"]["pct"] * 100
        paid = int(normalise.discounted(Decimal(price), off))
        sold = line(
            amount_minor=paid,
            list_minor=price,
            discount_is_forever=given["coupon"]["duration"] == "forever",
            paid_months=Decimal(given["interval_months"]),
        )
        return {"mrr": mrr(annualise(sold, ArrPolicy(discounts=discounts)).arr_minor)}

    return found


def n07(given):
    sold = line(
        amount_minor=minor(given["billed_incl_tax"]),
        tax_included=True,
        tax_rate_bp=round(given["vat_rate"] * 10_000),
        paid_months=Decimal(given["interval_months"]),
    )
    return {"mrr": mrr(annualise(sold).arr_minor)}


def n08(given):
    months = Decimal(given["term_months"])
    parts = [
        line(amount_minor=minor(given["annual_subscription"]), paid_months=months),
        line(kind="one_off", amount_minor=minor(given["one_time_fee"])),
    ]
    arr = sum(annualise(part).arr_minor for part in parts)
    return {"arr": arr / 100, "tcv": normalise.tcv(parts) / 100}


def n09(given):
    months = Decimal(12 * given["term_years"])
    parts = {}
    for row in given["lines"]:
        whole = Decimal(minor(row["seats"] * row["price"] * given["term_years"]))
        net = normalise.discounted(whole, given["discount_pct"] * 100)
        parts[row["product"]] = line(amount_minor=net, paid_months=months)
    arr = {name: annualise(part).arr_minor / 100 for name, part in parts.items()}
    return {
        "tcv": normalise.tcv(list(parts.values())) / 100,
        "arr": sum(arr.values()),
        "arr_A": arr["A"],
        "arr_B": arr["B"],
    }


def n11(given):
    sold = line(
        amount_minor=minor(given["amount"]),
        paid_months=Decimal(given["paid_months"]),
        service_months=Decimal(given["service_months"]),
    )
    return {
        "arr_by_service_term": annualise(sold, ArrPolicy(term="service")).arr_minor / 100,
        "arr_by_paid_term": annualise(sold).arr_minor / 100,
    }


def n13(given):
    old, new = Decimal(given["old_annual"]), Decimal(given["new_annual"])
    days = {"used_days": given["used_days"], "year_days": given["year_days"]}
    return {
        "credit": terms.upgrade_credit(old, **days),
        "due": terms.upgrade_due(old, new_annual=new, **days),
    }


def n16(given):
    part = normalise.month_of_part(
        Decimal(given["amount"]), given["service_days"], given["full_period_days"]
    )
    return {"mrr": part}


def n17(given):
    sold = line(
        kind="usage",
        committed_minor=minor(given["committed_monthly"] * 12),
        usage_minor=[minor(amount) for amount in given["usage"]],
    )
    return {
        name: annualise(sold, ArrPolicy(usage=usage)).arr_minor / 100
        for name, usage in (
            ("arr_committed", "committed"),
            ("arr_last_month_x12", "last_month"),
            ("arr_t3m_x4", "t3m"),
        )
    }


def n19(given):
    first, last = date(2025, 1, 1), date(2025, 12, 31)
    rates = Rates.of(
        "CNY",
        [
            ("USD", first, Decimal(str(given["fx_start"]))),
            ("USD", last, Decimal(str(given["fx_end"]))),
        ],
    )
    arr = minor(given["arr_usd"])
    moved = effect({"USD": arr}, [], first, last, rates)
    at_first = rates.converted(arr, "USD", first)
    fall = waterfall.waterfall(
        moves_of([(0, first, at_first, "new")]),
        [day_number(first), day_number(last)],
        reported=_column(moved.start, moved.end),
    )
    assert fall.fx == (moved.effect,)
    return {
        "arr_start": moved.start / 100,
        "arr_end": moved.end / 100,
        "fx_impact": moved.effect / 100,
        "contraction": fall.columns["contraction"][0],
        "nrr_constant_fx": value(retention_of_lists([at_first], [at_first]).nrr),
        "nrr_reported": value(retention_of_lists([moved.start], [moved.end]).nrr),
    }


def _column(*amounts):
    import numpy as np

    return np.array([amounts], np.int64)


def n20(given):
    paid = minor(given["mrr"])
    months = [date.fromisoformat(f"{month}-01") for month in given["months"]]
    moves = moves_of(
        [
            (0, date(2025, 1, 1), paid, "new"),
            (0, date(2025, 3, 1), -paid, "pause"),
            (0, date(2025, 5, 1), paid, "resume"),
        ]
    )
    boundaries = ends(spans("month", months[0], date(2025, 5, 31)))
    found = waterfall.waterfall(moves, boundaries, choose({"pause": "zero"}))
    assert found.columns["churn"] == (0,) * 4
    return {"mrr_by_month": [amount / 100 for amount in found.closing]}


def n22(given):
    sold = line(amount_minor=minor(given["list"]), paid_months=Decimal(1), is_trial=True)
    return {"mrr": mrr(annualise(sold).arr_minor)}


def n23(given):
    days = [date.fromisoformat(given[name]) for name in ("cancelled_at", "paid_through")]
    return {
        policy: terms.churn_day(*days, policy).isoformat()
        for policy in ("end_of_period", "at_cancel", "day_after_cancel")
    }


def n25(given):
    base = annualise(line(amount_minor=minor(given["base_annual"]), paid_months=Decimal(12)))
    addon = annualise(
        line(amount_minor=minor(given["addon_invoice"]), paid_months=Decimal(given["addon_months"]))
    )
    yearly = Decimal(addon.arr_minor)
    stub = terms.coterm_amount(yearly, date(2025, 8, 1), date(2025, 12, 31))
    total = (base.arr_minor + addon.arr_minor) / 100
    # all of it is in force on the last day, so all of it comes due
    return {
        "arr": total,
        "expansion_mrr": mrr(addon.arr_minor),
        "invoice_by_month": stub / 100,
        "atr": total,
    }


def n28(given):
    """A refund is cash: it is not among what a line's ARR is made of."""
    sold = line(amount_minor=minor(given["annual"]), paid_months=Decimal(12))
    return {"mrr": mrr(annualise(sold).arr_minor)}


def w08(given):
    start = date.fromisoformat(given["start"])
    due, quarter = terms.renewal_booking(start, given["term_months"])
    return {"renewal_date": due.isoformat(), "booking_quarter": quarter}


def w20(given):
    start = date.fromisoformat(given["start"])
    months = given["term_months"]
    due = terms.extended(terms.term_end(start, months), months=given["extension_months"])
    sold = line(amount_minor=minor(given["annual"]), paid_months=Decimal(months))
    return {"due_date": due.isoformat(), "arr": annualise(sold).arr_minor / 100}


CASES: dict[str, Callable] = {
    "N01": billed,
    "N02": billed,
    "N03": billed,
    "N05": n05,
    "N06a": coupon("forever_only"),
    "N06b": coupon("always"),
    "N07": n07,
    "N08": n08,
    "N09": n09,
    "N11": n11,
    "N13": n13,
    "N16": n16,
    "N17": n17,
    "N19": n19,
    "N20": n20,
    "N22": n22,
    "N23": n23,
    "N25": n25,
    "N28": n28,
    "W08": w08,
    "W20": w20,
}


def cases(shared):
    found = {}
    for name in ("mrr_normalisation", "renewal"):
        text = (shared / "oracles" / f"{name}.yaml").read_text(encoding="utf-8")
        found |= {case["id"]: case for case in yaml.safe_load(text)}
    return {key: case for key, case in found.items() if key[0] == "N" or key in ELSEWHERE}


def test_no_case_is_left_out(shared):
    assert cases(shared).keys() == CASES.keys()


@pytest.mark.parametrize("name", sorted(CASES))
def test_case(shared, name):
    case = cases(shared)[name]
    got = CASES[name](case["input"])
    want = {
        key: str(item) if isinstance(item, date) else item for key, item in case["expected"].items()
    }
    assert same(got, want, float(case["tolerance"])), (got, want)
