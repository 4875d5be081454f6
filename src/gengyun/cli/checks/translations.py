"""Every text a person sees has its Chinese, with the same slots, once, and none is left over."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

Key = tuple[str | None, str]  # context, msgid
Found = dict[Key, str]  # where it was seen first

PLAIN = {"_", "gettext", "gettext_lazy", "gettext_noop", "N_"}
PLURAL = {"ngettext", "ngettext_lazy"}
CONTEXT = {"pgettext", "pgettext_lazy"}
CONTEXT_PLURAL = {"npgettext", "npgettext_lazy"}
# %(name)s or {name}
SLOT = re.compile(r"%\((\w+)\)[sd]|%[sd]|\{(\w+)\}")


def check(root: Path) -> list[str]:
    package = root / "src" / "gengyun"
    wanted, literals = from_python(package)
    for key, place in from_templates(package / "web" / "templates").items():
        wanted.setdefault(key, place)
    folder = package / "locale" / "zh_Hans"
    catalogue, problems = read_catalogue(folder)
    for key, place in sorted(wanted.items(), key=lambda item: item[1]):
        if key not in catalogue:
            problems.append(f"{place}: no Chinese for {key[1]!r}{_context(key)}")
    problems += [
        f"{place}: {key[1]!r}{_context(key)} is not used any more"
        for key, (place, _) in catalogue.items()
        if key not in wanted and key[1] not in literals
    ]
    for key, (place, translations) in catalogue.items():
        problems += [
            f"{place}: {key[1]!r} has other slots than its Chinese {text!r}"
            for text in translations
            if not _same_slots(key[1], text)
        ]
    return problems


# ---- what the code says


def from_python(package: Path) -> tuple[Found, set[str]]:
    """Marked texts, and all string literals (a text may be marked where it is shown)."""
    found: Found = {}
    literals: set[str] = set()
    for path in sorted(package.rglob("*.py")):
        if {"migrations", "checks"} & set(path.parts):
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        where = path.relative_to(package).as_posix()
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                literals.add(node.value)
            # what the tracking endpoint refuses is told to programs, in English
            if isinstance(node, ast.ClassDef) and where.startswith("tracking/"):
                continue
            for key in _marked(node):
                found.setdefault(key, f"{where}:{node.lineno}")
    return found, literals


def _marked(node: ast.AST) -> Iterator[Key]:
    if isinstance(node, ast.Call):
        yield from _call(node)
    elif isinstance(node, ast.ClassDef):
        # refusals: the message of the class is translated where it is shown
        for statement in node.body:
            if (
                isinstance(statement, ast.Assign)
                and isinstance(statement.targets[0], ast.Name)
                and statement.targets[0].id == "message"
                and isinstance(statement.value, ast.Constant)
                and isinstance(statement.value.value, str)
            ):
                yield None, statement.value.value


def _call(node: ast.Call) -> Iterator[Key]:
    name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
    texts = [a.value if isinstance(a, ast.Constant) else None for a in node.args]
    yield from _key(name, texts)


def _key(name: str, texts: list) -> Iterator[Key]:
    """msgids only: the plural belongs to the entry of its singular."""
    if name in PLAIN | PLURAL and texts and isinstance(texts[0], str):
        yield None, texts[0]
    elif (
        name in CONTEXT | CONTEXT_PLURAL
        and len(texts) > 1
        and isinstance(texts[0], str)
        and isinstance(texts[1], str)
    ):
        yield texts[0], texts[1]


def from_templates(folder: Path) -> Found:
    from jinja2 import Environment

    env = Environment(  # noqa: S701 - nothing is rendered
        extensions=["jinja2.ext.i18n", "jinja2.ext.do", "jinja2.ext.loopcontrols"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found: Found = {}
    for path in sorted(folder.rglob("*.*")):
        if path.suffix not in {".html", ".txt"}:
            continue
        source = path.read_text(encoding="utf-8")
        for line, name, said in env.extract_translations(source):
            texts = list(said) if isinstance(said, tuple) else [said]
            for key in _key(name, texts):
                found.setdefault(key, f"{path.relative_to(folder).as_posix()}:{line}")
    return found


# ---- what the catalogue says


def read_catalogue(folder: Path) -> tuple[dict[Key, tuple[str, list[str]]], list[str]]:
    """Key -> (file, its Chinese texts); and what is wrong with the files themselves."""
    import polib

    entries: dict[Key, tuple[str, list[str]]] = {}
    problems = []
    paths = [folder / "LC_MESSAGES" / "django.po", *sorted((folder / "parts").glob("*.po"))]
    for path in paths:
        if not path.exists():
            continue
        for entry in polib.pofile(str(path), encoding="utf-8"):
            where = f"locale/{path.name}:{entry.linenum}"
            key: Key = (entry.msgctxt, entry.msgid)
            texts = list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]
            if entry.obsolete:
                problems.append(f"{where}: obsolete entry {entry.msgid!r}")
            elif entry.fuzzy:
                problems.append(f"{where}: fuzzy entry {entry.msgid!r}")
            elif not all(texts):
                problems.append(f"{where}: {entry.msgid!r} has no Chinese")
            elif key in entries and entries[key][1] != texts:
                problems.append(f"{where}: {entry.msgid!r} is translated twice, differently")
            else:
                entries.setdefault(key, (where, texts))
    return entries, problems


def _same_slots(english: str, chinese: str) -> bool:
    return set(SLOT.findall(english)) == set(SLOT.findall(chinese))


def _context(key: Key) -> str:
    return f" (context {key[0]!r})" if key[0] else ""
