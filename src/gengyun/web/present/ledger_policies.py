"""How the ledger is kept, in words: the ARR of a line, the day on which a loss counts."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

# option -> its name and, in order, what may be chosen; the first is the product's default
OPTIONS = {
    "arr_term": (
        _("Months given free"),
        (
            ("paid", _("ARR by the months that are paid for")),
            ("service", _("ARR by the months that are served")),
        ),
    ),
    "arr_discounts": (
        _("Discounts"),
        (
            ("always", _("lower ARR")),
            ("forever_only", _("lower ARR only if they never end")),
        ),
    ),
    "arr_usage": (
        _("Usage-based lines"),
        (
            ("committed", _("count with what is committed")),
            ("last_month", _("count with the last month, × 12")),
            ("t3m", _("count with the last three months, × 4")),
            ("excluded", _("do not count")),
        ),
    ),
    "churn_date": (
        _("Day of a loss"),
        (
            ("end_of_period", _("the day after the paid term")),
            ("at_cancel", _("the day of the cancellation")),
            ("day_after_cancel", _("the day after the cancellation")),
        ),
    ),
}


@dataclass(frozen=True)
class Option:
    key: str
    name: str
    value: str
    choices: list[tuple[str, str]]

    @property
    def is_default(self) -> bool:
        return self.value == self.choices[0][0]


def options(chosen: Mapping[str, str]) -> list[Option]:
    found = []
    for key, (name, choices) in OPTIONS.items():
        value = chosen.get(key) or choices[0][0]
        found.append(Option(key, str(name), value, [(word, str(text)) for word, text in choices]))
    return found
