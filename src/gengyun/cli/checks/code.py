"""The tools that read the code: ruff, import contracts, mypy, migrations."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

Problems = list[str]
SHOWN = 40  # lines of a tool's output


def run(root: Path, *command: str, env: dict[str, str] | None = None) -> Problems:
    """The tool's last lines when it says no."""
    done = subprocess.run(  # noqa: S603 - our own tools
        command,
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "NO_COLOR": "1", **(env or {})},
    )
    if done.returncode == 0:
        return []
    told = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    return told[-SHOWN:] or [f"{' '.join(command)}: exit code {done.returncode}"]


def python(root: Path, *arguments: str, env: dict[str, str] | None = None) -> Problems:
    return run(root, sys.executable, *arguments, env=env)


def lint(root: Path) -> Problems:
    return python(root, "-m", "ruff", "check", "--quiet", ".")


def layout(root: Path) -> Problems:
    return python(root, "-m", "ruff", "format", "--check", "--output-format", "concise", ".")


def imports(root: Path) -> Problems:
    start = (
        "import sys; from importlinter.cli import lint_imports_command;"
        "sys.argv = ['lint-imports']; lint_imports_command()"
    )
    return python(root, "-c", start)


def types(root: Path) -> Problems:
    """mypy --strict on every calc and actions package."""
    packages = root / "src" / "gengyun"
    folders = sorted(
        str(folder.relative_to(root))
        for kind in ("calc", "actions")
        for folder in packages.glob(f"*/{kind}")
        if any(folder.glob("*.py"))
    )
    with tempfile.TemporaryDirectory() as folder:
        return python(root, "-m", "mypy", *folders, env={"GENGYUN_DATA": folder})


def migrations(root: Path) -> Problems:
    """The models and the migrations say the same."""
    with tempfile.TemporaryDirectory() as folder:
        env = {"GENGYUN_DATA": folder, "DJANGO_SETTINGS_MODULE": "gengyun.config.settings"}
        return python(root, "-m", "django", "makemigrations", "--check", "--dry-run", env=env)
