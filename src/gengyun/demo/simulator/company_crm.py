"""What people write down of a company's customers: who left, what was heard, tickets, answers to
surveys, promises, milestones, touches. Much of what happens is never written down, the rest late.
"""

from dataclasses import dataclass

import numpy as np

from gengyun.demo.simulator.company import NEVER, Columns, Flags, Floats, Ints, rows
from gengyun.demo.simulator.company_config import CompanyConfig
from gengyun.demo.simulator.company_use import Held
from gengyun.demo.simulator.deals import DealWorld
from gengyun.demo.simulator.make import Latent

PARTS = ("decider", "champion", "user")
LEAVERS = {"decision_maker_change": "decider", "champion_left": "champion"}
HEARD = ("competitor", "roi_doubt", "layoff", "slow_feedback", "win")
MILESTONES = (("kickoff", 7), ("data", 30), ("first_value", 60), ("adoption", 90))
TOUCHES = ("call", "meeting", "wecom", "email", "visit")
TOUCH_SHARE = (0.30, 0.20, 0.30, 0.15, 0.05)


@dataclass(frozen=True)
class Scene:
    """What all writers look at."""

    config: CompanyConfig
    latent: Latent
    deals: DealWorld
    held: Held
    value: Floats  # [account, day]

    @property
    def days(self) -> int:
        return self.config.world.days

    def day(self, index: Ints) -> np.ndarray:
        return np.datetime64(self.config.world.start, "D") + index

    def index(self, day: object) -> int:
        return int((np.datetime64(day, "D") - self.day(np.int64(0))).astype(int))

    def is_there(self, account: Ints, day: Ints) -> Flags:
        inside = (day >= 0) & (day < self.days)
        return inside & (self.held.seats[account, np.clip(day, 0, self.days - 1)] > 0)

    def valued(self, account: Ints, day: Ints) -> Floats:
        return self.value[account, np.clip(day, 0, self.days - 1)]


def chance(base: float, weight: float, value: Floats) -> Floats:
    """Probability `base` at value 0, more where value is less."""
    return 1 / (1 + (1 / base - 1) * np.exp(weight * value))


def spread_over(rng: np.random.Generator, scene: Scene, yearly: Floats) -> tuple[Ints, Ints]:
    """(account, day) of things that happen at random times at a yearly rate per account, while the
    customer is one."""
    count = rng.poisson(yearly * scene.days / 365)
    account = np.repeat(np.arange(len(count)), count)
    day = rng.integers(0, scene.days, len(account))
    there = scene.is_there(account, day)
    return account[there], day[there]


def heard(rng: np.random.Generator, scene: Scene) -> tuple[Columns, Columns]:
    """(facts, contacts): what happened at customers, as far as a CSM learned and wrote it down."""
    crm = scene.config.crm
    facts, left = [], []
    for shock in scene.latent.shocks:
        written, delay = rng.random() < crm.recorded, int(rng.integers(*crm.delay))
        if not written or not scene.is_there(np.int64(shock.account), np.int64(shock.day)):
            continue
        row = (shock.account, scene.day(shock.day), scene.day(shock.day + delay))
        if shock.kind in LEAVERS:
            left.append((row[0], LEAVERS[shock.kind], *row[1:]))
        elif shock.kind in HEARD:
            facts.append((row[0], shock.kind, *row[1:]))
    facts += _missold(rng, scene)
    return (
        rows(facts, account="i8", kind="U24", happened="M8[D]", known="M8[D]"),
        contacts(rng, scene, left),
    )


def _missold(rng: np.random.Generator, scene: Scene) -> list[tuple]:
    found = []
    for term in scene.deals.terms:
        noticed = rng.random() < scene.config.crm.missold_noticed
        day = scene.index(term.starts_on) + int(rng.integers(10, 120))
        if noticed and term.nth == 0 and scene.deals.truth.is_missold[term.account]:
            found.append((term.account, "missold", scene.day(day), scene.day(day + 3)))
    return found


def contacts(rng: np.random.Generator, scene: Scene, left: list[tuple]) -> Columns:
    """One of each part at a time; who left is followed by somebody new."""
    crm, made = scene.config.crm, []
    account, day = spread_over(rng, scene, np.full(len(scene.held.seats), crm.contacts_change))
    delay = rng.integers(*crm.delay, len(account))
    ordinary = [
        (int(a), "user", scene.day(d), scene.day(d + late))
        for a, d, late in zip(account, day, delay, strict=True)
    ]
    gone: dict[tuple[int, str], list] = {}
    for one, part, on, known in sorted([*left, *ordinary], key=lambda row: (row[0], row[2])):
        gone.setdefault((one, part), []).append((on, known))
    for one in range(len(scene.held.seats)):
        first = int(np.argmax(scene.held.since[one] >= 0))
        for part in PARTS:
            came = scene.day(np.int64(first))
            for on, known in gone.get((one, part), []):
                if on > came:
                    made.append((one, part, came, on, known))
                    came = max(known + 7, on)
            made.append((one, part, came, NEVER, NEVER))
    return rows(made, account="i8", part="U12", came="M8[D]", left="M8[D]", left_known="M8[D]")


def surveys(rng: np.random.Generator, scene: Scene) -> Columns:
    crm, count = scene.config.crm, len(scene.held.seats)
    rounds = scene.days // crm.nps_days
    account = np.repeat(np.arange(count), rounds)
    phase = rng.integers(0, crm.nps_days, count)
    day = phase[account] + np.tile(np.arange(rounds) * crm.nps_days, count)
    answers = rng.random(len(account)) < crm.nps_response
    noise = rng.normal(0, crm.nps_noise, len(account))
    keep = answers & scene.is_there(account, day)
    account, day, noise = account[keep], day[keep], noise[keep]
    level = crm.nps_level + crm.nps_weight * scene.valued(account, day) + noise
    return {
        "account": account,
        "happened": scene.day(day),
        "known": scene.day(day + rng.integers(0, 3, len(day))),
        "score": np.clip(np.round(level), 0, 10).astype(np.int64),
    }


def tickets(rng: np.random.Generator, scene: Scene) -> Columns:
    """More and slower ones while feedback is slow: that is what slow feedback looks like."""
    crm = scene.config.crm
    yearly = crm.tickets_yearly * np.sqrt(np.maximum(scene.latent.seats, 1))
    account, day = spread_over(rng, scene, yearly * crm.slow_tickets)
    slow = np.zeros((len(yearly), scene.days), np.bool_)
    for shock in scene.latent.shocks:
        if shock.kind == "slow_feedback":
            first, last = max(shock.day - 20, 0), shock.day + round(shock.half_life * 0.8)
            slow[shock.account, first : max(last, 0)] = True
    is_slow = slow[account, day]
    kept = is_slow | (rng.random(len(account)) < 1 / crm.slow_tickets)
    account, day, is_slow = account[kept], day[kept], is_slow[kept]
    count = len(account)
    hours = rng.lognormal(np.log(5), 0.9, count) * np.where(is_slow, 3.5, 1)
    took = np.ceil(hours / 24 + rng.exponential(np.where(is_slow, 9, 3), count)).astype(np.int64)
    return {
        "account": account,
        "happened": scene.day(day),
        "known": scene.day(day),
        "severe": rng.random(count) < crm.severe_share * np.where(is_slow, 2, 1),
        "response_hours": np.round(hours, 1),
        "closed": scene.day(day + took),
        "reopened": rng.random(count) < crm.reopened * np.where(is_slow, 2, 1),
        "text": rng.integers(0, 1 << 30, count),
    }


def promises(rng: np.random.Generator, scene: Scene) -> Columns:
    """Made at a sale; those who sold wrongly promised more and kept less."""
    crm, made = scene.config.crm, []
    for term in scene.deals.terms:
        wrong = bool(scene.deals.truth.is_missold[term.account]) and term.nth == 0
        count = int(rng.poisson(crm.promises_missold if wrong else crm.promises))
        signed = scene.index(term.signed_on)
        for _ in range(count):
            due = signed + int(rng.integers(30, 200))
            is_kept = rng.random() < crm.promise_kept * (0.5 if wrong else 1)
            late = round(float(rng.normal(-5, 15))) if is_kept else int(rng.integers(60, 500))
            kept = max(due + late, signed + 1)
            made.append(
                (term.account, scene.day(signed), scene.day(signed), scene.day(due),
                 scene.day(kept))
            )  # fmt: skip
    return rows(made, account="i8", happened="M8[D]", known="M8[D]", due="M8[D]", kept="M8[D]")


def milestones(rng: np.random.Generator, scene: Scene) -> Columns:
    """Of customers who began within the world; what does not fit takes longer."""
    crm, made = scene.config.crm, []
    for term in scene.deals.terms:
        first = scene.index(term.starts_on)
        if term.how == "renew" or first < 0:
            continue
        slip = 0.0
        for name, planned in MILESTONES:
            lack = 0.4 - float(scene.latent.fit[term.account])
            slip += max(-2.0, float(rng.normal(crm.milestone_slip * lack / 2, 5)))
            reached = first + planned + max(round(slip), -5)
            made.append(
                (term.account, name, scene.day(first), scene.day(first + planned),
                 scene.day(reached))
            )  # fmt: skip
    return rows(made, account="i8", kind="U12", known="M8[D]", planned="M8[D]", reached="M8[D]")


def touches(rng: np.random.Generator, scene: Scene) -> Columns:
    """Talks with customers. Some decline, more of them where things are bad; CSMs of customers who
    said that they leave go on writing."""
    crm = scene.config.crm
    yearly = 365 / np.array(crm.touch_days)[scene.latent.tier]
    account, day = spread_over(rng, scene, yearly)
    value, count = scene.valued(account, day), len(account)
    refused = rng.random(count) < chance(crm.refused, crm.refused_weight, value)
    written = np.isin(kind := rng.choice(TOUCHES, count, p=TOUCH_SHARE), ("wecom", "email"))
    silent = rng.random(count) < chance(crm.no_reply, crm.refused_weight, value)
    mood = np.digitize(value + rng.normal(0, 1.2, count), (-0.9, 0.3))
    return {
        "account": account,
        "happened": scene.day(day),
        "known": scene.day(day + rng.integers(0, 4, count)),
        "kind": kind,
        "part": rng.choice(PARTS, count, p=(0.2, 0.5, 0.3)),
        "refused": refused,
        "no_reply": written & silent & ~refused,
        "outcome": np.where(refused, "", np.array(["not", "partly", "solved"])[mood]),
        "text": rng.integers(0, 1 << 30, count),
    }


def sentiments(rng: np.random.Generator, scene: Scene) -> Columns:
    """What CSMs think of a customer, 1 to 5. After a loss was told they all say 1: it must never be
    learned from."""
    crm, count = scene.config.crm, len(scene.held.seats)
    account, day = spread_over(rng, scene, np.full(count, 365 / crm.sentiment_days))
    felt = scene.valued(account, day) + rng.normal(0, crm.sentiment_noise, len(account))
    level = np.clip(np.round(3.2 + 0.8 * felt), 1, 5).astype(np.int64)
    told = [
        (due.account, due.decided_on, 1)
        for due in scene.deals.dues
        if due.outcome_minor == 0 and due.decided_on <= due.due_on
    ]
    after = rows(told, account="i8", happened="M8[D]", level="i8")
    happened = np.concatenate([scene.day(day), after["happened"]])
    return {
        "account": np.concatenate([account, after["account"]]),
        "happened": happened,
        "known": happened,
        "level": np.concatenate([level, after["level"]]),
    }


def trainings(rng: np.random.Generator, scene: Scene) -> Columns:
    crm = scene.config.crm
    account, day = spread_over(rng, scene, np.full(len(scene.held.seats), crm.training_yearly))
    likes = scene.latent.fit[account] + 0.5 * scene.latent.engagement[account, day]
    share = 1 / (1 + np.exp(-(0.3 + 0.7 * likes + rng.normal(0, 0.6, len(account)))))
    invited = np.maximum(2, scene.held.seats[account, day] // 3)
    attended = rng.binomial(invited, share)
    return {
        "account": account,
        "happened": scene.day(day),
        "known": scene.day(day),
        "invited": invited.astype(np.int64),
        "attended": attended,
        "passed": rng.binomial(attended, 0.8),
    }
