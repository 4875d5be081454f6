"""Plays the customers of a world through their contracts, term after term."""

from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np

from gengyun.demo.simulator import deals
from gengyun.demo.simulator.config import WorldConfig
from gengyun.demo.simulator.deals import Change, DealConfig, DealTruth, DealWorld, Due, Term
from gengyun.demo.simulator.make import Latent, make_latent

VALUE_DAYS, VALUE_HALF_LIFE = 180, 60
PLAYBOOK_DAYS = 150  # before the due date a playbook begins
# shares of the customers of the first day that had renewed so often already
HAD_RENEWED = (0.4, 0.3, 0.2, 0.1)
HERE_ALREADY = 0.5


def make_deals(
    config: WorldConfig, *, seed: int, deal_config: DealConfig | None = None
) -> DealWorld:
    """Same configs and seed, same world. Each customer draws from a stream of its own."""
    terms = deal_config or DealConfig()
    latent = make_latent(config, seed=seed)
    value = value_of(latent, config)
    common = np.random.default_rng([seed, 10])
    made = _Made(
        config=config,
        deal=terms,
        seed=seed,
        latent=latent,
        value=value,
        csm=common.integers(0, terms.csms, config.accounts),
        skill=common.normal(0, terms.csm_spread, terms.csms),
        is_missold=common.random(config.accounts) < terms.missold_share,
        quarter=_quarters(common, config, terms),
    )
    for account in range(config.accounts):
        _live(made, account, np.random.default_rng([seed, 11, account]))
    truth = DealTruth(made.probability, made.quarter, made.skill, made.is_missold, made.playbook)
    return DealWorld(
        latent.tier, made.csm, tuple(made.terms), tuple(made.changes), tuple(made.dues), truth
    )


@dataclass
class _Made:
    config: WorldConfig
    deal: DealConfig
    seed: int
    latent: Latent
    value: np.ndarray
    csm: np.ndarray
    skill: np.ndarray
    is_missold: np.ndarray
    quarter: dict[tuple[int, int], float]
    terms: list[Term] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    dues: list[Due] = field(default_factory=list)
    probability: dict[tuple[int, int], float] = field(default_factory=dict)
    playbook: dict[tuple[int, int], float] = field(default_factory=dict)

    @property
    def end(self) -> date:
        return self.config.start + timedelta(days=self.config.days)

    @property
    def price_rise_on(self) -> date:
        return self.config.start + timedelta(days=round(365 * self.deal.price_rise_years))


def _quarters(rng: np.random.Generator, config: WorldConfig, deal: DealConfig):
    years = range(config.start.year, config.start.year + config.days // 365 + 2)
    return {(y, q): float(rng.normal(0, deal.quarter_spread)) for y in years for q in (1, 2, 3, 4)}


def value_of(latent: Latent, config: WorldConfig) -> np.ndarray:
    """[account, day]: engagement less the risk of what happened, whether it shows or not."""
    value = latent.engagement.copy()
    days = np.arange(config.days)
    for shock in latent.shocks:
        first = max(0, shock.day)
        value[shock.account, first:] -= shock.risk * 0.5 ** (
            (days[first:] - shock.day) / shock.half_life
        )
    return value


def _recent(value: np.ndarray, day: int) -> float:
    """Weighted mean of the 180 days before `day`, half-life 60 days."""
    last = value[max(0, day - VALUE_DAYS) : max(day, 1)]
    weight = 0.5 ** (np.arange(len(last))[::-1] / VALUE_HALF_LIFE)
    return float(last @ weight / weight.sum())


def _live(made: _Made, account: int, rng: np.random.Generator) -> None:
    """All terms of one customer up to the end of the world."""
    term: Term | None = _first_term(made, account, rng)
    while term is not None and term.starts_on < made.end:
        made.terms.append(term)
        term = _after(made, term, rng)


def _first_term(made: _Made, account: int, rng: np.random.Generator) -> Term:
    config, tier = made.config, int(made.latent.tier[account])
    nth = 0
    if rng.random() < HERE_ALREADY:  # came due in the first year: signed in the year before
        starts_on = deals.start_day(rng, config.start - timedelta(days=364), 364)
        nth = int(rng.choice(len(HAD_RENEWED), p=HAD_RENEWED))
        months = 12
    else:
        starts_on = deals.start_day(rng, config.start, max(config.days * 5 // 6, 1))
        months = deals.term_months(rng)
    discount = float(rng.beta(*made.deal.discount))
    seats = int(made.latent.seats[account])
    price = made.deal.seat_price[tier] * float(rng.lognormal(0, made.deal.price_spread))
    return Term(
        account=account,
        nth=nth,
        how="new",
        signed_on=starts_on - timedelta(days=int(rng.integers(0, 21))),
        starts_on=starts_on,
        ends_on=deals.months_later(starts_on, months) - timedelta(days=1),
        months=months,
        seats=seats,
        arr_minor=_rounded(seats * price * (1 - discount)),
        discount=discount,
    )


def _after(made: _Made, term: Term, rng: np.random.Generator) -> Term | None:
    """What becomes of a term: its changes, its outcome, and the term that follows."""
    seats, arr_minor = term.seats, term.arr_minor
    years = ((term.ends_on - term.starts_on).days + 1) / 365
    leaves = rng.random() < 1 - np.exp(-made.deal.exit_yearly * years)
    grows = rng.random() < 1 - np.exp(-made.deal.add_on_yearly * years)
    within = sorted(
        int(day) for day in rng.integers(30, (term.ends_on - term.starts_on).days - 30, 2)
    )
    if leaves:
        on = term.starts_on + timedelta(days=within[1])
        if on < made.end:
            made.changes.append(Change(term.account, term.nth, "exit", on, -seats, -arr_minor))
            if made.config.start <= term.ends_on < made.end:
                made.dues.append(
                    Due(term.account, term.nth, term.ends_on, arr_minor, 0, on, "competitor")
                )
        return None
    on = term.starts_on + timedelta(days=within[0])
    if grows and made.config.start <= on < made.end:
        more = max(1, round(seats * float(rng.uniform(0.08, 0.3))))
        added = _rounded(arr_minor * more / seats)
        made.changes.append(Change(term.account, term.nth, "add_on", on, more, added))
        seats, arr_minor = seats + more, arr_minor + added
    if term.ends_on >= made.end:
        return None
    return _outcome(made, term, rng, seats=seats, arr_minor=arr_minor)


def _outcome(
    made: _Made, term: Term, rng: np.random.Generator, *, seats: int, arr_minor: int
) -> Term | None:
    deal, account, due_on = made.deal, term.account, term.ends_on
    has_risen = made.price_rise_on <= due_on < made.price_rise_on + timedelta(days=365)
    p = deals.not_renewing(
        deal,
        tier=int(made.latent.tier[account]),
        value=_recent(made.value[account], (due_on - made.config.start).days),
        nth=term.nth,
        discount=term.discount,
        shocks=float(made.skill[made.csm[account]])
        + made.quarter[due_on.year, (due_on.month + 2) // 3]
        + (deal.price_rise_risk if has_risen else 0)
        + _launched(made, due_on)
        - _worked_on(made, term, due_on),
        is_missold=bool(made.is_missold[account]),
    )
    made.probability[account, term.nth] = p
    if rng.random() >= p:
        ratio = deals.renewed_ratio(rng, deal, rise=deal.price_rise if has_risen else 0)
        signed_on = due_on + timedelta(days=deals.signature_delay(rng))
        after = _next_term(term, rng, signed_on=signed_on, seats=seats, arr=arr_minor, ratio=ratio)
        made.dues.append(Due(account, term.nth, due_on, arr_minor, after.arr_minor, signed_on, ""))
        return after
    known_on = due_on + timedelta(days=deals.loss_delay(rng, deal))
    cause = str(rng.choice(["roi_wrong", "decision_maker_changed", "slow_answers", "unmet_need"]))
    made.dues.append(Due(account, term.nth, due_on, arr_minor, 0, known_on, cause))
    if rng.random() >= deal.win_back:
        return None
    back_on = due_on + timedelta(days=deals.GRACE_DAYS + int(rng.integers(30, 340)))
    return _next_term(
        term, rng, signed_on=back_on, seats=seats, arr=arr_minor,
        ratio=float(rng.uniform(0.5, 0.9)), back_on=back_on,
    )  # fmt: skip


def _launched(made: _Made, due_on: date) -> float:
    years = made.deal.launch_years
    if years is None or due_on < made.config.start + timedelta(days=round(365 * years)):
        return 0.0
    return made.deal.launch_risk


def _worked_on(made: _Made, term: Term, due_on: date) -> float:
    """What a playbook took off the logit. CSMs choose whom they work on, by how bad it looks half
    a year before: those treated are the worse ones, whatever the playbook does (science.md 7).

    Draws from a stream of its own, so that a world without playbooks is what it was.
    """
    if not made.deal.playbook_share:
        return 0.0
    rng = np.random.default_rng([made.seed, 12, term.account, term.nth])
    day = max(0, (due_on - made.config.start).days - PLAYBOOK_DAYS)
    looks = float(made.latent.engagement[term.account, min(day, made.config.days - 1)])
    odds = made.deal.playbook_share / (1 - made.deal.playbook_share) * np.exp(-looks)
    if rng.random() >= odds / (1 + odds):
        return 0.0
    effect = made.deal.playbook_effect * float(rng.lognormal(0, 0.3)) if looks < 0 else 0.0
    made.playbook[term.account, term.nth] = effect
    return effect


def _next_term(
    term: Term,
    rng: np.random.Generator,
    *,
    signed_on: date,
    seats: int,
    arr: int,
    ratio: float,
    back_on: date | None = None,
) -> Term:
    starts_on = back_on or term.ends_on + timedelta(days=1)
    months = deals.term_months(rng)
    return Term(
        account=term.account,
        nth=term.nth + 1,
        how="win_back" if back_on else "renew",
        signed_on=signed_on,
        starts_on=starts_on,
        ends_on=deals.months_later(starts_on, months) - timedelta(days=1),
        months=months,
        # prices move by a few per cent; anything beyond is seats
        seats=seats if 0.9 <= ratio <= 1.12 else max(1, round(seats * ratio)),
        arr_minor=_rounded(arr * ratio),
        discount=term.discount,
    )


def _rounded(minor: float) -> int:
    """To ten yuan: nobody signs for odd amounts."""
    return max(1_000, round(minor / 1_000) * 1_000)
