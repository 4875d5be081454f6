"""What a whole simulated company is made of: its world, its contracts, what its people write down,
and what goes wrong with the data. One mapping of plain values with a seed says all of it.

Every constant is an assumption of this project (science.md 9).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass, replace
from datetime import date
from typing import Any, get_args, get_type_hints

from gengyun.demo.simulator.config import PRESETS as WORLDS
from gengyun.demo.simulator.config import SHOCKS, ShockKind, WorldConfig
from gengyun.demo.simulator.deals import DealConfig


@dataclass(frozen=True)
class CrmConfig:
    """What CSMs, support and finance see of a customer, and how much of it is written down.

    Weights act on the customer's latent value (engagement less risk) on the day.
    """

    recorded: float = 0.6  # of what happened at a customer, written down at all
    delay: tuple[int, int] = (0, 30)  # days until it is
    nps_days: int = 91
    nps_response: float = 0.35
    nps_level: float = 7.6
    nps_weight: float = 1.0
    nps_noise: float = 1.8
    tickets_yearly: float = 1.6  # times the root of the seats
    severe_share: float = 0.08
    slow_tickets: float = 2.5  # times as many, and slower, while feedback is slow
    reopened: float = 0.07
    promises: float = 0.5  # made at a sale
    promises_missold: float = 2.6
    promise_kept: float = 0.8
    milestone_slip: float = 12.0  # days a milestone is late, per unit of lacking fit
    touch_days: tuple[float, float, float] = (75.0, 40.0, 18.0)  # between two, by tier
    refused: float = 0.05  # share of touches that the customer declines, at value 0
    refused_weight: float = 0.5
    no_reply: float = 0.10  # of messages, at value 0
    missold_noticed: float = 0.4  # of customers who were sold the wrong thing, at the start
    sentiment_days: int = 60
    sentiment_noise: float = 0.9
    late_payment: float = 0.14  # share of invoices, at value 0
    late_weight: float = 0.4
    disputed: float = 0.02
    activated: tuple[float, float] = (5.0, 2.0)  # Beta, share of the seats ever used
    activated_fit: float = 0.06
    contacts_change: float = 0.10  # yearly, of contacts nobody would call a shock
    training_yearly: float = 1.2
    price_asked_days: int = 120  # before a due date the new price is named
    monthly_share: float = 0.15  # of customers who also hold a product that runs month by month
    monthly_hazard: float = 0.035
    involuntary: float = 0.05  # of the losses: closed down or merged away
    groups: float = 0.08  # share of customers that belong to a parent
    # of those who leave, how many stop using in the last days, after they have decided
    collapse: float = 0.60
    collapse_days: tuple[int, int] = (5, 30)


@dataclass(frozen=True)
class SpoilConfig:
    """Bad data, as tracking of real companies has it."""

    missing_days: int = 3  # whole days lost, of everybody
    repeated_loads: int = 2  # days loaded twice, with the same message ids
    shifted_from: float = 0.4  # share of the time after which one stretch has the wrong zone
    shifted_days: int = 14
    merged: float = 0.02  # of customers were sent under two ids until somebody noticed


@dataclass(frozen=True)
class CompanyConfig:
    world: WorldConfig
    deals: DealConfig
    crm: CrmConfig = CrmConfig()
    spoiled: SpoilConfig = SpoilConfig()


# Rates, sizes and bases found by trial on the truth alone, so that 36 / 27 / 17 % by tier do not
# renew, 25 % of the money, the AUC of the true probability is .82, and three quarters of what moves
# it can be read from use 90 days before (`tests/test_simulator_company.py`, docs/simulator.md)
HAPPENS: Mapping[str, Mapping[str, float]] = {
    "champion_left": {"use": -1.2, "risk": 0.7},
    "competitor": {"use": -0.7, "risk": 0.8},
    "slow_feedback": {"use": -0.7, "risk": 0.3},
    "roi_doubt": {"use": -0.8, "risk": 0.7},
    "layoff": {"use": -1.5, "risk": 0.5, "yearly_rate": 0.12},
    "win": {"use": 1.0, "risk": -0.4, "yearly_rate": 0.5},
}
COMPANY_SHOCKS = tuple(replace(kind, **HAPPENS.get(kind.name, {})) for kind in SHOCKS)
# The law of science.md 9 knows no effect of prices. Ours has a small one, after two years: it must
# not fall together with the day on which learning ends and judging begins (`churn_score.CUTOFF`),
# or every figure would measure a change that nobody could have learned. `drift` is for that.
DEALS = DealConfig(
    base=(-0.91, -1.50, -2.40),
    price_rise_years=2.0,
    playbook_share=0.15,
    playbook_effect=0.35,
)
# nothing that anybody can see has to do with who leaves
NO_SIGNAL = replace(
    DEALS,
    base=(-0.85, -0.85, -0.85),
    value_weight=0.0,
    per_renewal=0.0,
    discount_weight=0.0,
    missold=0.0,
    csm_spread=0.0,
    quarter_spread=0.0,
    price_rise_risk=0.0,
    playbook_share=0.0,
    told_early=0.0,
)
BEFORE = 1_000  # days
USUAL = WorldConfig(accounts=500, shocks=COMPANY_SHOCKS, shocks_before=BEFORE)
COMPANIES = {
    name: CompanyConfig(replace(world, shocks=COMPANY_SHOCKS, shocks_before=BEFORE), DEALS)
    for name, world in WORLDS.items()
    if name != "null"
} | {
    "null": CompanyConfig(USUAL, NO_SIGNAL, CrmConfig(involuntary=0.0, late_weight=0.0)),
    "drift": CompanyConfig(USUAL, replace(DEALS, launch_years=3.0, launch_risk=1.0)),
    "outage": CompanyConfig(
        replace(USUAL, outages=6, fixed_outages=((700, 3), (1_100, 3), (1_500, 3))),
        DEALS,
    ),
}


def company(name: str, *, accounts: int | None = None) -> CompanyConfig:
    found = COMPANIES[name]
    if accounts is None:
        return found
    return replace(found, world=replace(found.world, accounts=accounts))


def as_mapping(config: CompanyConfig) -> dict[str, Any]:
    """Plain values only: what a YAML or JSON file of it would say."""
    return _plain(asdict(config))


def from_mapping(given: Mapping[str, Any], *, base: CompanyConfig) -> CompanyConfig:
    """`base` with what the mapping says; a name that nothing has is refused."""
    return _changed(base, given, "")


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value.isoformat() if isinstance(value, date) else value


def _changed(base: Any, given: Mapping[str, Any], path: str) -> Any:
    known = {field.name for field in fields(base)}
    if unknown := sorted(set(given) - known):
        raise ValueError(f"no such setting: {path}{unknown[0]}")
    hints = get_type_hints(type(base))
    return replace(
        base,
        **{
            key: _read(value, getattr(base, key), hints[key], f"{path}{key}")
            for key, value in given.items()
        },
    )


def _read(value: Any, old: Any, hint: Any, path: str) -> Any:
    if is_dataclass(old):
        return _changed(old, value, f"{path}.")
    if hint is date:
        return value if isinstance(value, date) else date.fromisoformat(value)
    if path == "world.shocks":
        return tuple(ShockKind(**{**one, "lag": tuple(one["lag"])}) for one in value)
    if isinstance(old, tuple):
        return tuple(tuple(one) if isinstance(one, list | tuple) else one for one in value)
    numbers = {int, float} & ({hint} | set(get_args(hint)))
    if value is None and type(None) in get_args(hint):
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not numbers:
        raise ValueError(f"{path} is not a number: {value!r}")
    if numbers == {int} and not isinstance(value, int):
        raise ValueError(f"{path} is not a whole number: {value!r}")
    return float(value) if float in numbers else value
