"""Docs that must be complete: every command, setting, tracking path and domain event."""

import ast
import re
from pathlib import Path

from gengyun.cli.main import COMMANDS

# the calls of the tracking API; their paths are /v1/ and the name
TRACKING_CALLS = ("identify", "group", "track", "page", "screen", "alias", "batch")
SETTING = re.compile(r"GENGYUN_[A-Z][A-Z_]*")
# set by tests and tools, not by a deployment
NOT_SETTINGS = {"GENGYUN_NODE", "GENGYUN_FAULT"}


def check(root: Path) -> list[str]:
    told = documentation(root)
    problems = []
    for kind, names in things(root).items():
        problems += [f"docs say nothing of the {kind} {name}" for name in names if name not in told]
    return problems


def documentation(root: Path) -> str:
    paths = [root / "README.md", *sorted((root / "docs").rglob("*.md"))]
    return "\n".join(path.read_text(encoding="utf-8") for path in paths if path.exists())


def things(root: Path) -> dict[str, list[str]]:
    """Kind of thing -> how the docs must name each."""
    package = root / "src" / "gengyun"
    return {
        "command": [f"gengyun {name}" for name in COMMANDS],
        "option": command_options(),
        "setting": settings(package),
        "path": [f"/v1/{name}" for name in TRACKING_CALLS],
        "event": events(package),
    }


def command_options() -> list[str]:
    """Every option of every command, as `gengyun NAME --option`'s last word."""
    import click

    from gengyun.cli.main import cli

    found: dict[str, None] = {}

    def walk(command: click.Command) -> None:
        for parameter in command.params:
            if isinstance(parameter, click.Option) and not parameter.hidden:
                longest = max(parameter.opts, key=len)
                if longest not in {"--help", "--version"}:
                    found[f"`{longest}"] = None
        if isinstance(command, click.Group):
            for name in command.list_commands(click.Context(command)):
                walk(command.get_command(click.Context(command), name))

    walk(cli)
    return sorted(found)


def settings(package: Path) -> list[str]:
    found = set()
    for path in package.rglob("*.py"):
        if "checks" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            # a name alone, as in os.environ["GENGYUN_DATA"]; not one inside a sentence
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found |= {node.value} if SETTING.fullmatch(node.value) else set()
    return sorted(found - NOT_SETTINGS)


def events(package: Path) -> list[str]:
    """Names of domain events that some package emits."""
    found = set()
    for path in package.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id == "emit"
                and node.args
                and isinstance(node.args[0], ast.Constant)
            ):
                found.add(node.args[0].value)
    return sorted(found)
