"""Refusals say their sentence whole, on every face."""

import pytest

from gengyun.kernel.errors import Refusal, filled


@pytest.mark.parametrize(
    ("text", "params", "said"),
    [
        ("A discount is at most 100 %%.", {}, "A discount is at most 100 %."),
        ("%(n)s %% a year", {"n": 3}, "3 % a year"),
        ("Between 5 and 100 % of it", {}, "Between 5 and 100 % of it"),
        ("Not found.", {}, "Not found."),
    ],
)
def test_percent_sign_is_shown_once_with_slots_and_without(text, params, said):
    assert filled(text, params) == said
    assert str(Refusal(text, **params)) == said
