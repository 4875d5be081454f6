"""Metrics over the real ledger: what actions wrote is what figures say, as it was known."""

import json
from datetime import date, timedelta

import numpy as np
import pytest
from click.testing import CliRunner
from factories import make_customer, make_user
from revenue_rows import add_line, at, make_contract

from gengyun.cli.revenue import METRICS as COMMANDS
from gengyun.cli.revenue import command
from gengyun.customers.actions.merging import merge_customers, undo_merge
from gengyun.customers.models import Customer
from gengyun.revenue.calc.moves import day_number
from gengyun.revenue.calc.policies import DEFAULT, choose
from gengyun.revenue.calc.spans import ends, spans
from gengyun.revenue.jobs import revenue_step
from gengyun.revenue.models import ExchangeRate, Movement, Renewal
from gengyun.revenue.queries import frames, insight, measures
from gengyun.revenue.queries.answers import METRICS, Question, ask
from gengyun.revenue.queries.book import book
from gengyun.revenue.queries.due_book import due_book

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def sold(customer, value, start, end, *, signed=None, previous=None, now=None):
    """One contract with one line, in whole yuan a year."""
    contract = make_contract(customer, starts_on=start, ends_on=end)
    months = (end.year - start.year) * 12 + end.month - start.month + (end.day >= start.day)
    amount = value * 100 * months // 12
    return add_line(
        contract,
        amount=amount,
        starts_on=start,
        ends_on=end,
        previous=previous,
        signed_on=signed,
        now=now or at(date(2025, 12, 31)),
    ).line


@pytest.fixture
def quarter():
    """The contracts of case W10: early, on time, late, lost, shrunk."""
    d = date.fromisoformat
    rows = [
        ("甲", 120_000, "2024-07-01", "2025-06-30", ("2025-06-20", 120_000)),
        ("乙", 80_000, "2024-07-01", "2025-06-30", ("2025-03-15", 100_000)),
        ("丙", 60_000, "2024-06-01", "2025-05-31", ("2025-07-18", 60_000)),
        ("丁", 40_000, "2024-05-16", "2025-05-15", None),
        ("己", 50_000, "2024-04-11", "2025-04-10", ("2025-04-10", 30_000)),
        ("庚", 90_000, "2024-10-01", "2025-09-30", ("2025-06-30", 90_000)),
    ]
    for name, value, start, end, renewal in rows:
        customer = make_customer(name)
        line = sold(customer, value, d(start), d(end), now=at(d(start)))
        if renewal:
            signed, worth = renewal
            after = d(end) + DAY
            last = date(after.year + 1, after.month, after.day) - DAY
            now = at(d(signed))
            sold(customer, worth, after, last, signed=d(signed), previous=line, now=now)


def rate(as_of: str, policy=DEFAULT, since=date(2025, 4, 1), until=date(2025, 6, 30)):
    day = date.fromisoformat(as_of)
    due = due_book(None, as_of=day, known=day)
    (found,) = measures.renewal_rates(due, spans("quarter", since, until), day, policy)
    return found


def test_renewal_rate_as_it_was_known_then(quarter):
    june = rate("2025-06-30")
    assert (june.due_count, june.due) == (5, 35_000_000)
    assert float(june.count.value) == 0.6
    assert float(june.gross.value) == pytest.approx(0.657143, abs=1e-6)
    assert float(june.net.value) == pytest.approx(0.714286, abs=1e-6)
    july = rate("2025-07-31")
    assert float(july.count.value) == 0.8
    assert float(july.net.value) == pytest.approx(0.885714, abs=1e-6)
    assert rate("2025-06-30") == june


def test_late_renewal_counts_by_policy(quarter):
    third = {"since": date(2025, 7, 1), "until": date(2025, 9, 30)}
    windfall = rate("2025-12-31", choose({"late": "windfall"}), **third)
    assert (float(windfall.count.value), windfall.due) == (2.0, 9_000_000)
    assert float(windfall.net.value) == pytest.approx(1.666667, abs=1e-6)
    strict = rate("2025-12-31", choose({"grace_days": "30"}))
    assert strict.renewed_count == 3
    assert rate("2025-12-31").renewed_count == 4


def test_open_renewal_is_due_and_not_renewed():
    sold(make_customer(), 100_000, date(2025, 1, 1), date(2025, 12, 31), now=at(date(2025, 1, 1)))
    found = rate("2025-06-30", since=date(2025, 10, 1), until=date(2025, 12, 31))
    assert Renewal.objects.count() == 1
    assert (found.due, found.open_due, found.renewed_count) == (10_000_000, 10_000_000, 0)
    assert not found.is_mature


def test_book_figures_are_sums_of_movements(quarter):
    last = date(2025, 12, 31)
    of = book(None, as_of=last, known=last, policy=DEFAULT)
    months = spans("month", date(2024, 1, 1), last)
    table = insight.arr(of, ends(months), DEFAULT)
    assert not any(table.remainder())
    for place, span in enumerate(months):
        moved = Movement.objects.filter(effective_on__lte=span.end, known_at__lt=at(last + DAY))
        assert table.closing[place] == sum(row.arr_minor for row in moved)
    assert not any(table.columns["transfer"])
    (year,) = measures.retention_of(
        of, measures.windows_of(spans("month", date(2025, 6, 1), date(2025, 6, 30)), 12)
    )
    assert (year.start, year.start_count) == (15_000_000, 3)


def test_scope_of_the_actor_and_foreign_currency():
    mine, other = make_user(), make_user()
    sold(make_customer(owner=mine), 1_000, date(2025, 1, 1), date(2025, 12, 31))
    contract = make_contract(
        make_customer(owner=other),
        starts_on=date(2025, 1, 1),
        ends_on=date(2025, 12, 31),
        currency="USD",
    )
    add_line(contract, amount=1_000_00, starts_on=date(2025, 1, 1), ends_on=date(2025, 12, 31))
    for day, value in ((date(2025, 1, 1), "7.20"), (date(2025, 6, 1), "7.10")):
        ExchangeRate.objects.create(
            currency="USD", base="CNY", on=day, rate=value, known_at=at(date(2025, 1, 1))
        )
    june = date(2025, 6, 30)
    halves = [day_number(date(2025, 3, 31)), day_number(june)]
    seen = book(mine, as_of=june, policy=DEFAULT)
    assert insight.arr(seen, halves, DEFAULT).closing == (100_000,)
    everything = book(None, as_of=june, policy=DEFAULT)
    constant = insight.arr(everything, halves, DEFAULT)
    assert (constant.opening, constant.closing, constant.fx) == ((810_000,), (810_000,), (0,))
    policy = choose({"fx": "reported"})
    reported = insight.arr(book(None, as_of=june, policy=policy), halves, policy)
    assert (reported.opening, reported.closing, reported.fx) == ((820_000,), (810_000,), (-10_000,))
    (found,) = measures.retention_of(book(None, as_of=june, policy=policy), [tuple(halves)], policy)
    assert float(found.nrr.value) == pytest.approx(810 / 820)


def renewed_in_dollars():
    """A renewal with more seats at a rate that leaves odd cents."""
    customer, start = make_customer(), date(2025, 1, 1)
    contract = make_contract(customer, starts_on=start, ends_on=date(2025, 12, 31), currency="USD")
    first = add_line(
        contract, amount=100_01, seats=3, starts_on=start, ends_on=date(2025, 12, 31)
    ).line
    again = make_contract(
        customer, starts_on=date(2026, 1, 1), ends_on=date(2026, 12, 31), currency="USD"
    )
    add_line(
        again, amount=133_35, seats=4, previous=first,
        starts_on=date(2026, 1, 1), ends_on=date(2026, 12, 31),
    )  # fmt: skip
    ExchangeRate.objects.create(
        currency="USD", base="CNY", on=start, rate="7.12345", known_at=at(start)
    )


def test_what_passes_from_line_to_line_is_nothing_at_any_rate():
    renewed_in_dollars()
    last = date(2026, 6, 30)
    of = book(None, as_of=last, policy=DEFAULT)
    boundaries = ends(spans("month", date(2025, 1, 1), last))
    table = insight.arr(of, boundaries, DEFAULT)
    assert not any(table.columns["transfer"])
    assert not any(table.remainder())
    assert table.closing[-1] == round(133_35 * 7.12345)
    fine, _ = measures.finer(of, "line")
    assert not insight.waterfall(fine, boundaries).columns["transfer"][12]


@pytest.mark.django_db(transaction=True)
def test_the_night_keeps_the_columns_and_a_page_reads_only_what_is_newer(
    quarter, settings, tmp_path, monkeypatch
):
    settings.DATA_DIR = tmp_path
    monkeypatch.setattr(frames, "KEPT_FROM", 1)
    monkeypatch.setattr(frames, "_held", {})
    day = date(2026, 1, 5)
    revenue_step(day, at(day), lambda done, total: None)
    assert len(list((tmp_path / "cache").iterdir())) == 1
    known = Movement.objects.count()
    # the page is another process: it has the file and nothing in memory
    monkeypatch.setattr(frames, "_held", {})
    read, seen = frames._read, []
    monkeypatch.setattr(
        frames, "_read", lambda rows, *more: seen.append(len(rows)) or read(rows, *more)
    )
    assert len(frames.movement_frame()) == known
    assert not any(seen)
    sold(make_customer(), 5_000, date(2025, 1, 1), date(2025, 12, 31))
    assert len(frames.movement_frame()) == Movement.objects.count() > known
    assert max(seen) == Movement.objects.count() - known


def test_a_small_ledger_is_not_written_to_a_file(quarter, settings, tmp_path):
    settings.DATA_DIR = tmp_path
    assert frames.keep_movements() == 0
    assert not (tmp_path / "cache").exists()


@pytest.mark.django_db(transaction=True)
def test_kept_copy_of_the_ledger_is_never_trusted_blindly(quarter, settings, tmp_path, monkeypatch):
    settings.DATA_DIR = tmp_path
    monkeypatch.setattr(frames, "KEPT_FROM", 1)
    monkeypatch.setattr(frames, "_held", {})
    fresh = frames._read(Movement.objects.all(), None, (0, 0))

    def same(left, right):
        assert left.codes == right.codes
        assert left.groups == right.groups
        return len(left) == len(right) and all(
            bool((left.rows[name] == right.rows[name]).all()) for name in frames.LAYOUT.names
        )

    assert same(frames.movement_frame(), fresh)  # makes the copy
    assert same(frames.movement_frame(), fresh)  # reads it
    assert len(list((tmp_path / "cache").iterdir())) == 1
    sold(make_customer(), 5_000, date(2025, 1, 1), date(2025, 12, 31))
    more = frames.movement_frame()
    assert len(more) > len(fresh)
    assert same(more, frames._read(Movement.objects.all(), None, (0, 0)))
    # customers merged, and parted again: the movements hang on another customer
    gone, kept = Customer.objects.get(name="甲"), Customer.objects.get(name="乙")
    merge = merge_customers(actor=None, now=at(date(2026, 1, 5)), kept=kept, gone=gone)
    assert gone.pk not in frames.movement_frame().rows["customer"]
    assert same(frames.movement_frame(), frames._read(Movement.objects.all(), None, (0, 0)))
    undo_merge(actor=None, now=at(date(2026, 1, 6)), merge=merge)
    assert gone.pk in frames.movement_frame().rows["customer"]
    assert same(frames.movement_frame(), frames._read(Movement.objects.all(), None, (0, 0)))
    # another database with as many rows
    last = Movement.objects.order_by("pk").last()
    Movement.objects.filter(pk=last.pk).update(arr_minor=last.arr_minor + 1)
    assert same(frames.movement_frame(), frames._read(Movement.objects.all(), None, (0, 0)))
    # a file that was cut short
    frames._held.clear()
    (tmp_path / frames.FILE).write_bytes(b'{"count": 90, "header": 64}')
    assert same(frames.movement_frame(), frames._read(Movement.objects.all(), None, (0, 0)))


def test_every_metric_answers_or_says_why(quarter):
    assert tuple(METRICS) == COMMANDS
    question = Question(
        actor=None,
        spans=spans("quarter", date(2024, 1, 1), date(2025, 12, 31)),
        policy=DEFAULT,
        as_of=date(2025, 12, 31),
    )
    for name, metric in METRICS.items():
        rows = ask(name, question)
        assert rows, name
        assert metric.definition
        for row in rows:
            for value in row.values.values():
                if hasattr(value, "reason"):
                    assert (value.value is None) == bool(value.reason)


def test_command_prints_what_can_be_added_up_again(quarter):
    run = CliRunner().invoke(
        command,
        ["waterfall", "--from", "2024-01", "--to", "2025-12", "--by", "tier", "--json"],
        catch_exceptions=False,
    )
    assert run.exit_code == 0
    rows = [json.loads(line) for line in run.output.splitlines()]
    assert len(rows) == 24
    for row in rows:
        moved = sum(row[name] for name in ("new", "win_back", "expansion", "contraction", "pause"))
        moved += row["resume"] + row["churn"] + row["correction"] + row["transfer"] + row["fx"]
        assert row["opening"] + moved == row["closing"]
        assert row["segment_name"] == "未分层"
    assert rows[-1]["closing"] == 44_000_000  # 丁 ran out, but the day has not ended it yet
    table = CliRunner().invoke(
        command,
        ["renewal-rate", "--from", "2025-04", "--to", "2025-06", "--grain", "quarter",
         "--policy", "late=windfall", "--lang", "en"],
        catch_exceptions=False,
    )  # fmt: skip
    assert "60.0%" in table.output
    assert "late=windfall: Signed late: counts in the later period" in table.output
    wrong = CliRunner().invoke(command, ["nrr", "--policy", "method=magic"])
    assert wrong.exit_code == 2
    assert "snapshot, movements" in wrong.output
    listed = CliRunner().invoke(command, ["nrr", "--policies"], catch_exceptions=False)
    assert "movements" in listed.output


def test_retention_by_line_caps_each_line(quarter):
    """A line that grew hides no other line's loss, and a renewed line is the same line."""
    customer = make_customer()
    start, end = date(2024, 1, 1), date(2024, 12, 31)
    first = sold(customer, 10_000, start, end)
    sold(customer, 6_000, start, end)
    sold(customer, 15_000, date(2025, 1, 1), date(2025, 12, 31), previous=first)
    last = date(2025, 6, 30)
    of = book(None, as_of=last, policy=DEFAULT)
    of = of.only(np.asarray(of.customers[of.moves.unit] == customer.pk))
    window = [(day_number(date(2024, 6, 30)), day_number(last))]
    (whole,) = measures.retention_of(of, window)
    (lines,) = measures.retention_of(of, window, choose({"level": "line"}))
    assert (whole.start, whole.end) == (1_600_000, 1_500_000)
    assert float(whole.grr.value) == 15 / 16
    assert float(lines.grr.value) == 10 / 16
    assert lines.nrr == whole.nrr or lines.nrr.value == whole.nrr.value


def test_command_lists_wallets_people_and_steps(quarter):
    from gengyun.portfolio.actions.summaries import refresh_summaries
    from gengyun.revenue.actions.wallet import record_budget

    make_user("admin")
    csm = make_user("csm", name="林晓")
    customer = Customer.objects.get(name="甲")
    customer.owner = csm
    customer.save()
    record_budget(
        actor=None,
        now=at(date(2025, 12, 1)),
        customer=customer,
        category="crm",
        year=2025,
        amount_minor=48_000_000,
        currency="CNY",
        said_by="采购总监",
        said_on=date(2025, 12, 1),
    )
    refresh_summaries(now=at(date(2025, 12, 31)))

    def asked(name, *more):
        found = CliRunner().invoke(
            command, [name, "--known", "2025-12-31", "--json", *more], catch_exceptions=False
        )
        assert found.exit_code == 0
        return [json.loads(line) for line in found.output.splitlines()]

    (share,) = asked("wallet")
    assert share["share_of_wallet"] == {
        "value": 0.25,
        "unit": "share",
        "numerator": 12_000_000,
        "denominator": 48_000_000,
    }
    (held,) = [row for row in asked("capacity") if row["csm"] == "林晓"]
    assert (held["arr_minor"], held["salary_minor"], held["ratio"]) == (12_000_000, None, None)
    # one came later than the ledger's days of grace
    quarter_two = ("bow-tie", "--from", "2025-04", "--to", "2025-06")
    steps = {row["step"]: row for row in asked(*quarter_two)}
    assert (steps["due"]["count"], steps["renewed"]["count"]) == (5, 3)
    steps = {row["step"]: row for row in asked(*quarter_two, "--policy", "grace_days=none")}
    assert (steps["renewed"]["count"], steps["renewed"]["share"]) == (4, 0.8)
    table = CliRunner().invoke(command, ["wallet"], catch_exceptions=False)
    assert "0.250" in table.output
    for given in (["wallet", "--by", "tier"], ["capacity", "--policy", "fx=constant"],
                  ["bow-tie", "--by", "owner"], ["wallet", "--from", "2025-01"]):  # fmt: skip
        refused = CliRunner().invoke(command, given)
        assert refused.exit_code == 2
        assert f"{given[1]} does not go with {given[0]}" in refused.output


@pytest.mark.django_db(transaction=True)
def test_ledger_of_the_bench_has_the_shape_that_actions_write():
    """Balances of lines are whole, what is due is answered, and the metrics close."""
    from gengyun.cli.benches import revenue_world
    from gengyun.revenue.models import Line

    made = revenue_world.build(customers=40, lines=400)
    assert made["lines"] > 300
    held = {}
    for row in Movement.objects.all():
        held[row.line_id] = held.get(row.line_id, 0) + row.arr_minor
    open_lines = {line.pk for line in Line.objects.filter(ends_on__gt=revenue_world.LAST)}
    for line in Line.objects.all():
        assert held[line.pk] == (line.arr_minor if line.pk in open_lines else 0)
    kinds = set(Movement.objects.values_list("kind", flat=True))
    assert kinds == {"new", "cross_sell", "transfer", "renew", "upsell", "downsell", "churn"}
    assert Renewal.objects.count() == len(open_lines)
    question = Question(
        actor=None,
        spans=spans("month", next(revenue_world.months()), revenue_world.LAST),
        policy=DEFAULT,
        as_of=revenue_world.LAST,
    )
    falls = ask("waterfall", question)
    assert len(falls) == 60
    assert not any(row.values["remainder"] for row in falls)
    due = question.due
    assert len(due.rows) == Movement.objects.filter(due_minor__isnull=False).count()
