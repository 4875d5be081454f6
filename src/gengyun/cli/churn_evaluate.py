"""`gengyun churn evaluate`: what the ladder is worth on any table of customers, beside its control.

Reads a file and nothing else: no database, nothing kept.
"""

import csv
import gzip
import io
import json
from pathlib import Path

import click

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
    from gengyun.churn.calc.file_columns import Asked, NotReadable, read_table

    if asked["when"] is None and (after or before):
        raise click.UsageError("--after and --before need --when")
    columns = read_csv(file)
    asked["horizon_days"] = asked.pop("horizon")
    if duration:
        asked["exclude"] = (*asked["exclude"], duration)
    try:
        reading = read_table(columns, Asked(**asked))
    except NotReadable as error:
        raise click.ClickException(str(error)) from error
    table = reading.table
    if not 0 < np.nansum(table.y) < table.decided.sum():
        raise click.ClickException("every row has the same outcome: nothing to learn")
    result = {
        "file": file.name,
        "rows": int(table.decided.sum()),
        "lost": int(np.nansum(table.y)),
        "columns": list(table.keys),
        "left_out": reading.left_out,
        "warned": reading.warned,
        "runs": [],
    }
    if after:
        start = np.datetime64(after.date())
        split = calc.time_split(
            table, before=np.datetime64(before.date()) if before else start, after=start
        )
        if not len(split.train) or not len(split.judged):
            raise click.ClickException("no rows are left on one side of the day")
        plans = [(f"before {start}, judged from then on", [split])]
    else:
        plans = [
            (f"{rows} rows", calc.size_splits(table, size=rows, repeats=repeats, seed=seed))
            for rows in size
            if rows < table.decided.sum()
        ]
        every = calc.fold_splits(table, folds=folds, repeats=repeats, seed=seed)
        plans.append((f"{folds} folds x {repeats}", every))
    for name, splits in plans:
        found = calc.judge(table, splits, seed=seed)
        result["runs"].append(_run(name, table, splits, found))
    if duration:
        result["survival"] = _survival(table, columns[duration], repeats, seed)
    click.echo(json.dumps(result, ensure_ascii=False)) if as_json else _tell(result)


def read_csv(file: Path) -> dict[str, list[str]]:
    """Column -> cells."""
    raw = file.read_bytes()
    text = (gzip.decompress(raw) if file.suffix == ".gz" else raw).decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text, newline="")))
    if len(rows) < 2:
        raise click.ClickException("the file holds no rows")
    head, body = rows[0], [row for row in rows[1:] if len(row) == len(rows[0])]
    return {name: [row[at] for row in body] for at, name in enumerate(head)}


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

    from gengyun.churn.calc.survival import judged_survival

    time = np.array([float(cell) if cell.strip() else np.nan for cell in cells])
    found = [judged_survival(table, time, seed=seed + at) for at in range(repeats)]
    return {"concordance": [c for c, _ in found], "integrated_brier": [b for _, b in found]}


def _tell(result) -> None:
    click.echo(
        f"{result['file']}: {result['rows']} rows, {result['lost']} lost, "
        f"{len(result['columns'])} inputs"
    )
    for kind, text in (("left_out", "left out"), ("warned", "look at")):
        for column, reason in result[kind].items():
            click.echo(f"  {text}: {column} ({WHY[reason]})")
    for run in result["runs"]:
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
    if "survival" in result:
        for name, values in result["survival"].items():
            click.echo(f"  {name}: " + ", ".join(f"{value:.4f}" for value in values))
