"""`gengyun daily`: the whole judgement for a day or for a row of days."""

import json
from collections.abc import Iterator
from datetime import date, timedelta

import click

EVERY = ["day", "week", "month", "quarter"]


def days_between(first: date, last: date, every: str) -> Iterator[date]:
    """first, and then every day, week, month or quarter up to last; months keep the first's day."""
    if every in {"day", "week"}:
        step = timedelta(days=1 if every == "day" else 7)
        day = first
        while day <= last:
            yield day
            day += step
        return
    months = 1 if every == "month" else 3
    count = 0
    while (day := _month_later(first, count * months)) <= last:
        yield day
        count += 1


def _month_later(day: date, months: int) -> date:
    """The same day of a later month; the last day of a month that is too short."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    following = date(year + (month + 1) // 12, (month + 1) % 12 + 1, 1)
    return min(
        date(year, month + 1, 1) + timedelta(days=day.day - 1), following - timedelta(days=1)
    )


def chosen_days(as_of, first, last, every: str, today: date) -> list[date]:
    """The days to judge; a day after today is refused, for nothing is known of it."""
    if as_of and (first or last):
        raise click.UsageError("--as-of stands alone; for several days use --from, --to, --every")
    if last and not first:
        raise click.UsageError("--to needs --from")
    if first:
        days = list(days_between(first.date(), last.date() if last else today, every))
    else:
        days = [as_of.date() if as_of else today]
    if not days:
        raise click.UsageError("--to lies before --from")
    if days[-1] > today:
        raise click.UsageError(f"{days[-1]} is not here yet; the newest day is {today}")
    return days


def check_database() -> None:
    """Say what to do instead of failing on a missing table."""
    from django.db import connection

    if "customers_customer" not in connection.introspection.table_names():
        raise click.ClickException("there is no database yet: run `gengyun init` first")


DAY = click.DateTime(["%Y-%m-%d"])


@click.command("daily")
@click.option("--as-of", type=DAY, help="Judge this day (default: today in the company's zone).")
@click.option("--from", "first", type=DAY, help="First of several days.")
@click.option("--to", "last", type=DAY, help="Last of several days (default: today).")
@click.option("--every", type=click.Choice(EVERY), default="day", show_default=True)
@click.option("--again", is_flag=True, help="Judge days anew that are judged already.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a day.")
def command(*, as_of, first, last, every, again, as_json):
    """Judge a day: metrics, health and the summary of every customer, as known before that day.

    Run twice, nothing changes. A run that was killed goes on where it stopped; of several days,
    those that are done are skipped unless --again is given.
    """
    from gengyun.cli.main import setup

    setup()
    check_database()
    from gengyun.kernel.clock import utc_now
    from gengyun.kernel.days import day_of

    days = chosen_days(as_of, first, last, every, day_of(utc_now()))
    several = len(days) > 1
    for line in _judge_all(days, skip_done=several and not again, resume=not again):
        click.echo(json.dumps(line) if as_json else _sentence(line))


def _judge_all(days: list[date], *, skip_done: bool, resume: bool):
    """Judge the days in order, oldest first, showing progress on a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from gengyun.kernel.clock import utc_now
    from gengyun.kernel.day import judge_day
    from gengyun.kernel.models import DayRun
    from gengyun.usage.queries.usage_line import data_until

    done = set(DayRun.objects.filter(state=DayRun.State.DONE).values_list("as_of", flat=True))
    todo = [day for day in days if not (skip_done and day in done)]
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        whole = progress.add_task("days", total=len(todo))
        for day in todo:
            part = progress.add_task(f"{day}", total=None)

            def show(step, count, total, part=part, day=day):
                progress.update(part, description=f"{day} {step}", completed=count, total=total)

            run = judge_day(
                day, now=utc_now(), data_until=data_until(), on_progress=show, resume=resume
            )
            progress.remove_task(part)
            progress.advance(whole)
            yield _line(run)
    for day in days:
        if day not in todo:
            yield {"as_of": day.isoformat(), "state": "skipped"}


def _line(run) -> dict:
    from gengyun.health.queries.scores import scores_on

    scores = scores_on(run.as_of)
    bands = dict.fromkeys("ABCDN", 0)
    for _, band in scores.values():
        bands[band] += 1
    seconds = round((run.finished_at - run.started_at).total_seconds(), 2)
    return {
        "as_of": run.as_of.isoformat(),
        "state": run.state,
        "customers": len(scores),
        "bands": bands,
        "seconds": seconds,
    }


def _sentence(line: dict) -> str:
    if line["state"] == "skipped":
        return f"{line['as_of']}  judged before (--again judges anew)"
    bands = "  ".join(f"{name} {count}" for name, count in line["bands"].items())
    return f"{line['as_of']}  {line['customers']} customers  {bands}  {line['seconds']} s"
