"""A simulated company as files: the import takes them, the truth is not among them."""

import csv
import json

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from gengyun.cli.simulate import command
from gengyun.demo.simulator.company_config import COMPANIES
from gengyun.demo.simulator.config import PRESETS


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("simulated") / "company"
    done = CliRunner().invoke(
        command,
        ["tiny", "--out", str(out), "--accounts", "25", "--events-from", "2025-06-01", "--json"],
    )
    assert done.exit_code == 0, done.output
    return out, json.loads(done.output)


def _rows(path):
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_everything_is_written_and_counted(folder):
    out, told = folder
    for name, count in told["rows"].items():
        if name.endswith(".csv"):
            assert len(_rows(out / name)) == count, name
        else:
            assert pq.read_metadata(out / name).num_rows == count, name
    assert len(_rows(out / "customers.csv")) == 25
    assert json.loads((out / "simulation.json").read_text())["seed"] == 1


def test_the_truth_lies_in_a_folder_of_its_own(folder):
    out, _ = folder
    truth = pq.read_table(out / "truth" / "truth.parquet")
    kinds = set(truth["what"].to_pylist())
    assert {"renewal", "shock", "account", "calendar", "collapse"} <= kinds
    p = [one for one in truth["p_true"].to_pylist() if one is not None]
    assert p
    assert all(0 < one < 1 for one in p)
    for path in out.glob("*.csv"):
        assert not {"p_true", "risk", "value", "effect"} & set(_rows(path)[0])


def test_the_same_seed_writes_the_same_files_and_a_used_folder_is_refused(folder, tmp_path):
    out, _ = folder
    runner = CliRunner()
    asked = ["tiny", "--accounts", "25", "--events", "none"]
    again = runner.invoke(command, [*asked, "--out", str(tmp_path / "again")])
    assert again.exit_code == 0
    other = runner.invoke(command, [*asked, "--seed", "2", "--out", str(tmp_path / "other")])
    assert other.exit_code == 0
    for path in (tmp_path / "again").glob("*.csv"):
        assert path.read_bytes() == (out / path.name).read_bytes()
    mine, yours = (tmp_path / name / "contracts.csv" for name in ("again", "other"))
    assert mine.read_bytes() != yours.read_bytes()
    refused = runner.invoke(command, [*asked, "--out", str(out)])
    assert refused.exit_code == 1
    assert "not empty" in refused.output


def test_a_file_of_settings_changes_the_preset_and_a_wrong_one_is_named(tmp_path):
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text('{"seed": 9, "world": {"accounts": 12}, "deals": {"win_back": 0}}')
    bad.write_text('{"world": {"acounts": 12}}')
    runner = CliRunner()
    asked = ["tiny", "--events", "none", "--json"]
    done = runner.invoke(command, [*asked, "--config", str(good), "--out", str(tmp_path / "a")])
    assert done.exit_code == 0, done.output
    assert json.loads(done.output)["seed"] == 9
    assert len(_rows(tmp_path / "a" / "customers.csv")) == 12
    refused = runner.invoke(command, [*asked, "--config", str(bad), "--out", str(tmp_path / "b")])
    assert refused.exit_code == 2
    assert "world.acounts" in refused.output
    assert not (tmp_path / "b").exists()


def test_events_hold_the_faults_of_real_tracking(folder):
    out, _ = folder
    events = pq.read_table(out / "events.parquet").to_pandas()
    assert events["time"].min().isoformat() >= "2025-05-31T16"  # midnight in Shanghai
    repeated = events.duplicated("message", keep=False)
    assert 0 < repeated.sum() < 0.2 * len(events)
    same = events[repeated].groupby("message").nunique().max()
    assert same.max() == 1  # a load sent twice is the same rows twice
    assert set(PRESETS) <= set(COMPANIES)


@pytest.mark.django_db
def test_the_import_takes_every_file_without_a_refusal(folder, settings, tmp_path):
    from factories import NOW, make_user

    from gengyun.customers.actions.importing import check_import, prepare_import, run_import
    from gengyun.revenue.actions.opportunity_stages import install_defaults
    from gengyun.revenue.models import Contract, Invoice, Payment

    settings.DATA_DIR = tmp_path
    install_defaults(now=NOW)
    out, told = folder
    actor = make_user(role="admin")
    for kind in ("customers", "contacts", "contracts", "invoices", "payments",
                 "opportunities", "activities"):  # fmt: skip
        path = out / f"{kind}.csv"
        run = prepare_import(actor=actor, now=NOW, kind=kind, file_name=path.name, path=path)
        options = {"create_products": "yes"} if kind == "contracts" else None
        run = check_import(actor=actor, now=NOW, run=run, options=options)
        run = run_import(actor=actor, now=NOW, run=run)
        assert run.error_count == 0, (kind, run.outcome)
        assert run.created_count == told["rows"][f"{kind}.csv"], kind
    assert Invoice.objects.count() == told["rows"]["invoices.csv"]
    assert Payment.objects.count() == told["rows"]["payments.csv"]
    assert Contract.objects.exists()
