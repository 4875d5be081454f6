"""Simulated worlds, where the true probability of every renewal is known (A4, A5, A8, A9, A13)."""

import numpy as np

SEEDS = (1, 2, 3, 4)
FORECAST_SEEDS = tuple(range(1, 9))
NULL_SEEDS = (1, 2, 3, 4)
A_YEAR = 4  # quarters


def worlds(report) -> None:
    """A4, A5, A8."""
    from gengyun.churn.calc.ladder import fit, plain_logistic
    from gengyun.demo.simulator import churn_score as truth

    seen: dict[tuple[int, str, int], list] = {}
    rungs: dict[int, list[str]] = {}
    for seed in SEEDS:
        report.say(f"churn: world {seed}, 400 and 150 customers learned from")
        world = truth.renewal_world(seed)
        for accounts in (400, 150):
            table = world.of(accounts)
            trained = fit(table, base_rates=_stated(), seed=seed)
            rungs.setdefault(accounts, []).append(f"{trained.rung} {trained.events}")
            for name, model in (("model", trained.model), ("plain", plain_logistic(table))):
                for lag in (30, 90, 180):
                    found = truth.foreseen(world, model, lag)
                    seen.setdefault((accounts, name, lag), []).append(found)
    for accounts, auc, brier in ((400, 0.755, 0.178), (150, 0.75, 0.182)):
        mine, plain = seen[accounts, "model", 90], seen[accounts, "plain", 90]
        label = f"churn.world.{accounts}"
        _compare(report, f"{label}.auc", "auc", mine, plain, target=auc)
        _compare(report, f"{label}.brier", "brier", mine, plain, target=brier, higher=False)
        if accounts == 400:
            _truth(report, label, mine, plain)
        report.note(f"churn: {label}: rung and losses learned from: {', '.join(rungs[accounts])}")
    for lag, target in ((180, 0.35), (90, 0.40)):
        found = truth.caught(truth.pooled(seen[400, "model", lag]))
        control = truth.caught(truth.pooled(seen[400, "plain", lag]))
        unit = f"of {found.losses} losses; plain {control.recall:.3f}; right {found.precision:.2f}"
        name = f"churn.world.caught_{lag}"
        report.add(name=name, value=found.recall, unit=unit, target=target)
    report.note(
        f"churn: worlds: seeds {SEEDS}, customers that were not learned from, their renewals after "
        "the cut-off, 90 days before; ceiling: AUC of the true probability. Constants of the "
        "simulated world are assumptions (docs/simulator.md)"
    )


def _compare(report, name, score, mine, plain, *, target, higher=True) -> None:
    from gengyun.demo.simulator.churn_score import measured

    values = np.array([getattr(measured(one), score) for one in mine])
    control = np.mean([getattr(measured(one), score) for one in plain])
    ceiling = np.mean([measured(one).ceiling for one in mine]) if score == "auc" else None
    error = values.std(ddof=1) / np.sqrt(len(values))
    report.add(
        name=name,
        value=float(values.mean()),
        unit=f"± {error:.3f} over worlds; plain {control:.4f}",
        ceiling=ceiling,
        target=target,
        higher_is_better=higher,
    )


def _truth(report, label, mine, plain) -> None:
    """Calibration needs more renewals than one world has: all of them together."""
    from gengyun.demo.simulator.churn_score import measured, pooled

    found, control = measured(pooled(mine)), measured(pooled(plain))
    unit = f"of {found.rows} renewals; plain {control.ece:.3f}"
    report.add(name=f"{label}.ece", value=found.ece, unit=unit, target=0.04, higher_is_better=False)
    unit = f"plain {control.slope:.2f}"
    report.add(name=f"{label}.slope", value=found.slope, unit=unit, target=0.85)
    report.add(
        name=f"{label}.slope.most",
        value=found.slope,
        unit=unit,
        target=1.25,
        higher_is_better=False,
    )
    each = np.array([measured(one).truth for one in mine])
    error = each.std(ddof=1) / np.sqrt(len(each))
    report.add(
        name=f"{label}.truth",
        value=float(each.mean()),
        unit=f"RMSE, ± {error:.3f}; plain {control.truth:.3f}, one rate {control.base_truth:.3f}",
        target=0.145,
        higher_is_better=False,
    )


def forecast(report) -> None:
    """A9: the money forecast with this probability in it."""
    from gengyun.demo.simulator.churn_forecast import forecasted
    from gengyun.demo.simulator.forecast_score import score

    found, rungs = [], []
    for seed in FORECAST_SEEDS:
        report.say(f"churn: forecast, world {seed} of {len(FORECAST_SEEDS)}")
        learn = _Learner()
        found += forecasted(seed, learn, every=1)
        rungs.append("/".join(learn.rungs[::A_YEAR]))
    for label, of in (("net", lambda quarter: quarter), ("gross", lambda quarter: quarter.gross)):
        _worth(report, label, *(
            score([of(getattr(one, name)) for one in found])
            for name in ("with_model", "with_rates", "with_truth")
        ))  # fmt: skip
    report.note(
        "churn: forecast: ceiling of the error: the same forecast from the true probability of "
        "every renewal, without the shock of the coming quarter, which nobody can know"
    )
    report.note(
        "churn: forecast: net: with price rises, upsell and downsell; gross: of what comes due, at "
        "most all of it. A new price is known from the day the customer was told, 120 days before "
        "the due date"
    )
    report.note(
        "churn: forecast: base rate: the share of renewals that came back so far, on every one "
        "(A9); money share: of all money due so far what came back, which knows that large "
        "customers stay: harder, and the true probabilities themselves are near .8 of it"
    )
    report.note(
        "churn: forecast: learned anew every quarter, on what was decided 90 days before it began; "
        f"raced once a year: {', '.join(rungs)}"
    )


def _worth(report, label, mine, rates, truth) -> None:
    name = f"churn.forecast.{label}"
    unit = f"of {mine.quarters} quarters; rates {rates.cover_80:.2f}"
    report.add(name=f"{name}.cover_80", value=mine.cover_80, unit=unit, target=0.72)
    report.add(
        name=f"{name}.cover_80.most",
        value=mine.cover_80,
        unit=unit,
        target=0.88,
        higher_is_better=False,
    )
    unit = f"rates {rates.cover_95:.2f}"
    report.add(name=f"{name}.cover_95", value=mine.cover_95, unit=unit, target=0.90)
    report.add(
        name=f"{name}.error",
        value=mine.error,
        unit=f"MAPE; base rate {mine.base_error:.3f}, money share {mine.share_error:.3f}, "
        f"rates of cells {rates.error:.3f}; bias {mine.bias:+.3f} of what is due",
        ceiling=truth.error,
        higher_is_better=False,
    )
    # no bar for the gross one: down-sell happens to hide how far the base rate is off
    for control, error, target in (
        ("base_rate", mine.base_error, 0.8 if label == "net" else None),
        ("money_share", mine.share_error, 1.0),
    ):
        report.add(
            name=f"{name}.of_{control}",
            value=mine.error / error,
            unit=f"of the MAPE of the {control.replace('_', ' ')}",
            ceiling=truth.error / error,
            target=target,
            higher_is_better=False,
        )


class _Learner:
    """Learns every quarter; the rungs race once a year, as in the back-test."""

    def __init__(self) -> None:
        self.rungs: list[str] = []

    def __call__(self, table):
        from gengyun.churn.calc.ladder import fit

        is_race = len(self.rungs) % A_YEAR == 0
        rung = None if is_race else self.rungs[-1]
        trained = fit(table, base_rates=_stated(), rung=rung)
        self.rungs.append(trained.rung)
        return trained.model


def noise(report) -> None:
    """A13: nothing to find, or outcomes dealt out anew."""
    from gengyun.churn.calc.ladder import fit
    from gengyun.demo.simulator import churn_score as truth

    for name in ("null", "permuted"):
        seen, learned = [], []
        for seed in NULL_SEEDS:
            report.say(f"churn: {name} world {seed}")
            world = truth.null_world(seed) if name == "null" else truth.renewal_world(seed)
            table, later = world.of(400), world.at(90)[0]
            if name == "permuted":
                table, later = (truth.permuted(one, seed=seed) for one in (table, later))
            learned.append(fit(table, base_rates=_stated(), seed=seed))
            p = learned[-1].model.predict(later).p
            seen.append(truth.Foreseen(90, later.y, p, np.full(len(p), 0.5), np.full(len(p), 0.5)))
        _found_nothing(report, f"churn.{name}", seen, learned)
    few = truth.renewal_world(1, accounts=60, learned_from=12)
    trained = fit(few.of(12), base_rates=_stated())
    stays = trained.rung == "L0" or trained.events >= 8
    said = [note.key for note in trained.notes]
    unit = f"{trained.rung}, {trained.events} losses, says {said}"
    report.add(name="churn.few.stays_on_l0", value=float(stays), unit=unit, target=1.0)


def _found_nothing(report, label, seen, learned) -> None:
    """No order, out of fold or later, and no spread that would be false confidence."""
    from gengyun.churn.calc.scores import auc, bootstrap
    from gengyun.demo.simulator.churn_score import measured, pooled

    together = pooled(seen)
    found = measured(together)
    rungs = "/".join(one.rung for one in learned)
    said = sum(any(note.key == "no_signal" for note in one.notes) for one in learned)
    # one world has few losses: its AUC alone strays from one half by chance (Hanley & McNeil 1982)
    low, high = bootstrap(lambda row: auc(together.y[row], together.p[row]), np.arange(found.rows))
    each = " ".join(f"{measured(one).auc:.3f}" for one in seen)
    report.add(
        name=f"{label}.auc_off_half",
        value=abs(found.auc - 0.5),
        unit=f"AUC {found.auc:.3f}, 95% {low:.3f}..{high:.3f}, of {found.rows} renewals",
        target=0.06,
        higher_is_better=False,
    )
    report.note(
        f"churn: {label}: AUC of each world {each}; {rungs}; "
        f"no_signal said {said} of {len(learned)}"
    )
    race = [next(entry for entry in one.race.entries if entry.name == one.rung) for one in learned]
    report.add(
        name=f"{label}.race_auc_off_half",
        value=abs(float(np.mean([entry.auc for entry in race])) - 0.5),
        unit="out of fold, mean",
        target=0.06,
        higher_is_better=False,
    )
    l1 = [_prior_of(one) for one in learned]
    gone = [k == 0 or tau <= 0.05 for k, tau in l1]
    unit = f"k and tau: {l1}"
    report.add(name=f"{label}.prior_gone", value=float(np.mean(gone)), unit=unit, target=1.0)
    report.add(
        name=f"{label}.spread",
        value=float(np.mean([np.std(one.p) for one in seen])),
        unit="of p: false confidence",
        target=0.06,
        higher_is_better=False,
    )


def _prior_of(trained) -> tuple[float, float]:
    content = next(one for one in trained.model.members if one.name in ("expert", "bent")).content
    return content.settings["k"], content.settings["tau"]


def _stated():
    """What a company would state of its tiers, SMB, mid and KA (an assumption of the product)."""
    from gengyun.churn.calc.scorecard import BaseRate

    rates = {-1: 0.20, 0: 0.30, 1: 0.18, 2: 0.08}
    return {tier: BaseRate(rate, 20) for tier, rate in rates.items()}
