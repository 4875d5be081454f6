"""What a world is made of: sizes, rates and effects, with the presets."""

from dataclasses import dataclass, replace
from datetime import date


@dataclass(frozen=True)
class ShockKind:
    """Something that happens at a customer; `risk` acts on renewal, `use` on engagement."""

    name: str
    yearly_rate: float
    risk: float
    use: float  # jump of engagement, latent scale; negative: worse
    visible: float  # probability of showing in use at all
    lag: tuple[int, int]  # days until it shows
    half_life: float  # days


# About half of the serious ones do not show in use (science.md 9); of those that do, a customer
# sees one about every second year.
SHOCKS = (
    ShockKind("decision_maker_change", 0.12, 1.3, -0.5, 0.50, (10, 90), 400),
    ShockKind("champion_left", 0.18, 0.9, -0.8, 0.70, (5, 40), 300),
    ShockKind("competitor", 0.10, 1.1, -0.4, 0.40, (20, 90), 250),
    ShockKind("slow_feedback", 0.30, 0.5, -0.5, 0.60, (5, 30), 120),
    ShockKind("roi_doubt", 0.12, 0.9, -0.5, 0.40, (10, 60), 250),
    ShockKind("layoff", 0.10, 0.6, -1.0, 0.95, (2, 20), 500),
    ShockKind("win", 0.35, -0.7, 0.6, 0.90, (2, 20), 260),
)
TIERS = ("smb", "mid", "ka")


@dataclass(frozen=True)
class WorldConfig:
    accounts: int = 500
    start: date = date(2021, 1, 1)
    days: int = 1_645
    tier_share: tuple[float, float, float] = (0.60, 0.30, 0.10)
    seats_median: tuple[float, float, float] = (12, 40, 150)
    seats_spread: float = 0.5
    # share of the seats at work on an ordinary day where engagement is 0
    usual_share: float = 0.24
    fit_weight: float = 0.55
    # slow wandering of engagement: OU with this daily memory and spread
    memory: float = 0.985
    wandering: float = 0.5
    day_noise: float = 0.10  # log scale, per customer and day
    events_per_user: float = 1.7  # Poisson mean beyond the first event of an active user and day
    shocks: tuple[ShockKind, ...] = SHOCKS
    # days before the first day from which something happens to every customer; None: from the day
    # on which it comes, and for few days before the first. Long enough, nothing builds up over time
    shocks_before: int | None = None
    outages: int = 2  # of the whole product, one to three days each, at drawn days
    outage_use: float = 0.02  # what is left of use meanwhile
    # (first day, days) of outages that are set, not drawn
    fixed_outages: tuple[tuple[int, int], ...] = ()


PRESETS = {
    "tiny": WorldConfig(accounts=60),
    "smb": WorldConfig(accounts=500),
    "mixed": WorldConfig(accounts=2_000),
    "ka": WorldConfig(accounts=150, tier_share=(0.0, 0.0, 1.0)),
    "null": WorldConfig(accounts=500, shocks=()),
}


def preset(name: str, **changes: object) -> WorldConfig:
    return replace(PRESETS[name], **changes)  # type: ignore[arg-type]
