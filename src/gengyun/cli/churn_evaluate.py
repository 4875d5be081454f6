"""`gengyun churn evaluate`: what the ladder is worth on any table of customers, beside its control.

Reads a file and nothing else: no database, nothing kept.
"""

import json
from pathlib import Path

import click

from gengyun.cli.churn_evaluate_file import read_cells

DAY = click.DateTime(["%Y-%m-%d"])
SHOWN = ("auc", "average_precision", "brier", "log_loss", "ece", "slope", "lift_10")
WHY = {
    "names_the_row": "names the row",
    "always_the_same": "always the same",
    "a_day": "a day, without --when to count from",
    "too_many_words": "words too rare to learn from",
    "says_the_outcome": "its name says the outcome",
    "tells_the_outcome": "tells the outcome almost alone",
    "nearly_tells_the_outcome": "comes near to telling the outcome: was it known beforehand?",
    "status": "may be set when the outcome is known",
    "product": "is two other columns multiplied: was it added up until the outcome?",
}


@click.command("evaluate")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--outcome", required=True, help="Column that says whether the customer was lost.")
@click.option("--lost", help="The value of it that means lost (default: 1, yes, true, 流失 …).")
@click.option("--entity", help="Column that names the customer, where one has several rows.")
@click.option("--when", help="Column with the day of the row.")
@click.option("--horizon", default=0, show_default=True, help="Days after which it is decided.")
@click.option("--after", type=DAY, help="Judge rows from this day on; learn from what was decided.")
@click.option("--before", type=DAY, help="Learn only from rows before this day (default --after).")
@click.option("--exclude", multiple=True, help="Leave this column out. May be repeated.")
@click.option("--keep", multiple=True, help="Use this column although it seems to tell.")
@click.option("--risk", multiple=True, help="More of this column (or column=word) is more risk.")
@click.option("--safe", multiple=True, help="More of this column (or column=word) is less risk.")
@click.option("--size", multiple=True, type=click.IntRange(50), help="Learn from so many rows.")
@click.option("--repeats", default=3, show_default=True, type=click.IntRange(1, 50))
@click.option("--folds", default=5, show_default=True, type=click.IntRange(2, 20))
@click.option("--duration", help="Column with periods stayed: also judge how long customers stay.")
@click.option("--seed", default=1, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def evaluate(
    *, file, after, before, size, repeats, folds, duration, seed, as_json, **asked
) -> None:
    """Learn and judge on FILE (CSV, may be .gz): the ladder beside the plain logistic.

    With --after one split in time, with intervals over customers; else folds of customers, several
    times over, with --size also small training sets. Columns that name rows or tell the outcome
    are left out and named.
    """
    import numpy as np

    from gengyun.churn.calc import evaluate as calc

    if asked["when"] is None and (after or before):
        raise click.UsageError("--after and --before need --when")
    if before and not after:
        raise click.UsageError("--before needs --after")
    if size and after:
        raise click.UsageError("--size goes with folds, not with --after")
    cells = read_cells(file)
    asked["horizon_days"] = asked.pop("horizon")
    reading = _read(cells.columns, asked, duration)
    table = reading.table
    unknown = int((~table.decided).sum())
    if not 0 < np.nansum(table.y) < table.decided.sum():
        without = f" ({unknown} rows have none)" if unknown else ""
        raise click.ClickException(f"every row has the same outcome{without}: nothing to learn")
    result = {
        "file": file.name,
        "rows": int(table.decided.sum()),
        "lost": int(np.nansum(table.y)),
        "unknown_outcomes": unknown,
        "ragged_rows": cells.ragged,
        "columns": list(table.keys),
        "left_out": reading.left_out,
        "warned": reading.warned,
        "runs": [],
    }
    if after:
        plans = [_in_time(table, after, before)]
    else:
        plans = _in_parts(table, size=size, folds=folds, repeats=repeats, seed=seed)
    for name, splits in plans:
        report = _progress(name)
        report(0, len(splits))
        found = calc.judge(table, splits, seed=seed, report=report)
        result["runs"].append(_run(name, table, splits, found))
    if duration:
        result["survival"] = _survival(table, cells.columns[duration], repeats, seed)
    click.echo(json.dumps(result, ensure_ascii=False)) if as_json else _tell(result)


def read_csv(file: Path) -> dict[str, list[str]]:
    """Column -> cells."""
    return read_cells(file).columns


def _read(columns, asked, duration):
    from gengyun.churn.calc import file_columns as calc

    try:
        if duration and duration not in columns:
            raise calc.no_column(duration, columns, "--duration")
        calc.check_names(columns, calc.Asked(**asked))
        if duration:
            asked["exclude"] = (*asked["exclude"], duration)
        reading = calc.read_table(columns, calc.Asked(**asked))
        calc.check_directions(reading, columns, calc.Asked(**asked))
    except calc.NotReadable as error:
        raise click.ClickException(str(error)) from error
    return reading


def _in_time(table, after, before):
    import numpy as np

    from gengyun.churn.calc.evaluate import time_split

    start = np.datetime64(after.date())
    until = np.datetime64(before.date()) if before else start
    split = time_split(table, before=until, after=start)
    if not len(split.train) or not len(split.judged):
        raise click.ClickException("no rows are left on one side of the day")
    return f"before {start}, judged from then on", [split]


def _in_parts(table, *, size, folds, repeats, seed):
    import numpy as np

    from gengyun.churn.calc.evaluate import fold_splits, size_splits

    customers = len(np.unique(table.account[table.decided]))
    if folds > customers:
        raise click.ClickException(f"--folds {folds}: there are only {customers} customers")
    plans = []
    for rows in size:
        splits = size_splits(table, size=rows, repeats=repeats, seed=seed)
        # whole customers are drawn, so a few rows below all may already take everybody
        if rows >= table.decided.sum() or not all(len(split.judged) for split in splits):
            raise click.ClickException(
                f"--size {rows}: of the {table.decided.sum()} rows whose outcome is known none "
                "would be left to judge on; ask for fewer"
            )
        plans.append((f"{rows} rows", splits))
    every = fold_splits(table, folds=folds, repeats=repeats, seed=seed)
    return [*plans, (f"{folds} folds x {repeats}", every)]


def _progress(name):
    def report(done: int, total: int) -> None:
        click.echo(f"\r{name}: {done} of {total} learned and judged", nl=done == total, err=True)

    return report


def _run(name, table, splits, found) -> dict:
    from gengyun.churn.calc.evaluate import PLAIN, intervals

    methods = list(found.scores[0])
    told = {
        "name": name,
        "learned_rows": int(sum(len(split.train) for split in splits) / len(splits)),
        "events": found.events,
        "rungs": found.rungs,
        "notes": [note.key for note in found.last.notes],
        "scores": {
            method: {
                score: {
                    "mean": found.mean(score, method),
                    "sd": float(found.values(score, method).std()),
                }
                for score in SHOWN
            }
            for method in methods
        },
        "beside_plain": {score: found.gain(score, PLAIN) for score in SHOWN},
    }
    if len(splits) == 1:
        told["intervals"] = intervals(table, found, ("auc", "brier", "ece"))
    return told


def _survival(table, cells, repeats, seed) -> dict:
    """65 / 35: Harrell's C and the integrated Brier score of discrete-time hazards."""
    import numpy as np

    from gengyun.churn.calc.file_cells import cleaned, number
    from gengyun.churn.calc.survival import judged_survival

    time = np.array([number(cell) for cell in cleaned(cells)])
    if not (time > 0).any():
        raise click.ClickException("the column of --duration holds no number of periods")
    found = [judged_survival(table, time, seed=seed + at) for at in range(repeats)]
    return {"concordance": [c for c, _ in found], "integrated_brier": [b for _, b in found]}


def _tell(result) -> None:
    click.echo(
        f"{result['file']}: {result['rows']} rows, {result['lost']} lost, "
        f"{len(result['columns'])} inputs"
    )
    for key, text in (
        ("unknown_outcomes", "rows left out, their outcome is not known"),
        ("ragged_rows", "rows left out, they have more or fewer cells than the first line"),
    ):
        if result[key]:
            click.echo(f"  {text}: {result[key]}")
    for kind, text in (("left_out", "left out"), ("warned", "look at")):
        for column, reason in result[kind].items():
            click.echo(f"  {text}: {column} ({WHY[reason]})")
    _tell_runs(result["runs"])
    if "survival" in result:
        for name, values in result["survival"].items():
            click.echo(f"  {name}: " + ", ".join(f"{value:.4f}" for value in values))


def _tell_runs(runs) -> None:
    for run in runs:
        rungs = ", ".join(
            f"{rung} x{run['rungs'].count(rung)}" for rung in sorted(set(run["rungs"]))
        )
        events = f"{min(run['events'])}-{max(run['events'])}"
        click.echo(
            f"\n{run['name']}: {run['learned_rows']} rows, {events} losses learned from; {rungs}"
        )
        click.echo("  " + " " * 16 + "".join(f"{score:>20}" for score in SHOWN))
        for method, scores in run["scores"].items():
            cells = [f"{scores[s]['mean']:.4f} ± {scores[s]['sd']:.4f}" for s in SHOWN]
            click.echo(f"  {method:<16}" + "".join(f"{cell:>20}" for cell in cells))
        gains = [f"{gain:+.4f} ({error:.4f})" for gain, error in run["beside_plain"].values()]
        click.echo(f"  {'model - plain':<16}" + "".join(f"{cell:>20}" for cell in gains))
        for method, spans in run.get("intervals", {}).items():
            texts = [f"{score} {low:.3f} … {high:.3f}" for score, (low, high) in spans.items()]
            click.echo(f"  95 % over customers, {method}: " + ", ".join(texts))
        for note in run["notes"]:
            click.echo(f"  note: {note}")
