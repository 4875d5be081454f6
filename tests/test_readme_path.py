"""The README's way from a usage log to a morning list, run as it is written."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from databases import own_environment

ROOT = Path(__file__).resolve().parents[1]
LOG = "data/oss_b2b_usage/dev/events.csv.gz"


def commands(readme: str) -> list[list[str]]:
    """The `uv run gengyun …` lines of the section on one's own data, in order."""
    text = (ROOT / readme).read_text(encoding="utf-8")
    start, end = (
        re.search(r"^## (用自己的数据|Your own data)", text, re.MULTILINE).start(),
        text.index("**5."),
    )
    blocks = re.findall(r"```\n(.*?)```", text[start:end], re.DOTALL)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    return [shlex.split(line)[2:] for line in lines]


def test_both_readmes_show_the_same_commands():
    own = commands("README.md")
    assert own == commands("README.en.md")
    assert [line[1] for line in own] == ["init", "import", "daily", "daily", "daily", "start"]


@pytest.mark.slow
def test_the_readme_path_works_on_a_real_usage_log(shared, tmp_path):
    env = own_environment(tmp_path / "data")
    (tmp_path / "events.csv.gz").symlink_to(shared / LOG)

    def run(arguments):
        done = subprocess.run(
            [sys.executable, "-m", *arguments],
            cwd=tmp_path,
            env=env,
            capture_output=True,
            check=False,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=600,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    *lines, start = commands("README.md")
    assert start == ["gengyun", "start"]  # needs a terminal; `gengyun demo --check` covers it
    for line in lines:
        if line[1] == "init":  # it would ask
            line += ["--email", "a@example.cn", "--name", "A", "--password", "correct horse 9"]
        told = run(line)
        if line[1] == "import":
            assert "25307 imported, 0 there already, 0 not usable" in told
            assert "0 imported, 25307 there already" in run(line)
        if "--every" in line:
            # quarters of nine years; one of them was judged by the line before
            assert told.count("customers") == 35
            assert told.count("judged before") == 1
            assert "2014-01-01" in told
            assert "2022-10-01" in told
