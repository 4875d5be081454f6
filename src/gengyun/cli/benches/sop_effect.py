"""The measured effect of an SOP against the truth of simulated companies (science.md 8, A10).

Trials of a known effect: none, and half a unit on the logit. Whom it works on is chosen by the
product (by hash, within strata), by a coin, as science.md measured, and by CSMs, as people do now.
"""

import numpy as np

WORLDS = (1, 2, 3)
ACCOUNTS, LEARNED_FROM = 1_200, 400
TRIALS = 2_000
WATCHED = 400  # each is estimated anew on every day
SHARES = (0.5, 0.2)
SIZES = (200, 400, 800)
PLAYED = {"none": 0.0, "works": -0.5}


def run(report) -> None:
    from gengyun.churn.calc.ladder import fit
    from gengyun.cli.benches.churn_worlds import _stated
    from gengyun.demo.simulator import sop_effect

    report.say(f"sop-effect: {len(WORLDS)} companies of {ACCOUNTS}, a model learned in each")
    pool = sop_effect.make_pool(
        WORLDS,
        lambda table: fit(table, base_rates=_stated()).model,
        accounts=ACCOUNTS,
        learned_from=LEARNED_FROM,
    )
    measure(report, pool, trials=TRIALS, watched=WATCHED)


def measure(report, pool, *, trials: int, watched: int) -> None:
    from gengyun.demo.simulator import sop_effect

    truth = {name: sop_effect.true_effect(pool, works) for name, works in PLAYED.items()}
    report.note(
        f"sop-effect: {len(pool)} renewals of {len(WORLDS)} simulated companies, 90 days before; "
        f"true effect of `works`: {_points(truth['works'])}, on the share that does not renew. "
        f"{trials} trials; a figure of 95 % is known to ± {196 * (0.05 * 0.95 / trials) ** 0.5:.1f}"
    )
    played = _by_hash(report, pool, trials)
    _cuped(report, pool, played, trials)
    _daily(report, pool, watched)
    _naive(report, pool, trials)
    _power(report, pool, trials)


def _by_hash(report, pool, trials: int) -> dict:
    from gengyun.demo.simulator import sop_effect

    played = {}
    for share in SHARES:
        for name, works in PLAYED.items():
            report.say(f"sop-effect: hold-out {share:.0%}, {name}, {trials} trials")
            one = sop_effect.play(pool, works=works, share=share, trials=trials)
            played[share, name] = one
            for kind in ("plain", "exact"):
                found = getattr(one, kind)
                label = f"sop_effect.{kind}.{share:.0%}.{name}".replace("%", "")
                _bias(report, label, found.bias, found.spread, trials)
                _coverage(report, label, found.covered)
                if name == "none":
                    report.add(
                        name=f"{label}.false",
                        value=100 * found.seen,
                        unit="% found an effect",
                        target=6.0,
                        higher_is_better=False,
                    )
    return played


def _bias(report, label: str, bias: float, spread: float, trials: int) -> None:
    report.add(
        name=f"{label}.bias",
        value=abs(100 * bias),
        unit=f"points off; one trial {_points(bias)} ± {100 * spread:.1f}, mean ± "
        f"{100 * spread / trials**0.5:.2f}",
        target=1.0,
        higher_is_better=False,
    )


def _coverage(report, label: str, covered: float) -> None:
    report.add(name=f"{label}.covers", value=100 * covered, unit="% hold the truth", target=92.0)
    report.add(
        name=f"{label}.covers.most",
        value=100 * covered,
        unit="% hold the truth",
        target=98.0,
        higher_is_better=False,
    )


def _cuped(report, pool, played: dict, trials: int) -> None:
    """Against the plain difference of a coin, as science.md measured; and within strata, where part
    of what the probability explains is evened out already by the assignment."""
    from gengyun.demo.simulator import sop_effect

    for share in SHARES:
        report.say(f"sop-effect: a coin, hold-out {share:.0%}, {trials} trials")
        coin = sop_effect.play(
            pool, works=0.0, share=share, trials=trials, choose=sop_effect.by_coin
        )
        hashed = played[share, "none"]
        plain = coin.plain.spread**2
        label = f"sop_effect.variance.{share:.0%}".replace("%", "")
        for name, spread in (("coin_cuped", coin.exact.spread), ("cuped", hashed.exact.spread)):
            report.add(
                name=f"{label}.{name}",
                value=spread**2 / plain,
                unit=f"of the plain difference by a coin, ± {2 * trials**-0.5:.2f}",
                target=0.85,
                higher_is_better=False,
            )
        report.add(
            name=f"{label}.strata",
            value=hashed.plain.spread**2 / plain,
            unit="by strata alone, without CUPED",
        )


def _daily(report, pool, watched: int) -> None:
    from gengyun.demo.simulator import sop_effect

    for share in SHARES:
        for name, works in PLAYED.items():
            report.say(f"sop-effect: looked at daily, hold-out {share:.0%}, {name}")
            label = f"sop_effect.daily.{share:.0%}.{name}".replace("%", "")
            is_false = name == "none"
            trials = watched if is_false else max(1, watched // 4)
            found = sop_effect.watch(pool, works=works, share=share, trials=trials)
            report.add(
                name=label,
                value=100 * found.by_day,
                unit=f"% found an effect in {found.looks:.0f} looks, of {trials} trials",
                target=5.0 if is_false else None,
                higher_is_better=not is_false,
            )
            if is_false:
                report.add(
                    name=f"{label}.ordinary",
                    value=100 * found.by_ordinary,
                    unit="% if an ordinary interval is looked at daily",
                )
            elif found.after is not None:
                report.add(
                    name=f"{label}.after",
                    value=100 * found.after,
                    unit="% of the outcomes known when it was found",
                )


def _naive(report, pool, trials: int) -> None:
    """What is compared today: customers whom CSMs worked on with those whom they did not."""
    from gengyun.demo.simulator import sop_effect

    for name, works in PLAYED.items():
        found = sop_effect.play(
            pool, works=works, share=0.5, trials=trials, choose=sop_effect.by_csm
        )
        for kind, what in (("plain", "naive"), ("exact", "naive_with_p")):
            one = getattr(found, kind)
            report.add(
                name=f"sop_effect.{what}.{name}",
                value=100 * (found.truth + one.bias),
                unit=f"points; truth {_points(found.truth)}, its interval holds that in "
                f"{one.covered:.0%}",
            )
        report.add(
            name=f"sop_effect.naive.{name}.wrong",
            value=100 * (1 - found.plain.covered),
            unit="% of its intervals miss the truth",
            target=50.0,
        )


def _power(report, pool, trials: int) -> None:
    """As the table of science.md 7: one-sided 5 %, plain and with CUPED; and what the page says."""
    from gengyun.demo.simulator import sop_effect
    from gengyun.sop.calc.power import Plan, fixed_power, spread_of_share

    base = float(np.mean(pool.p_true))
    for share in SHARES:
        for size in SIZES:
            part = pool.first(size, seed=1)
            found = sop_effect.play(part, works=-0.5, share=share, trials=trials // 2)
            plan = Plan(share, spread_of_share(base), worth=0.1)
            said = fixed_power(
                plan,
                treat=size * (1 - share),
                holdout=size * share,
                effect=found.truth,
                level=0.90,
            )
            report.add(
                name=f"sop_effect.power.{share:.0%}.{size}".replace("%", ""),
                value=100 * found.exact.one_sided,
                unit=f"% one-sided; plain {found.plain.one_sided:.0%}, formula {said:.0%} without "
                "CUPED",
            )


def _points(share: float) -> str:
    return f"{100 * share:+.1f} points"
