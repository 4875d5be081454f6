"""`gengyun churn backtest`: the report of the page, made now and printed."""

import json

import click

from gengyun.cli.daily import check_database
from gengyun.cli.main import setup

METHODS = (
    ("model", "churn model"),
    ("plain_logistic", "plain logistic"),
    ("health", "health alone"),
    ("csm", "CSM category"),
    ("base_rate", "rate of the tier"),
)


@click.command("backtest")
@click.option("--last", is_flag=True, help="Print the newest report instead of making one.")
@click.option("--json", "as_json", is_flag=True, help="The whole report as one JSON object.")
def command(*, last, as_json):
    """How right the churn probability would have been: by quarter, among what came due only.

    At each cut-off a model is learned from what was known before it and asked about the quarter
    after it. The report is kept and stands on the page Insight > Churn probability.
    """
    setup()
    check_database()
    from gengyun.churn.queries.backtests import newest_done
    from gengyun.churn.queries.settings import current, event_of

    found = newest_done(event_of(current())) if last else _made(quiet=as_json)
    if found is None:
        raise click.ClickException("no report yet: run `gengyun churn backtest`")
    if as_json:
        click.echo(json.dumps(found.result | {"id": found.pk}, ensure_ascii=False))
    else:
        _tell(found.result)


def _made(*, quiet: bool):
    from gengyun.churn.actions.backtest import ask_backtest, fail_backtest
    from gengyun.churn.actions.backtest_run import run_backtest
    from gengyun.kernel.clock import utc_now

    asked, _is_new = ask_backtest(actor=None, now=utc_now())
    try:
        return run_backtest(asked.pk, now=utc_now(), report=None if quiet else _progress)
    except BaseException as error:  # Ctrl-C too: nothing may stay "running" that nobody works on
        fail_backtest(asked.pk, now=utc_now(), error=repr(error))
        raise


def _progress(done: int, total: int) -> None:
    click.echo(f"\r{done} of {total} models", nl=done == total, err=True)


def _tell(report: dict) -> None:
    counts, settings = report["counts"], report["settings"]
    event = "not renewed" if report["event"] == "non_renewal" else "falls silent"
    click.echo(
        f"{event}, {settings['lead']} days before; data until {report['as_of']}; "
        f"{len(report['cutoffs'])} cut-offs"
    )
    click.echo(
        f"{counts['outcomes']} outcomes, {counts['events']} lost, due {counts['due_from']} to "
        f"{counts['due_to']}"
    )
    if report.get("refused"):
        click.echo(f"too few losses to say anything: under {report['least']}")
        return
    heads = ("AUC", "95%", "lift 10%", "Brier", "skill", "ECE", "slope")
    click.echo(f"{'':18}" + "".join(f"{head:>12}" for head in heads))
    for key, name in METHODS:
        if (own := report["methods"][key]) is None:
            click.echo(f"{name:18}{'nothing was known then':>36}")
            continue
        auc = own["auc"]
        cells = (
            _number(auc["value"]),
            f"{_number(auc['low'], 2)}-{_number(auc['high'], 2)}",
            *(_number(own[name]["value"]) for name in ("lift10", "brier", "skill", "ece", "slope")),
        )
        click.echo(f"{name:18}" + "".join(f"{cell:>12}" for cell in cells))
    _tell_parts(report)


def _tell_parts(report: dict) -> None:
    from gengyun.churn.calc import trust

    for key in ("by_tier", "by_lag", "by_quarter"):
        for part in report[key]:
            click.echo(
                f"{key[3:]} {part['key'] or 'none'!s:14} {part['outcomes']:>6} outcomes "
                f"{part['events']:>5} lost  said {_number(part['said'])} came "
                f"{_number(part['came'])}  AUC {_number(part['auc']['value'])}"
            )
    budget = report["budget"]["model"]
    click.echo(
        f"at {report['settings']['per_100']:g} new per 100 customers and month: "
        f"{budget['told']} told of, precision {_number(budget['precision'])}, "
        f"recall {_number(budget['recall'])}, {_number(budget['lead_days'], 0)} days ahead"
    )
    click.echo(f"verdict: {trust.verdict(report)}")
    for one in trust.reservations(report):
        rest = {name: value for name, value in one.items() if name != "kind"}
        click.echo(f"  {one['kind']} {json.dumps(rest, ensure_ascii=False)}")


def _number(value: float | None, digits: int = 3) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
