"""The conventions on which metrics of revenue differ, each with its named choices.

Real tools disagree, so every choice is offered, has a default, and is printed beside the number.
A choice is a word, or a number of days or basis points. The sentences are English msgids.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Literal, get_args

Basis = Literal["recorded", "events", "snapshot"]
Level = Literal["customer", "product", "line"]
Method = Literal["snapshot", "movements"]
Returned = Literal["count", "exclude"]
Cohort = Literal["all", "survivors"]
SamePeriod = Literal["count", "ignore"]
Pause = Literal["zero", "unchanged"]
Attribution = Literal["due_date", "signed_date"]
Early = Literal["due_period", "signed_period"]
Late = Literal["restate", "windfall", "lost"]
CountLevel = Literal["renewal", "customer"]
Partial = Literal["any", "all"]
Fx = Literal["constant", "reported"]
LtvBasis = Literal["revenue", "margin", "margin_expansion", "margin_net_churn"]
ZeroChurn = Literal["refuse", "floor"]
QuickRatio = Literal["with_win_back", "without_win_back"]
Baseline = Literal["first", "second"]

ANY_GAP = -1  # days: however long a customer was away, coming back is a win-back
NO_LIMIT = -1  # days of grace: however late


class PolicyUnknown(ValueError):
    """No such option, or not one of its choices."""

    def __init__(self, key: str, value: str, choices: tuple[str, ...]) -> None:
        self.key, self.value, self.choices = key, value, choices
        super().__init__(f"{key}={value}: choose {', '.join(choices)}")


@dataclass(frozen=True, slots=True)
class Policy:
    """One choice per convention; the defaults are the product's."""

    basis: Basis = "recorded"
    level: Level = "customer"
    method: Method = "snapshot"
    returned: Returned = "count"
    cohort: Cohort = "all"
    same_period: SamePeriod = "count"
    pause: Pause = "zero"
    attribution: Attribution = "due_date"
    early: Early = "due_period"
    late: Late = "restate"
    count_level: CountLevel = "renewal"
    partial: Partial = "any"
    fx: Fx = "constant"
    ltv: LtvBasis = "margin"
    zero_churn: ZeroChurn = "refuse"
    quick_ratio: QuickRatio = "with_win_back"
    baseline: Baseline = "first"
    grouping_days: int = 1
    win_back_days: int = ANY_GAP
    grace_days: int = NO_LIMIT
    churn_floor_bp: int = 100

    def chosen(self, *keys: str) -> dict[str, str]:
        """What was chosen for these options, to be printed beside a figure."""
        return {key: str(getattr(self, key)) for key in keys}


DEFAULT = Policy()

# option -> choice -> what it means; `*` stands for a number
SENTENCES: Mapping[str, Mapping[str, str]] = {
    "basis": {
        "recorded": "Each movement counts under the kind it was recorded with.",
        "events": "Movements of a customer are classified by its ARR before and after them.",
        "snapshot": "Each customer's ARR is compared between the two ends of the period.",
    },
    "level": {
        "customer": "Losses are capped per customer.",
        "product": "Losses are capped per customer and product.",
        "line": "Losses are capped per line and what renewed it.",
    },
    "method": {
        "snapshot": "The two ends of the period are compared.",
        "movements": "All losses inside the period are added up, regained or not.",
    },
    "returned": {
        "count": "Who left and came back inside the period counts with what they pay now.",
        "exclude": "Who left inside the period counts as lost, even if they came back.",
    },
    "cohort": {
        "all": "All customers of the start of the period count.",
        "survivors": "Only customers who stayed count: this hides churn and is no retention.",
    },
    "same_period": {
        "count": "Customers who came and left inside one period count in both columns.",
        "ignore": "Customers who came and left inside one period do not count.",
    },
    "pause": {
        "zero": "A paused line counts 0.",
        "unchanged": "A paused line counts as if it went on.",
    },
    "attribution": {
        "due_date": "A renewal counts in the period in which it was due.",
        "signed_date": "A renewal counts in the period in which it was signed.",
    },
    "early": {
        "due_period": "Signed early: counts when it was due.",
        "signed_period": "Signed early: counts when it was signed.",
    },
    "late": {
        "restate": "Signed late: the period in which it was due is restated.",
        "windfall": "Signed late: counts in the later period in which it was signed.",
        "lost": "Signed late: counts as lost.",
    },
    "count_level": {
        "renewal": "Each renewal counts one.",
        "customer": "Each customer counts one.",
    },
    "partial": {
        "any": "A customer who renewed any of what was due has renewed.",
        "all": "A customer has renewed only if everything due was renewed.",
    },
    "fx": {
        "constant": "All amounts at the exchange rates of the last day.",
        "reported": "Amounts at the rates of their day; the exchange effect is its own line.",
    },
    "ltv": {
        "revenue": "ARPA divided by churn.",
        "margin": "ARPA times gross margin divided by churn.",
        "margin_expansion": "ARPA and its monthly growth, times margin, divided by churn.",
        "margin_net_churn": "ARPA times gross margin divided by churn net of expansion.",
    },
    "zero_churn": {
        "refuse": "Without churn there is no figure.",
        "floor": "Churn under the floor counts as the floor.",
    },
    "quick_ratio": {
        "with_win_back": "Won-back ARR counts as gained.",
        "without_win_back": "Won-back ARR is left out.",
    },
    "baseline": {
        "first": "The first month is 100 %%.",
        "second": "The second month is 100 %%, as use grows into the first.",
    },
    "grouping_days": {"*": "Movements of a customer within %(value)s days count as one."},
    "win_back_days": {
        str(ANY_GAP): "Whoever comes back is won back, however long they were away.",
        "*": "Whoever comes back after more than %(value)s days is new.",
    },
    "grace_days": {
        str(NO_LIMIT): "However late it was signed, it is a renewal.",
        "*": "Signed more than %(value)s days late, it is no renewal.",
    },
    "churn_floor_bp": {"*": "The floor of churn is %(value)s basis points."},
}

_CHOICES: Mapping[str, tuple[str, ...]] = {
    "basis": get_args(Basis),
    "level": get_args(Level),
    "method": get_args(Method),
    "returned": get_args(Returned),
    "cohort": get_args(Cohort),
    "same_period": get_args(SamePeriod),
    "pause": get_args(Pause),
    "attribution": get_args(Attribution),
    "early": get_args(Early),
    "late": get_args(Late),
    "count_level": get_args(CountLevel),
    "partial": get_args(Partial),
    "fx": get_args(Fx),
    "ltv": get_args(LtvBasis),
    "zero_churn": get_args(ZeroChurn),
    "quick_ratio": get_args(QuickRatio),
    "baseline": get_args(Baseline),
}
# the smallest number an option may take
_NUMBERS: Mapping[str, int] = {
    "grouping_days": 0,
    "win_back_days": ANY_GAP,
    "grace_days": NO_LIMIT,
    "churn_floor_bp": 1,
}


def choices(key: str) -> tuple[str, ...]:
    """The words an option takes; empty for an option that takes a number."""
    return _CHOICES.get(key, ())


def options() -> tuple[str, ...]:
    return tuple(item.name for item in fields(Policy))


def choose(chosen: Mapping[str, str | int], base: Policy = DEFAULT) -> Policy:
    """`base` with these choices. Raises PolicyUnknown, naming what may be chosen."""
    found: dict[str, str | int] = {}
    for key, value in chosen.items():
        text = str(value)
        if key in _CHOICES:
            if text not in _CHOICES[key]:
                raise PolicyUnknown(key, text, _CHOICES[key])
            found[key] = text
        elif key in _NUMBERS:
            found[key] = _whole(key, text)
        else:
            raise PolicyUnknown(key, text, options())
    return replace(base, **found)  # type: ignore[arg-type]


def _whole(key: str, text: str) -> int:
    least = _NUMBERS[key]
    words = {"any": ANY_GAP, "none": NO_LIMIT}
    try:
        number = words[text] if text in words and least < 0 else int(text)
    except ValueError:
        raise PolicyUnknown(key, text, (f"a whole number from {least}",)) from None
    if number < least:
        raise PolicyUnknown(key, text, (f"a whole number from {least}",))
    return number


def sentence(key: str, value: str) -> tuple[str, dict[str, str]]:
    """What a choice means: an English msgid and its parameters."""
    texts = SENTENCES[key]
    return texts.get(value) or texts["*"], {"value": value}
