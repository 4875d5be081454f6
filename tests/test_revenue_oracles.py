"""Published and hand-worked cases of revenue metrics, each through a public function by name.

`CASES` maps a case to how its input is put in and what of its expectation is checked; a case of
the file without an entry fails, so none is left out silently.
"""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from itertools import pairwise

import pytest
import yaml

from gengyun.revenue.calc import cohorts, renewal_rates, retention, unit_economics
from gengyun.revenue.calc.figure import Figure
from gengyun.revenue.calc.moves import Moves, day_number, moves_of, moves_of_periods
from gengyun.revenue.calc.policies import DEFAULT, Policy, choose
from gengyun.revenue.calc.waterfall import waterfall

FILES = ("mrr_movements", "retention", "renewal", "unit_economics", "cohort")


def cents(amount) -> int:
    return round(float(amount) * 100)


def ledger(rows) -> tuple[Moves, dict[str, int]]:
    """Rows of (customer, start, end exclusive, mrr) as movements."""
    number = {name: at for at, name in enumerate(dict.fromkeys(row[0] for row in rows))}
    periods = [
        (number[who], day(start), None if end is None else day(end), cents(mrr))
        for who, start, end, mrr in rows
    ]
    return moves_of_periods(periods), number


def day(text: str) -> date:
    return date.fromisoformat(str(text))


def month_ends(first: str, last: str) -> list[int]:
    """The last day before `first`, and of every month from `first` to `last`."""
    begin, end = month(first), month(last)
    return [cohorts.last_day(number) for number in range(begin - 1, end + 1)]


def month(text: str) -> int:
    return cohorts.month_number(date.fromisoformat(f"{text}-01"))


def value(figure: Figure):
    """None with its reason, never one without the other."""
    assert (figure.value is None) == bool(figure.reason)
    assert figure.definition
    return None if figure.value is None else float(figure.value)


# ---- movements


def m01(case, files):
    """The customer's ARR before and after each event says what it was."""
    moves = moves_of(
        [
            (0, date(2025, 1, 1), 16667, "new"),
            (0, date(2025, 2, 1), 6000, "cross_sell"),
            (0, date(2025, 3, 1), -6000, "downsell"),
            (0, date(2026, 1, 1), -16667, "churn"),
            (0, date(2026, 2, 1), 15000, "new"),
        ]
    )
    ends = [day_number(date(2024, 12, 31)), *(int(at) for at in moves.day)]
    found = waterfall(moves, ends, choose({"basis": "events"}))
    shown = []
    for period in range(5):
        (step,) = [(name, cells[period]) for name, cells in found.kinds.items() if cells[period]]
        shown.append(step)
    names = {"reactivation": "win_back"}
    want = [
        (names.get(name, name), cents(amount)) for name, amount in case["expected"]["movements"]
    ]
    assert shown == want
    return {}


def m02(case, files):
    got = {"mrr": [], "arr": []}
    for _, new, up, down, left, unpaid, existing in case["input"]["rows"]:
        change = unit_economics.net_change(
            new=new, expansion=up, contraction=-down, churn=-(left + unpaid)
        )
        mrr = Decimal(str(existing)) + change.value
        got["mrr"].append(float(mrr))
        got["arr"].append(float(mrr * 12))
    return got


def m03(case, files):
    rows = [
        ("甲", "2024-06-01", case["input"]["churned"], 100),
        ("甲", case["input"]["returned"], None, 100),
    ]
    moves, _ = ledger(rows)
    ends = month_ends("2025-05", "2025-05")
    got = {}
    for name, days in (("any_gap", "any"), ("within_90_days", "90")):
        for basis in ("events", "snapshot"):
            found = waterfall(moves, ends, choose({"basis": basis, "win_back_days": days}))
            (kind,) = [kind for kind, cells in found.kinds.items() if cells[0]]
            kind = {"win_back": "reactivation"}.get(kind, kind)
            assert got.setdefault(name, kind) == kind
    return got


def m05(case, files):
    moves, _ = ledger([("甲", case["input"]["start"], case["input"]["end"], case["input"]["mrr"])])
    ends = month_ends("2025-12", "2025-12")
    got = {}
    for name, policy in (
        ("ignore_intra_month", {"basis": "events", "same_period": "ignore"}),
        ("count_both", {"basis": "events", "same_period": "count"}),
    ):
        found = waterfall(moves, ends, choose(policy)).kinds
        got[name] = {"new": found["new"][0] / 100, "churn": -found["churn"][0] / 100}
    snapshot = waterfall(moves, ends, choose({"basis": "snapshot"})).kinds
    assert snapshot["new"][0] == snapshot["churn"][0] == 0
    return got


def m07(case, files):
    return {"net": value(unit_economics.net_change(**renamed(case["input"])))}


def renamed(given):
    return {{"reactivation": "win_back"}.get(key, key): number for key, number in given.items()}


def m10(case, files):
    moves, _ = ledger(case["input"]["rows"])
    ends = month_ends(case["input"]["months"][0], case["input"]["months"][-1])
    found = waterfall(moves, ends, choose({"basis": "snapshot"}))
    assert found.remainder() == (0,) * 6
    events = waterfall(moves, ends, choose({"basis": "events"}))
    assert (events.kinds["new"][2], events.kinds["churn"][2]) == (20000, -20000)  # C7
    return {
        "mrr": [amount / 100 for amount in found.closing],
        **{
            name: [abs(amount) / 100 for amount in found.kinds[kind]]
            for name, kind in (
                ("new", "new"),
                ("expansion", "expansion"),
                ("contraction", "contraction"),
                ("churn", "churn"),
                ("reactivation", "win_back"),
            )
        },
    }


# ---- book-based retention


def r01(case, files):
    given = case["input"]
    up = given["after_upsell"] - given["start"]
    got = retention.nrr_of_totals(start=given["start"], expansion=up, churn=given["churn"])
    return {"nrr": value(got)}


def of_lists(case, files):
    found = retention.retention_of_lists(case["input"]["start"], case["input"]["end"])
    got = {
        "nrr": value(found.nrr),
        "grr": value(found.grr),
        "logo_retention": value(found.logo),
    }
    return {name: got[name] for name in case["expected"]}


def r04(case, files):
    given = renamed(case["input"])
    gross = retention.gross_churn_of_totals(
        start=given["start"], churn=given["churn"], contraction=given["contraction"]
    )
    return {
        "gross_mrr_churn": value(gross),
        "net_mrr_churn": value(retention.net_churn_of_totals(**given)),
    }


def r07(case, files):
    given = case["input"]
    got = retention.logo_retention_of_totals(start=given["start"], end=given["end_excl_new"])
    return {"logo_retention": value(got)}


def r08(case, files):
    start, end = (list(case["input"][side].values()) for side in ("start", "end"))
    biased = retention.retention_of_lists(start, end, choose({"cohort": "survivors"}))
    return {
        "nrr_biased": value(biased.nrr),
        "nrr": value(retention.retention_of_lists(start, end).nrr),
    }


def r10(case, files):
    moves, _ = ledger(files[case["input"]["ledger"]]["input"]["rows"])
    window = day_number(date(2025, 1, 31)), day_number(date(2025, 6, 30))
    found = retention.retention_between(moves, *window)
    strict = retention.retention_between(moves, *window, choose({"returned": "exclude"}))
    summed = retention.retention_between(moves, *window, choose({"method": "movements"}))
    lost = retention.gross_churn_of_totals(
        start=found.start, churn=found.churned, contraction=found.contracted
    )
    return {
        "nrr_snapshot": value(found.nrr),
        "grr_snapshot": value(found.grr),
        "logo_snapshot": value(found.logo),
        "nrr_strict": value(strict.nrr),
        "grr_strict": value(strict.grr),
        "logo_strict": value(strict.logo),
        "grr_movements": value(summed.grr),
        "mrr_churn_fightchurn": value(lost),
    }


def r14(case, files):
    given = case["input"]
    got = retention.nrr_of_totals(
        start=given["start"], churn=given["churned"], expansion=given["expansion"]
    )
    return {"nrr": value(got)}


def r15(case, files):
    given = case["input"]
    got = retention.scaled_churn(given["churn"], from_days=given["period_days"])
    return {"annual_churn": value(got)}


def r17(case, files):
    given = case["input"]
    got = retention.logo_retention_of_totals(
        start=given["prev_end"], end=given["end"], new=given["new"]
    )
    return {"logo_retention": value(got)}


def r18(case, files):
    given = dict(case["input"], due=case["input"]["base"])
    given.pop("base")
    gross = renewal_rates.gross_of_totals(due=given["due"], renewed=given["renewed"])
    return {
        "gross_renewal": value(gross),
        "net_renewal": value(renewal_rates.net_of_totals(**given)),
    }


def r20(case, files):
    """The new customer is in the ledger and must not count."""
    given = case["input"]
    found = retention.retention_of_lists(
        [given["start"], 0], [given["end_existing"], given["end_new"]]
    )
    return {"nrr": value(found.nrr)}


# ---- due-based retention


def w01(case, files):
    return {"rate": value(renewal_rates.count_of_totals(**case["input"]))}


def w02(case, files):
    return {"rate": value(renewal_rates.net_of_lists(**case["input"]))}


def w03(case, files):
    return {
        "renewal_rate_value_net": value(renewal_rates.net_of_lists(**case["input"])),
        "renewal_rate_value_gross": value(renewal_rates.gross_of_lists(**case["input"])),
    }


def w05(case, files):
    rows = renewal_rates.due_rows(
        [
            (at, day(f"{row['due']}-15"), row["value"], day(f"{row['renewed']}-10"), row["value"])
            for at, row in enumerate(case["input"]["contracts"])
        ]
    )
    policy = choose({"late": "windfall"})
    as_of = day_number(date(2025, 12, 31))

    def rate(first, after):
        found = renewal_rates.renewal_rate(
            rows, day_number(day(first)), day_number(day(after)), as_of, policy
        )
        assert value(found.count) == value(found.net)
        return value(found.net)

    return {
        "2025-01": rate("2025-01-01", "2025-02-01"),
        "2025-02": rate("2025-02-01", "2025-03-01"),
        "2025-Q1": rate("2025-01-01", "2025-04-01"),
    }


def due_of_contracts(rows):
    return renewal_rates.due_rows(
        [
            (
                at,
                day(row["end"]),
                row["value"],
                day(row["renewal"]["signed"]) if row["renewal"] else None,
                row["renewal"]["value"] if row["renewal"] else 0,
            )
            for at, row in enumerate(rows)
        ]
    )


def w10(case, files, policy: Policy = DEFAULT, as_of: str = "2025-12-31"):
    given = case["input"]
    rows = given.get("contracts") or files[given["ledger"]]["input"]["contracts"]
    quarter = {"2025-Q2": ("2025-04-01", "2025-07-01"), "2025-Q3": ("2025-07-01", "2025-10-01")}
    first, after = (day_number(day(text)) for text in quarter[given["period"]])
    known = day_number(day(given.get("as_of", as_of)))
    found = renewal_rates.renewal_rate(due_of_contracts(rows), first, after, known, policy)
    got = {
        "due_count": found.due_count,
        "due_value": found.due,
        "count": value(found.count),
        "value": value(found.net),
        "value_gross": value(found.gross),
        "value_net": value(found.net),
    }
    return {name: got[name] for name in case["expected"]}


def w12(case, files):
    return w10(case, files, choose({"late": "windfall"}))


def w16(case, files):
    rows = [
        (row["target"], row.get("won_final", row.get("open_forecast")))
        for row in case["input"]["opps"]
    ]
    due, forecast = renewal_rates.capped_forecast(rows)
    return {"renewals_due": float(due), "renewal_forecast": float(forecast)}


def w18(case, files):
    given = case["input"]
    who = [given["customer"]] * len(given["due"])
    lists = given["due"], given["renewed"]
    customers = choose({"count_level": "customer"})
    return {
        "by_contract": value(renewal_rates.count_of_lists(who, *lists)),
        "by_customer": value(renewal_rates.count_of_lists(who, *lists, customers)),
        "by_value": value(renewal_rates.net_of_lists(*lists)),
    }


# ---- unit economics


def u01(case, files):
    got = unit_economics.ltv(**case["input"], policy=choose({"ltv": "revenue"}))
    return {"ltv": value(got)}


def u02(case, files):
    given = case["input"]
    ltv = unit_economics.ltv(arpa=given["arpa"], churn=given["churn"], margin=given["gm"])
    return {
        "lifetime_months": value(unit_economics.lifetime(churn=given["churn"])),
        "ltv": value(ltv),
        "ltv_cac": value(unit_economics.ltv_to_cac(ltv=ltv.value, cac=given["cac"])),
    }


def u03(case, files):
    given = case["input"]
    got = unit_economics.ltv(arpa=given["arpa"], churn=given["churn"], margin=given["gm"])
    return {"ltv": value(got)}


def u05(case, files):
    given = case["input"]
    got = unit_economics.cac_payback(
        cac=given["sm"], monthly_revenue=given["new_cmrr"], margin=given["gm"]
    )
    return {"cac_payback_months": value(got)}


def quick(case, files):
    got = {"quick_ratio": value(unit_economics.quick_ratio(**case["input"]))}
    if "net_change" in case["expected"]:
        got["net_change"] = value(unit_economics.net_change(**case["input"]))
    return got


def u12(case, files):
    moves, _ = ledger(files[case["input"]["ledger"]]["input"]["rows"])
    ends = [day_number(date(2025, 1, 31)), day_number(date(2025, 6, 30))]
    monthly = [ends[0], *month_ends("2025-03", "2025-06")]
    columns = waterfall(moves, monthly, choose({"basis": "snapshot"})).columns
    sums = {name: abs(sum(cells)) for name, cells in columns.items()}
    given = {name: sums[name] for name in ("new", "win_back", "expansion", "contraction", "churn")}
    without = choose({"quick_ratio": "without_win_back"})
    return {
        "with_reactivation": value(unit_economics.quick_ratio(**given)),
        "without_reactivation": value(unit_economics.quick_ratio(**given, policy=without)),
    }


def u15(case, files):
    given = case["input"]
    got = unit_economics.cac_payback(
        cac=given["cac"], monthly_revenue=given["mrr"], margin=given["gm"]
    )
    return {"cac_payback_months": value(got)}


def u18(case, files):
    given = case["input"]
    ratio = unit_economics.cac_ratio(spend=given["sm_prev"], new_arr=given["new_arr"])
    plain = unit_economics.ltv(
        arpa=given["arr"], churn=given["annual_churn"], policy=choose({"ltv": "revenue"})
    )
    with_margin = unit_economics.ltv(
        arpa=given["arr"], churn=given["annual_churn"], margin=given["gm"]
    )
    return {
        "cac_ratio": value(ratio),
        "lifetime_years": value(unit_economics.lifetime(churn=given["annual_churn"])),
        "ltv": value(plain),
        "ltv_gm": value(with_margin),
        "ltv_cac": value(unit_economics.ltv_to_cac(ltv=with_margin.value, cac=given["cac"])),
    }


def u19(case, files):
    low, high = unit_economics.capacity_band(salary=case["input"]["salary"])
    return {"capacity_low": value(low), "capacity_high": value(high)}


def u21(case, files):
    return {"share_of_wallet": value(unit_economics.share_of_wallet(**case["input"]))}


# ---- cohorts


def c01(case, files):
    rows = case["input"]["rows"]
    table = cohorts.cohorts_of_spans(
        [month(row[1]) for row in rows],
        [month(row[2]) for row in rows],
        until=month(case["input"]["as_of"]),
    )
    return {
        name: {
            "size": row.size,
            "retention": [
                value(share)
                for share, count in zip(row.count_shares(), row.counts, strict=True)
                if count is not None
            ],
        }
        for name, row in cohorts.by_month(table).items()
    }


def c03(case, files):
    return {
        name: [value(share) for share in unit_economics.index_to_base(revenue, base)]
        for name, base, revenue in (
            ("baseline_m0", 0, case["input"]["revenue"]),
            ("baseline_m1", 1, case["input"]["revenue"]),
        )
    }


CASES: dict[str, Callable] = {
    "M01": m01,
    "M02": m02,
    "M03": m03,
    "M05": m05,
    "M07": m07,
    "M10": m10,
    "R01": r01,
    "R02": of_lists,
    "R04": r04,
    "R07": r07,
    "R08": r08,
    "R10": r10,
    "R12": of_lists,
    "R14": r14,
    "R15": r15,
    "R17": r17,
    "R18a": r18,
    "R18c": r18,
    "R20": r20,
    "W01": w01,
    "W02": w02,
    "W03": w03,
    "W05": w05,
    "W10": w10,
    "W11": w10,
    "W12": w12,
    "W16": w16,
    "W18": w18,
    "U01": u01,
    "U02": u02,
    "U03": u03,
    "U05": u05,
    "U07": quick,
    "U10": quick,
    "U12": u12,
    "U13": quick,
    "U15": u15,
    "U18": u18,
    "U19": u19,
    "U21": u21,
    "C01": c01,
    "C03": c03,
}
# terms and due dates are `calc.terms`, amounts `calc.normalise`: tests/test_revenue_oracles_lines
ELSEWHERE = {"W08", "W20"}


def all_cases(shared) -> dict[str, dict]:
    found = {}
    for name in FILES:
        text = (shared / "oracles" / f"{name}.yaml").read_text(encoding="utf-8")
        found |= {case["id"]: case for case in yaml.safe_load(text)}
    return found


def same(got, want, tolerance: float) -> bool:
    if isinstance(want, dict):
        return got.keys() == want.keys() and all(
            same(got[key], item, tolerance) for key, item in want.items()
        )
    if isinstance(want, list):
        return len(got) == len(want) and all(
            same(left, right, tolerance) for left, right in zip(got, want, strict=True)
        )
    if want is None or isinstance(want, str) or got is None:
        return got == want
    return abs(float(got) - float(want)) <= tolerance


def test_no_case_is_left_out(shared):
    assert all_cases(shared).keys() == CASES.keys() | ELSEWHERE


@pytest.mark.parametrize("name", sorted(CASES))
def test_case(shared, name):
    files = all_cases(shared)
    case = files[name]
    got = CASES[name](case, files)
    want = {} if name == "M01" else case["expected"]
    assert same(got, want, float(case["tolerance"])), (got, want)


def test_a_wrong_answer_would_be_seen(shared):
    """The comparison itself can fail: by a little, by a key, by a length, by None."""
    assert not same({"a": 1.02}, {"a": 1.0}, 0.01)
    assert not same({"a": 1.0, "b": 2}, {"a": 1.0}, 0.01)
    assert not same([1.0], [1.0, 2.0], 0.01)
    assert not same(None, 0, 0.01)
    assert not same(0, None, 0.01)
    assert all(a < b for a, b in pairwise(month_ends("2025-01", "2025-06")))
