"""The translation check finds what is missing, stale, unfinished or contradictory."""

from pathlib import Path

import pytest

from gengyun.cli.checks import translations

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def tree(tmp_path):
    package = tmp_path / "src" / "gengyun"
    (package / "web" / "templates").mkdir(parents=True)
    (package / "locale" / "zh_Hans" / "parts").mkdir(parents=True)
    (package / "views.py").write_text(
        "from django.utils.translation import gettext as _, ngettext, pgettext\n"
        '_("Saved.")\n'
        '_("Hello %(name)s, "\n  "welcome.")\n'
        'ngettext("%(n)s row", "%(n)s rows", 2)\n'
        'pgettext("verb", "Open")\n'
        "class Full(Exception):\n"
        '    message = "There is no room."\n',
        encoding="utf-8",
    )
    (package / "web" / "templates" / "a.html").write_text(
        '<p>{{ _("Customers") }}</p>{% trans count=n %}{{ count }} left{% endtrans %}',
        encoding="utf-8",
    )
    return tmp_path


GOOD = """
msgid "Saved."
msgstr "已保存。"

msgid "Hello %(name)s, welcome."
msgstr "%(name)s，欢迎。"

msgid "%(n)s row"
msgid_plural "%(n)s rows"
msgstr[0] "%(n)s 行"

msgctxt "verb"
msgid "Open"
msgstr "打开"

msgid "There is no room."
msgstr "没有空位。"

msgid "Customers"
msgstr "客户"

msgid "%(count)s left"
msgstr "还剩 %(count)s"
"""


def write(tree, text, name="a.po"):
    path = tree / "src" / "gengyun" / "locale" / "zh_Hans" / "parts" / name
    path.write_text(text, encoding="utf-8")


def test_a_complete_catalogue_has_no_problems(tree):
    write(tree, GOOD)
    assert translations.check(tree) == []


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('msgid "Saved."\nmsgstr "已保存。"', "", "no Chinese for 'Saved.'"),
        ('msgid "Customers"\nmsgstr "客户"', "", "a.html:1: no Chinese for 'Customers'"),
        (
            'msgid "There is no room."\nmsgstr "没有空位。"',
            "",
            "no Chinese for 'There is no room.'",
        ),
        ('msgctxt "verb"\n', "", "no Chinese for 'Open' (context 'verb')"),
        ('msgstr "已保存。"', 'msgstr ""', "'Saved.' has no Chinese"),
        ('msgid "Saved."', '#, fuzzy\nmsgid "Saved."', "fuzzy entry 'Saved.'"),
        ("%(name)s，欢迎", "%(nmae)s，欢迎", "has other slots"),
        ('"还剩 %(count)s"', '"还剩"', "has other slots"),
    ],
)
def test_a_fault_is_told(tree, old, new, told):
    assert old in GOOD
    write(tree, GOOD.replace(old, new))
    assert any(told in problem for problem in translations.check(tree))


def test_a_text_nobody_shows_and_a_second_meaning_are_told(tree):
    write(tree, GOOD + '\nmsgid "Gone long ago"\nmsgstr "早没了"\n')
    write(tree, 'msgid "Saved."\nmsgstr "存好了。"\n', name="b.po")
    problems = translations.check(tree)
    assert any("'Gone long ago' is not used any more" in problem for problem in problems)
    assert any("translated twice, differently" in problem for problem in problems)


def test_the_catalogue_of_this_tree_is_complete():
    assert translations.check(ROOT) == []
