"""`gengyun check` prints each check with its verdict and fails when one does."""

from click.testing import CliRunner

from gengyun.cli import check


def test_check_goes_on_after_a_failure_and_exits_one(monkeypatch):
    seen = []

    def good(root):
        seen.append(root)
        return []

    checks = (
        ("bad", "a bad one", lambda root: ["line 7 is too long"]),
        ("broken", "a broken one", lambda root: 1 / 0),
        ("good", "a good one", good),
    )
    monkeypatch.setattr(check, "CHECKS", checks)
    done = CliRunner().invoke(check.command, [])
    assert done.exit_code == 1
    assert "line 7 is too long" in done.output
    assert "ZeroDivisionError" in done.output
    assert "ok       a good one" in done.output
    assert (seen[0] / "pyproject.toml").exists()


def test_check_exits_zero_when_all_is_well(monkeypatch):
    monkeypatch.setattr(check, "CHECKS", (("good", "a good one", lambda root: []),))
    assert CliRunner().invoke(check.command, []).exit_code == 0
