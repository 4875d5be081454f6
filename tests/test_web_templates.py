"""A block inside a block is drawn alone when htmx asks for it: it brings all it needs along."""

import re
from pathlib import Path

import pytest

import gengyun.web

TEMPLATES = Path(gengyun.web.__file__).parent / "templates"
TAG = re.compile(
    r"{%-?\s*(block|endblock|macro|set|import|from)\b(?:[^%]*?(?:import|as))?\s+([\w, ]*)"
)


def unseen(source):
    """Names that stand outside all blocks and are used in a block that can be drawn alone."""
    depth, names, inner = 0, set(), []
    for tag in TAG.finditer(source):
        if tag[1] == "block":
            depth += 1
            inner += [[tag.end(), None]] if depth == 2 else []
        elif tag[1] == "endblock":
            if depth == 2:
                inner[-1][1] = tag.start()
            depth -= 1
        elif depth == 0:
            names |= set(re.findall(r"\w+", tag[2].split(" with ")[0]))
    alone = " ".join(source[first:end] for first, end in inner)
    return {name for name in names if re.search(rf"\b{name}\b\s*[(.]", alone)}


@pytest.mark.parametrize(
    "outside",
    [
        "{% macro x(a, b) %}{% endmacro %}",
        '{% import "parts.html" as x with context %}',
        '{% from "parts.html" import w, x with context %}',
    ],
)
def test_the_check_sees_what_a_lone_block_would_miss(outside):
    assert unseen(
        outside + "{% block page %}{% block part %}{{ x(1) }}{% endblock %}{% endblock %}"
    )
    assert not unseen(outside + "{% block page %}{{ x(1) }}{% endblock %}")


@pytest.mark.parametrize("path", sorted(TEMPLATES.rglob("*.html")), ids=lambda path: path.stem)
def test_a_lone_block_needs_nothing_from_outside(path):
    source = path.read_text()
    if "{% extends" in source:
        assert unseen(source) == set()
