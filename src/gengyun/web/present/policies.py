"""The conventions of the metrics in words: what is chosen, what could be, what each means."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.utils.translation import gettext_lazy, pgettext_lazy

from gengyun.revenue.calc import policies
from gengyun.revenue.calc.policies import DEFAULT, Policy
from gengyun.web.words import gettext

NAMES = {
    "basis": gettext_lazy("Kinds of movements"),
    "level": gettext_lazy("Losses are capped"),
    "method": gettext_lazy("Losses inside a period"),
    "returned": gettext_lazy("Left and came back"),
    "cohort": gettext_lazy("Who counts"),
    "same_period": gettext_lazy("Came and left in one period"),
    "pause": gettext_lazy("Paused lines"),
    "attribution": gettext_lazy("Period of a renewal"),
    "early": gettext_lazy("Signed early"),
    "late": gettext_lazy("Signed late"),
    "count_level": gettext_lazy("Counted by"),
    "partial": gettext_lazy("Renewed in part"),
    "fx": gettext_lazy("Exchange rates"),
    "ltv": gettext_lazy("Simple LTV"),
    "zero_churn": gettext_lazy("Without churn"),
    "quick_ratio": gettext_lazy("Quick ratio"),
    "baseline": gettext_lazy("Month of 100 %"),
    "grouping_days": gettext_lazy("Movements count as one within (days)"),
    "win_back_days": gettext_lazy("Win-back within (days)"),
    "grace_days": gettext_lazy("Grace for late renewals (days)"),
    "churn_floor_bp": gettext_lazy("Floor of churn (basis points)"),
}
CHOICES = {
    ("basis", "recorded"): gettext_lazy("as recorded"),
    ("basis", "events"): gettext_lazy("by ARR before and after"),
    ("basis", "snapshot"): gettext_lazy("by both ends of the period"),
    ("level", "customer"): pgettext_lazy("level", "per customer"),
    ("level", "product"): pgettext_lazy("level", "per product"),
    ("level", "line"): pgettext_lazy("level", "per line"),
    ("method", "snapshot"): gettext_lazy("both ends compared"),
    ("method", "movements"): gettext_lazy("all losses added up"),
    ("returned", "count"): gettext_lazy("count"),
    ("returned", "exclude"): gettext_lazy("stay lost"),
    ("cohort", "all"): gettext_lazy("all of the start"),
    ("cohort", "survivors"): gettext_lazy("only who stayed"),
    ("same_period", "count"): gettext_lazy("count in both"),
    ("same_period", "ignore"): gettext_lazy("do not count"),
    ("pause", "zero"): gettext_lazy("count 0"),
    ("pause", "unchanged"): gettext_lazy("count on"),
    ("attribution", "due_date"): gettext_lazy("when due"),
    ("attribution", "signed_date"): gettext_lazy("when signed"),
    ("early", "due_period"): gettext_lazy("in the period when due"),
    ("early", "signed_period"): gettext_lazy("in the period when signed"),
    ("late", "restate"): gettext_lazy("restate the period when due"),
    ("late", "windfall"): gettext_lazy("count when signed"),
    ("late", "lost"): gettext_lazy("count as lost"),
    ("count_level", "renewal"): pgettext_lazy("count", "renewal"),
    ("count_level", "customer"): pgettext_lazy("count", "customer"),
    ("partial", "any"): gettext_lazy("has renewed"),
    ("partial", "all"): gettext_lazy("has not renewed"),
    ("fx", "constant"): gettext_lazy("of the last day"),
    ("fx", "reported"): gettext_lazy("of each day"),
    ("ltv", "revenue"): gettext_lazy("by revenue"),
    ("ltv", "margin"): gettext_lazy("by margin"),
    ("ltv", "margin_expansion"): gettext_lazy("by margin, with growth"),
    ("ltv", "margin_net_churn"): gettext_lazy("by margin and net churn"),
    ("zero_churn", "refuse"): gettext_lazy("no figure"),
    ("zero_churn", "floor"): gettext_lazy("use the floor"),
    ("quick_ratio", "with_win_back"): gettext_lazy("with win-backs"),
    ("quick_ratio", "without_win_back"): gettext_lazy("without win-backs"),
    ("baseline", "first"): gettext_lazy("the first"),
    ("baseline", "second"): gettext_lazy("the second"),
}


@dataclass(frozen=True)
class Choice:
    value: str
    label: str
    meaning: str


@dataclass(frozen=True)
class Option:
    """One convention as a form shows it; without choices it takes a number."""

    key: str
    name: str
    value: str
    choices: list[Choice]
    meaning: str
    is_default: bool


def options(keys: Iterable[str], policy: Policy, usual: Policy = DEFAULT) -> list[Option]:
    """`usual`: what the company has chosen, beside which other choices stand out."""
    return [_option(key, policy, usual) for key in keys]


def _option(key: str, policy: Policy, usual: Policy) -> Option:
    value = str(getattr(policy, key))
    found = [
        Choice(word, str(CHOICES[key, word]), meaning(key, word)) for word in policies.choices(key)
    ]
    is_default = getattr(policy, key) == getattr(usual, key)
    return Option(key, str(NAMES[key]), value, found, meaning(key, value), is_default)


def meaning(key: str, value: str) -> str:
    """What a choice means, as a sentence."""
    text, params = policies.sentence(key, value)
    return gettext(text) % params


def told(policy: Mapping[str, str]) -> list[str]:
    """What was chosen for a figure, as sentences to be printed beside it."""
    return [meaning(key, value) for key, value in policy.items()]
