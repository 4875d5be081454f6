"""Once a week: learn from what was decided, forecast the coming quarters, keep what was said."""

from collections import defaultdict
from datetime import date, datetime, timedelta

from django.db import transaction

from gengyun.revenue.calc.forecast import DRAWS
from gengyun.revenue.models import (
    ForecastFigure,
    ForecastRun,
    ForecastScope,
    ForecastSpan,
    Renewal,
)
from gengyun.revenue.queries.accuracy import outcomes_of_calls
from gengyun.revenue.queries.customer_value import learn_curves
from gengyun.revenue.queries.forecast import (
    SPAN,
    Expected,
    Row,
    expect,
    figures,
    next_period,
    period_code,
    quarter_start,
    said,
)
from gengyun.revenue.queries.odds import learn, told
from gengyun.revenue.queries.settings import current
from gengyun.team.models import Team, User

QUARTERS = 5  # the running one and four to come
MOST_DRAWN = 150_000_000  # renewals x draws of a run: a few seconds of the night
FEWEST_DRAWS = 500


def record_forecast(*, as_of: date, now: datetime) -> ForecastRun | None:
    """The run of the week of `as_of`, once; None where this week's is there already.

    Renewals stand as they did at `now`, so that a past night gives what it would have given.
    """
    monday = as_of - timedelta(days=as_of.weekday())
    if ForecastRun.objects.filter(as_of__gte=monday, as_of__lte=as_of).exists():
        return None
    found = learn(as_of)
    first = quarter_start(as_of)
    last = first
    for _ in range(QUARTERS):
        last = next_period(last, ForecastSpan.QUARTER)
    coming = Renewal.objects.filter(due_on__gte=first, due_on__lt=last)
    draws = max(FEWEST_DRAWS, min(DRAWS, MOST_DRAWN // max(coming.count(), 1)))
    made = expect(coming, as_of=as_of, using=found, draws=draws, teams=team_paths(), moment=now)
    with transaction.atomic():
        run = ForecastRun.objects.create(
            as_of=as_of,
            made_at=now,
            currency=made.currency,
            odds=told(found)
            | {
                # what categories came to: a call is compared with the churn model by it
                "calls": outcomes_of_calls(as_of),
                "curves": learn_curves(as_of, current().loss_grace_days),
                "from_model": made.from_model,
                "from_rates": made.from_rates,
            },
            draws=draws,
        )
        ForecastFigure.objects.bulk_create(_figures(run, made), batch_size=500)
    return run


def team_paths() -> dict[int, tuple[int, ...]]:
    """Owner -> their team with those above it, from the top."""
    above = dict(Team.objects.values_list("pk", "parent_id"))

    def path(team: int | None) -> tuple[int, ...]:
        found: list[int] = []
        while team is not None and team not in found:
            found.append(team)
            team = above.get(team)
        return tuple(reversed(found))

    return {pk: path(team) for pk, team in User.objects.values_list("pk", "team_id")}


def _figures(run: ForecastRun, made: Expected) -> list[ForecastFigure]:
    rows: list[ForecastFigure] = []
    groups = made.forecast.groups
    opinions = _opinions(made)
    for dimension, sums_by_code in groups.items():
        for code, sums in sums_by_code.items():
            named = _named(dimension, code, made)
            if named is None:
                continue
            scope, key, span, period_on = named
            opinion = said(opinions[scope, key, span, period_on])
            rows.append(
                ForecastFigure(
                    run=run,
                    scope=scope,
                    key=key,
                    span=span,
                    period_on=period_on,
                    said_minor=opinion.minor,
                    unjudged_count=opinion.unjudged,
                    **figures(sums),
                )
            )
    return rows


Place = tuple[str, int, str, date]


def _named(dimension: str, code: int, made: Expected) -> Place | None:
    """Which figure a group is; None: a group that is not kept."""
    if dimension in {"month", "quarter"}:
        return ForecastScope.ALL, 0, dimension, period_code(code, dimension)
    kind, _, _ = dimension.partition(":")
    key, quarter = divmod(code, SPAN)
    period_on = period_code(quarter, ForecastSpan.QUARTER)
    if kind == "owner_quarter":
        return ForecastScope.OWNER, made.owner_codes[key], ForecastSpan.QUARTER, period_on
    if kind == "tier_quarter":
        return ForecastScope.TIER, made.tier_codes[key], ForecastSpan.QUARTER, period_on
    if kind == "team_quarter":
        return ForecastScope.TEAM, key, ForecastSpan.QUARTER, period_on
    return None


def _opinions(made: Expected) -> dict[Place, list[Row]]:
    """The rows of every figure that is kept."""
    paths = team_paths()
    found: dict[Place, list[Row]] = defaultdict(list)
    for row in made.rows:
        quarter = quarter_start(row.due_on)
        found[ForecastScope.ALL, 0, ForecastSpan.MONTH, row.due_on.replace(day=1)].append(row)
        for scope, key in (
            (ForecastScope.ALL, 0),
            (ForecastScope.OWNER, row.owner_id or 0),
            (ForecastScope.TIER, row.tier_id or 0),
            *((ForecastScope.TEAM, team) for team in paths.get(row.owner_id or 0, ())),
        ):
            found[scope, key, ForecastSpan.QUARTER, quarter].append(row)
    return found
