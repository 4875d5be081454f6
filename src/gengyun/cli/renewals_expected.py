"""`gengyun renewals --expected`: the simulated forecast with its intervals, as on the page."""

import click

from gengyun.kernel.currencies import major

DEFINITION = (
    "sum over draws of what comes due: each open renewal renews with the chance that the churn "
    "model gives it, and where that says nothing with the rate of its kind (tier, first or later); "
    "renewals of a quarter share one effect, amounts change as earlier ones did, measured by the "
    "price asked where one was told; decided ones count as they came out. gross: of each renewal "
    "at most what comes due; expected NRR and GRR: expected and gross over due"
)


def expected(filters, days, as_of, today) -> dict:
    """As of today by simulation; `as_of`: what was said in the last weekly run up to that day."""
    return _recorded(days, filters, as_of) if as_of else _now(filters, days, today)


def _now(filters, days, today) -> dict:
    from gengyun.customers.models import Tier
    from gengyun.revenue.queries import forecast as queries
    from gengyun.revenue.queries.renewals import scoped
    from gengyun.team.models import User

    rows = scoped(None, filters).filter(due_on__gte=days[0], due_on__lte=days[1])
    found = queries.expect(rows, as_of=today)
    groups = found.forecast.groups
    people = dict(User.objects.filter(pk__in=found.owner_codes).values_list("pk", "email"))
    tiers = dict(Tier.objects.values_list("pk", "key"))
    return {
        "from": days[0].isoformat(),
        "to": days[1].isoformat(),
        "as_of": today.isoformat(),
        "currency": found.currency,
        "basis": "model" if found.forecast.from_model else "experience-based estimate",
        "definition": DEFINITION,
        "from_model": found.from_model,
        "from_rates": found.from_rates,
        "asked": found.asked,
        "draws": found.draws,
        "decided_so_far": found.learned.odds.decided,
        "stated_rate": found.learned.stated,
        "is_stated_rate_assumed": found.learned.is_assumed,
        "total": _sums(found.forecast.total),
        "without_five_largest": _sums(found.forecast.without_largest),
        "said": {"forecast_minor": found.said.minor, "unjudged": found.said.unjudged},
        "without_rate": found.without_rate,
        "month": _periods(groups["month"], "month"),
        "quarter": _periods(groups["quarter"], "quarter"),
        "owner": {
            people.get(found.owner_codes[code], ""): _sums(sums)
            for code, sums in groups["owner"].items()
        },
        "tier": {
            tiers.get(found.tier_codes[code], ""): _sums(sums)
            for code, sums in groups["tier"].items()
        },
    }


def _periods(group, span) -> dict:
    from gengyun.revenue.queries.forecast import period_code

    return {f"{period_code(code, span):%Y-%m}": _sums(sums) for code, sums in group.items()}


def _sums(sums) -> dict:
    return {
        "count": sums.count,
        "open": sums.open_count,
        "due_minor": sums.due_minor,
        "decided_minor": sums.settled_minor,
        "expected_minor": sums.expected_minor,
        "p10_minor": sums.p10_minor,
        "p50_minor": sums.p50_minor,
        "p90_minor": sums.p90_minor,
        "gross": {
            "decided_minor": sums.gross.settled_minor,
            "expected_minor": sums.gross.expected_minor,
            "p10_minor": sums.gross.p10_minor,
            "p50_minor": sums.gross.p50_minor,
            "p90_minor": sums.gross.p90_minor,
        },
        "nrr": sums.nrr,
        "grr": sums.grr,
    }


def _recorded(days, filters, as_of) -> dict:
    from gengyun.revenue.models import ForecastFigure, ForecastRun

    run = ForecastRun.objects.filter(as_of__lte=as_of).order_by("-as_of").first()
    if run is None:
        raise click.ClickException(f"no forecast was recorded up to {as_of}")
    scope = {"scope": "all", "key": 0}
    if filters.owner_id is not None:
        scope = {"scope": "owner", "key": filters.owner_id}
    rows = ForecastFigure.objects.filter(
        run=run, span="quarter", period_on__gte=days[0], period_on__lte=days[1], **scope
    )
    return {
        "from": days[0].isoformat(),
        "to": days[1].isoformat(),
        "as_of": run.as_of.isoformat(),
        "currency": run.currency,
        "basis": "recorded",
        "definition": DEFINITION,
        "draws": run.draws,
        "quarter": {
            f"{row.period_on:%Y-%m}": {
                "count": row.count,
                "open": row.open_count,
                "due_minor": row.due_minor,
                "decided_minor": row.settled_minor,
                "expected_minor": row.expected_minor,
                "p10_minor": row.p10_minor,
                "p50_minor": row.p50_minor,
                "p90_minor": row.p90_minor,
                "said_minor": row.said_minor,
                "unjudged": row.unjudged_count,
                "gross": {
                    "expected_minor": row.gross_expected_minor,
                    "p10_minor": row.gross_p10_minor,
                    "p50_minor": row.gross_p50_minor,
                    "p90_minor": row.gross_p90_minor,
                },
            }
            for row in rows
        },
    }


def print_expected(found: dict) -> None:
    click.echo(f"{found['from']} to {found['to']}, {found['currency']}: {found['basis']}")
    click.echo(f"as of {found['as_of']}, {found['draws']:,} draws")
    if "from_model" in found:
        click.echo(
            f"open renewals: {found['from_model']} with a probability of the churn model, "
            f"{found['from_rates']} with the rate of their kind; of {found['asked']} the price "
            "of the next term was told"
        )
    head = ("", "due", "decided", "expected", "P10", "P50", "P90")
    click.echo(f"{head[0]:32}" + "".join(f"{name:>16}" for name in head[1:]))
    for name in ("month", "quarter", "owner", "tier"):
        for key, sums in found.get(name, {}).items():
            _line(f"{name} {key}", sums, found["currency"])
    if "total" in found:
        _line("together", found["total"], found["currency"])
        _line("without the five largest", found["without_five_largest"], found["currency"])
        _line("gross: at most what is due", _gross(found["total"]), found["currency"])
        if found["total"]["nrr"] is not None:
            nrr, grr = found["total"]["nrr"], found["total"]["grr"]
            click.echo(f"expected NRR {nrr:.1%}, GRR {grr:.1%} (due-based)")


def _gross(total: dict) -> dict:
    return {"due_minor": total["due_minor"]} | total["gross"]


def _line(name: str, sums: dict, currency: str) -> None:
    columns = ("due", "decided", "expected", "p10", "p50", "p90")
    figures = "".join(f"{major(sums[f'{key}_minor'], currency):>16,}" for key in columns)
    click.echo(f"{name[:31]:32}{figures}")
