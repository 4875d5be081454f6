"""axe-core, the judge of accessibility: fetched once by npm into a cache folder, never kept in git."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VERSION = "4.14.1"
SHA256 = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"
# WCAG 2.2 AA and what axe itself calls good practice
RUN = """async (rules) => {
  const asked = { resultTypes: ['violations'], elementRef: false };
  if (rules.length) asked.runOnly = { type: 'rule', values: rules };
  const found = await axe.run(document, asked);
  return found.violations
    .filter((one) => ['serious', 'critical'].includes(one.impact))
    .flatMap((one) => one.nodes.map((node) => ({
      rule: one.id, impact: one.impact, help: one.help,
      target: node.target.join(' '), html: node.html.slice(0, 200),
      why: (node.failureSummary || '').split('\\n').slice(1, 3).join(' ').trim(),
    })));
}"""


def source():
    """The text of axe.min.js; None where neither the cache nor npm has it."""
    file = _cache() / f"axe-{VERSION}.min.js"
    if not file.exists() and not _fetch(file):
        return None
    text = file.read_bytes()
    if hashlib.sha256(text).hexdigest() != SHA256:
        file.unlink()
        raise RuntimeError("axe-core is not the file that was reviewed")
    return text.decode()


def _cache():
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "gengyun-tests"


def _fetch(file):
    sys.path.insert(0, str(ROOT))
    import hatch_build

    npm = hatch_build._npm_on_path()
    if not npm:
        return False
    folder = file.parent / "npm"
    folder.mkdir(parents=True, exist_ok=True)
    command = [*npm, "install", "--prefix", folder, "--no-save", "--ignore-scripts"]
    done = subprocess.run(
        [*map(str, command), "--no-audit", "--no-fund", f"axe-core@{VERSION}"],
        capture_output=True,
        check=False,
    )
    if done.returncode:
        return False
    shutil.copy(folder / "node_modules" / "axe-core" / "axe.min.js", file)
    shutil.rmtree(folder)
    return True


# the rules that look at colours; all others find the same whatever the theme
COLOURS = ["color-contrast", "link-in-text-block"]


def findings(page, script, *, colours_only=False):
    """Serious and critical findings of the page as it stands: a list of dicts."""
    if not page.evaluate("() => Boolean(window.axe)"):
        page.evaluate(f"() => {{ {script} }}")
    return page.evaluate(RUN, COLOURS if colours_only else [])
