"""`gengyun init`, `migrate` and `doctor`, as processes, on a folder of their own."""

import json
import subprocess
import sys

import pytest
from databases import own_environment


@pytest.fixture
def gengyun(tmp_path):
    env = own_environment(tmp_path / "data")
    env.pop("GENGYUN_SECRET_KEY", None)

    def run(*arguments, stdin=""):
        return subprocess.run(
            [sys.executable, "-m", "gengyun", *arguments],
            env=env, capture_output=True, text=True, input=stdin, check=False,
        )  # fmt: skip

    return run


ADMIN = ("--email", "Boss@Example.cn", "--name", "老板")


def findings(run):
    return {line["check"]: line["state"] for line in map(json.loads, run.stdout.splitlines())}


def test_deployment_from_nothing(gengyun, tmp_path):
    before = gengyun("doctor", "--json")
    assert before.returncode == 1
    assert "fail" in findings(before).values()

    weak = gengyun("init", *ADMIN, "--password", "123456")
    assert weak.returncode == 1
    assert "123456" not in weak.stderr
    assert gengyun("init", *ADMIN, "--password", "tall green field 7").returncode == 0
    again = gengyun("init", *ADMIN, "--password", "tall green field 7")
    assert again.returncode == 1
    assert str(tmp_path / "data") in again.stderr

    after = gengyun("doctor", "--json")
    assert after.returncode == 0, after.stdout
    assert "fail" not in findings(after).values()
    assert findings(after)["administrator"] == "ok"
    assert gengyun("migrate").returncode == 0


@pytest.mark.slow
def test_broken_database_is_found(gengyun, tmp_path):
    gengyun("init", *ADMIN, "--password", "tall green field 7")
    (tmp_path / "data" / "gengyun.sqlite3").write_bytes(b"no database at all" * 400)
    found = gengyun("doctor", "--json")
    assert found.returncode == 1
    assert findings(found)["database"] == "fail"
