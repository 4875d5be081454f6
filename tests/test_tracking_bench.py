"""The frame of `gengyun bench`: figures, ratios, exit codes; the tracking bench itself is slow."""

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner
from databases import own_environment

from gengyun.cli import bench


@pytest.fixture
def run(monkeypatch, tmp_path):
    monkeypatch.setenv("GENGYUN_DATA", str(tmp_path))

    def run(measure, *arguments):
        module = type(sys)("gengyun.cli.benches.made_up")
        module.run = measure
        monkeypatch.setitem(sys.modules, module.__name__, module)
        monkeypatch.setattr(bench, "BENCHES", {"tracking": "made_up"})
        return CliRunner().invoke(bench.command, ["tracking", *arguments])

    return run


def test_json_is_one_object_a_line_and_says_how_much_of_the_ceiling_was_reached(run):
    def measure(report):
        report.say("working")
        report.add(name="a", value=150_000.4, unit="events/s", ceiling=300_000, target=100_000)
        report.add(name="b", value=50, unit="ms", ceiling=10, target=99, higher_is_better=False)
        report.add(name="c", value=1.23456, unit="s")

    result = run(measure, "--json")
    assert result.exit_code == 0
    assert [json.loads(line) for line in result.stdout.splitlines()] == [
        {"name": "a", "value": 150_000, "unit": "events/s", "ceiling": 300_000, "ratio": 0.5, "target": 100_000, "ok": True},
        {"name": "b", "value": 50, "unit": "ms", "ceiling": 10, "ratio": 0.2, "target": 99, "ok": True},
        {"name": "c", "value": 1.235, "unit": "s", "ceiling": None, "ratio": None, "target": None, "ok": None},
    ]  # fmt: skip


@pytest.mark.parametrize(("higher", "exit_code"), [(True, 1), (False, 0)])
def test_missed_target_is_the_exit_code(run, higher, exit_code):
    def measure(report):
        report.add(name="a", value=9, unit="x", target=10, higher_is_better=higher)
        report.note("why")

    result = run(measure)
    assert result.exit_code == exit_code
    assert ("MISSED" in result.stdout) == bool(exit_code)
    assert "- why" in result.stdout


def test_bench_works_in_a_data_folder_of_its_own(run, tmp_path):
    import os

    def measure(report):
        report.add(name=os.environ["GENGYUN_DATA"], value=1, unit="x")

    name = json.loads(run(measure, "--json").stdout)["name"]
    assert name.startswith(str(tmp_path / "bench-"))


@pytest.mark.slow
def test_tracking_bench_runs_and_reports_every_figure(tmp_path):

    done = subprocess.run(
        [sys.executable, "-m", "gengyun", "bench", "tracking", "--json", "--seconds", "10"],
        env=own_environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode in {0, 1}, done.stderr  # 1: a target missed on a busy machine
    figures = {figure["name"]: figure for figure in map(json.loads, done.stdout.splitlines())}
    for name in ("durable_events", "batch_p99", "single_requests", "drain", "together"):
        assert figures[f"tracking.{name}"]["target"]
        assert figures[f"tracking.{name}"]["ceiling"]
    for page in ("today", "customers"):
        assert figures[f"tracking.together_page_{page}_p95"]["target"]
    assert list(tmp_path.iterdir()) == []
