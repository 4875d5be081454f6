"""The docs are complete: what exists is written about, and what is written about exists."""

import re
import tomllib
from pathlib import Path

from gengyun.cli.checks import lists
from gengyun.cli.main import COMMANDS

ROOT = Path(__file__).resolve().parents[1]


def test_every_command_option_setting_path_and_event_is_documented():
    assert lists.check(ROOT) == []


def test_a_missing_word_is_told(tmp_path):
    (tmp_path / "README.md").write_text("gengyun demo", encoding="utf-8")
    (tmp_path / "src" / "gengyun").mkdir(parents=True)
    (tmp_path / "src" / "gengyun" / "a.py").write_text(
        'os.environ["GENGYUN_NEW"]\nemit("customer.left", {}, now=now)\n'
    )
    problems = lists.check(tmp_path)
    assert "docs say nothing of the setting GENGYUN_NEW" in problems
    assert "docs say nothing of the event customer.left" in problems
    assert "docs say nothing of the command gengyun demo" not in problems


def test_docs_name_no_setting_and_no_command_that_does_not_exist():
    told = lists.documentation(ROOT)
    known = set(lists.settings(ROOT / "src" / "gengyun"))
    assert set(lists.SETTING.findall(told)) <= known
    commands = set(re.findall(r"(?:uv run |^|`)gengyun ([a-z]+)", told, re.MULTILINE))
    assert commands <= set(COMMANDS)


def test_links_between_docs_lead_somewhere():
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#\s]+)", path.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (path.parent / target).exists(), f"{path.name}: {target}"


def test_every_direct_dependency_says_what_it_saves():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    named = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    told = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    for requirement in named:
        name = re.split(r"[<>=!~ \[]", requirement)[0]
        assert re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", told), name


def test_the_locked_files_are_the_pinned_versions_and_name_no_host():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    pins = dict(p.split("==") for p in project["tool"]["uv"]["constraint-dependencies"])
    text = (ROOT / "requirements.lock").read_text()
    assert "://" not in text
    locked = dict(re.findall(r"^([a-z0-9-]+)==([^ ;\\]+)", text, re.MULTILINE))
    assert locked
    assert {name: pins.get(name) for name in locked} == locked
    for name in locked:
        assert re.search(rf"^{re.escape(name)}==[^\n]*\\\n\s+--hash=sha256:", text, re.MULTILINE)
