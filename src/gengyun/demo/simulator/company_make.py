"""A whole simulated company from a config and a seed: same config and seed, same company."""

from datetime import date, timedelta

import numpy as np

from gengyun.demo.simulator import company_crm as crm
from gengyun.demo.simulator import company_money as money
from gengyun.demo.simulator import company_use
from gengyun.demo.simulator.company import NEVER, Columns, Company, CompanyTruth, rows
from gengyun.demo.simulator.company_config import CompanyConfig
from gengyun.demo.simulator.company_crm import Scene
from gengyun.demo.simulator.deals import DealWorld
from gengyun.demo.simulator.deals_make import make_deals, value_of
from gengyun.demo.simulator.make import make_latent

FIRST_STREAM = 20


def rise_on(config: CompanyConfig) -> date:
    """The day from which list prices are higher."""
    return config.world.start + timedelta(days=round(365 * config.deals.price_rise_years))


def make_company(config: CompanyConfig, *, seed: int) -> Company:
    """Customers, shocks and engagement are those of `make_world`, contracts those of `make_deals`.

    Each part draws from a stream of its own, so that a change of one leaves the others as they
    were.
    """
    world = config.world
    latent = make_latent(world, seed=seed)
    deals = make_deals(world, seed=seed, deal_config=config.deals)
    value = value_of(latent, world)
    streams = iter([np.random.default_rng([seed, FIRST_STREAM + k]) for k in range(20)])
    mine = company_use.held(next(streams), config, deals)
    bits = company_use.bought(next(streams), latent.tier)
    users = company_use.activated(next(streams), config, latent.fit, mine.seats)
    use, share, outages = company_use.use(
        next(streams), config, latent, mine, users=users, modules=bits
    )
    scene = Scene(config, latent, deals, mine, value)
    facts, people = crm.heard(next(streams), scene)
    tables = {
        "contracts": _contracts(deals),
        "changes": _changes(deals),
        "outcomes": money.outcomes(next(streams), scene),
        "contacts": people,
        "facts": _stacked([facts, money.price_asked(scene, rise_on(config))]),
        "nps": crm.surveys(next(streams), scene),
        "tickets": crm.tickets(next(streams), scene),
        "promises": crm.promises(next(streams), scene),
        "milestones": crm.milestones(next(streams), scene),
        "touches": crm.touches(next(streams), scene),
        "sentiments": crm.sentiments(next(streams), scene),
        "trainings": crm.trainings(next(streams), scene),
        "invoices": money.invoices(next(streams), scene),
        "monthly": money.monthly(next(streams), scene),
        "playbooks": _playbooks(deals),
        "parents": _parents(next(streams), config),
    }
    end = np.datetime64(world.start + timedelta(days=world.days), "D")
    truth = CompanyTruth(
        deals.truth.not_renewing,
        deals.truth.playbook,
        value.astype(np.float32),
        latent.engagement.astype(np.float32),
        latent.fit,
        deals.truth.is_missold,
        latent.shocks,
        share,
        outages,
        mine.collapsed,
    )
    return Company(
        seed=seed,
        config=config,
        tier=latent.tier,
        season=latent.season,
        bought=bits,
        seats=mine.seats,
        activated=users,
        deals=deals,
        use=use,
        tables={name: _until(columns, end) for name, columns in tables.items()},
        truth=truth,
    )


def _contracts(deals: DealWorld) -> Columns:
    return rows(
        [
            (t.account, t.nth, t.how, t.signed_on, t.starts_on, t.ends_on, t.months, t.seats,
             t.arr_minor, t.discount, t.signed_on)
            for t in deals.terms
        ],
        account="i8", nth="i8", how="U8", signed="M8[D]", starts="M8[D]", ends="M8[D]",
        months="i8", seats="i8", arr_minor="i8", discount="f8", known="M8[D]",
    )  # fmt: skip


def _changes(deals: DealWorld) -> Columns:
    return rows(
        [(c.account, c.nth, c.kind, c.on, c.on, c.seats, c.arr_minor) for c in deals.changes],
        account="i8", nth="i8", kind="U8", happened="M8[D]", known="M8[D]", seats="i8",
        arr_minor="i8",
    )  # fmt: skip


def _playbooks(deals: DealWorld) -> Columns:
    """Whom a playbook worked on, from when: what it did is truth."""
    ends = {(term.account, term.nth): term.ends_on for term in deals.terms}
    made = [
        (account, nth, ends[account, nth] - timedelta(days=150))
        for account, nth in sorted(deals.truth.playbook)
    ]
    found = rows(made, account="i8", nth="i8", happened="M8[D]")
    return found | {"known": found["happened"].copy()}


def _parents(rng: np.random.Generator, config: CompanyConfig) -> Columns:
    """Some customers belong to another."""
    count = config.world.accounts
    child = np.flatnonzero(rng.random(count) < config.crm.groups)
    parent = rng.integers(0, count, len(child))
    keep = ~np.isin(parent, child)
    return {"account": child[keep], "parent": parent[keep]}


def _stacked(parts: list[Columns]) -> Columns:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _until(columns: Columns, end: np.datetime64) -> Columns:
    """What is known before the end of the world; a later day within a row is not known yet."""
    if "known" in columns:
        columns = {name: values[_before(columns["known"], end)] for name, values in columns.items()}
    made = dict(columns)
    for name in ("left_known", "closed", "kept", "reached", "paid", "disputed"):
        if name in made:
            made[name] = np.where(made[name] < end, made[name], NEVER)
    if "left" in made:
        made["left"] = np.where(np.isnat(made["left_known"]), NEVER, made["left"])
    return made


def _before(days: np.ndarray, end: np.datetime64) -> np.ndarray:
    return np.isnat(days) | (days < end)
