"""`gengyun revenue`: a metric of revenue by period, with its definition and what it is made of."""

import json
from datetime import date
from decimal import Decimal

import click

from gengyun.cli.main import setup
from gengyun.cli.revenue_figures import plain
from gengyun.cli.revenue_today import IGNORED, LISTS, definition

# the names are those of revenue.queries.answers.METRICS; a test holds them equal
METRICS = (
    "waterfall",
    "nrr",
    "grr",
    "logo-retention",
    "renewal-rate",
    "quick-ratio",
    "arpa",
    "ltv",
    "ltv-curve",
    "cac",
    "payback",
    "ltv-cac",
    "cohorts",
    "concentration",
    "tcv",
    "repeat-purchase",
)
COUNTS = {
    "customers", "start_count", "left_count", "due_count", "renewed_count", "open_count",
    "late_count", "is_mature", "won_customers", "contracts", "age", "size", "lives",
    "alpha", "beta", "retention_1", "retention_3", "cohort",
}  # fmt: skip

NARROWEST = 16  # characters a column takes


class Day(click.ParamType):
    """A day, or a month: its first day, or its last one."""

    name = "day"

    def __init__(self, *, is_last: bool = False) -> None:
        self.is_last = is_last

    def convert(self, value, param, ctx):
        if isinstance(value, date):
            return value
        try:
            if len(value) != len("2026-01"):
                return date.fromisoformat(value)
            first = date.fromisoformat(f"{value}-01")
        except ValueError:
            self.fail(f"{value}: write YYYY-MM-DD or YYYY-MM", param, ctx)
        after = date(first.year + first.month // 12, first.month % 12 + 1, 1)
        return date.fromordinal(after.toordinal() - 1) if self.is_last else first


@click.command("revenue")
@click.argument("metric", type=click.Choice([*METRICS, *LISTS]))
@click.option("--from", "since", type=Day(), help="First day or month (default: a year ago).")
@click.option("--to", "until", type=Day(is_last=True), help="Last day or month (default: today).")
@click.option(
    "--grain",
    type=click.Choice(["month", "quarter", "year"]),
    default="month",
    show_default=True,
    help="How long a period is.",
)
@click.option(
    "--window",
    type=click.IntRange(0, 60),
    default=12,
    show_default=True,
    help="Months that retention looks back from a period's end; 0: each period by itself.",
)
@click.option(
    "--policy",
    "policies",
    multiple=True,
    metavar="KEY=CHOICE",
    help="A convention other than the company's; may be repeated. See --policies.",
)
@click.option(
    "--by",
    type=click.Choice(["tier", "owner", "product", "industry", "region"]),
    default=None,
    help="Split each period.",
)
@click.option("--known", type=Day(is_last=True), help="As it was known at the end of this day.")
@click.option("--policies", "list_policies", is_flag=True, help="List the conventions of METRIC.")
@click.option("--lang", type=click.Choice(["zh", "en"]), default="zh", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def command(
    *, metric, since, until, grain, window, policies, by, known, list_policies, lang, as_json
):
    """Show a metric of revenue, and say how it is defined.

    Every amount is the sum of ARR movements; what cannot be computed says why and is never 0.
    """
    setup()
    from django.utils import translation

    from gengyun.revenue.queries.answers import METRICS as ASKABLE
    from gengyun.revenue.queries.answers import Question, ask
    from gengyun.revenue.queries.settings import policy as company_policy

    with translation.override({"zh": "zh-hans", "en": "en"}[lang]):
        wanted = _policy(policies, company_policy())
        if list_policies:
            if metric in ASKABLE:
                _show_policies(ASKABLE[metric], wanted)
            return
        question = Question(
            actor=None,
            spans=_spans(since, until, grain),
            policy=wanted,
            as_of=known or _today(),
            known=known,
            by=by or "",
            window=window or None,
        )
        if metric in LISTS:
            _refuse_ignored(metric, by=by, policies=policies, known=known, since=since)
            _show_list(metric, question, as_json=as_json)
            return
        rows = ask(metric, question)
        currency = _currency()
        if as_json:
            for row in rows:
                click.echo(_line(metric, row, currency, ASKABLE[metric], wanted))
        else:
            _show_table(metric, rows, currency, ASKABLE[metric], wanted, lang)
        _say_left_out(question.without_rate)


def _say_left_out(without_rate) -> None:
    """To the terminal, not into what programs read."""
    from django.utils.translation import gettext

    for code, count in sorted(without_rate.items()):
        told = gettext(
            "%(count)s rows in %(currency)s are left out of the amounts: no exchange rate is "
            "known. Enter one under Settings, Revenue."
        )
        click.echo(told % {"count": count, "currency": code}, err=True)


def _refuse_ignored(metric: str, **given) -> None:
    """What a list cannot follow is said, not dropped."""
    names = {"by": "--by", "policies": "--policy", "known": "--known", "since": "--from"}
    for key in [one for one in names if given[one] and one in IGNORED[metric]]:
        raise click.UsageError(f"{names[key]} does not go with {metric}: {IGNORED[metric][key]}")


def _show_list(metric: str, question, *, as_json: bool) -> None:
    """One row per customer, person or step, as of the day asked."""
    from django.utils.translation import gettext
    from rich.console import Console
    from rich.table import Table

    rows = LISTS[metric](question)
    told = definition(metric)
    if as_json:
        for row in rows:
            line = {"metric": metric, "as_of": question.as_of.isoformat()} | row
            click.echo(json.dumps(line | {"definition": told}, ensure_ascii=False))
        return
    table = Table(*(rows[0] if rows else ()), title=metric)
    for row in rows:
        table.add_row(*(_cell(value) for value in row.values()))
    console = Console()
    Console(width=max(console.width, NARROWEST * len(table.columns))).print(table)
    click.echo(gettext(told))


def _cell(value) -> str:
    if isinstance(value, dict):
        value = value["value"]
    return "-" if value is None else f"{value:,.3f}" if isinstance(value, float) else str(value)


def _policy(pairs, usual):
    from gengyun.revenue.calc.policies import PolicyUnknown, choose

    chosen = {}
    for pair in pairs:
        key, found, value = pair.partition("=")
        if not found:
            raise click.UsageError(f"--policy {pair}: write KEY=CHOICE")
        chosen[key.strip()] = value.strip()
    try:
        return choose(chosen, usual)
    except PolicyUnknown as error:
        raise click.UsageError(str(error)) from None


def _today() -> date:
    from gengyun.kernel.clock import utc_now
    from gengyun.kernel.days import day_of

    return day_of(utc_now())


def _spans(since: date | None, until: date | None, grain: str):
    from gengyun.revenue.calc.spans import first_of, spans, stepped

    last = until or _today()
    first = since or stepped("month", first_of("month", last), -11)
    if first > last:
        raise click.UsageError("--from lies after --to")
    return spans(grain, first, last)


def _currency() -> str:
    from gengyun.revenue.queries.settings import current

    return current().base_currency


# ---- for programs


def _line(metric: str, row, currency: str, of, policy) -> str:
    values = {name: plain(value) for name, value in row.values.items()}
    told = {
        "metric": metric,
        "period": row.span.key,
        "from": row.span.start.isoformat(),
        "to": row.span.end.isoformat(),
        "is_open": row.span.is_open,
        **({"segment": row.segment, "segment_name": row.segment_names[0]} if row.segment else {}),
        "currency": currency,
        **values,
        "policy": policy.chosen(*of.keys),
        "definition": of.definition,
    }
    return json.dumps(told, ensure_ascii=False)


# ---- for people


def _show_policies(of, policy) -> None:
    from django.utils.translation import gettext
    from rich.console import Console
    from rich.table import Table

    from gengyun.revenue.calc.policies import choices, sentence

    table = Table("policy", "choice", "", "")
    for key in of.keys:
        now = str(getattr(policy, key))
        for value in choices(key) or (now,):
            text, params = sentence(key, value)
            table.add_row(key, value, "*" if value == now else "", gettext(text) % params)
    Console().print(table)


def _show_table(metric: str, rows, currency: str, of, policy, lang: str) -> None:  # noqa: PLR0917
    from django.utils.translation import gettext
    from rich.console import Console
    from rich.table import Table

    from gengyun.revenue.calc.policies import sentence

    names = list(dict.fromkeys(name for row in rows for name in row.values))
    # a column without anything in it is left out
    shown = [name for name in names if any(row.values.get(name) for row in rows)]
    table = Table(title=f"{metric} ({currency})")
    table.add_column("")
    by_segment = any(row.segment for row in rows)
    if by_segment:
        table.add_column("")
    for name in shown:
        table.add_column(name, justify="right")
    for row in rows:
        cells = [_text(name, row.values.get(name), currency) for name in shown]
        segment = [row.segment_names[0 if lang == "zh" else 1]] if by_segment else []
        table.add_row(row.span.key + ("…" if row.span.is_open else ""), *segment, *cells)
    console = Console()
    # a table that is cut says nothing
    Console(width=max(console.width, NARROWEST * (2 + len(shown)))).print(table)
    click.echo(gettext(of.definition))
    for key, value in policy.chosen(*of.keys).items():
        text, params = sentence(key, value)
        click.echo(f"- {key}={value}: {gettext(text) % params}")
    reasons = {
        gettext(value.reason) % value.params if value.params else gettext(value.reason)
        for row in rows
        for value in row.values.values()
        if getattr(value, "reason", "")
    }
    for reason in sorted(reasons):
        click.echo(f"-: {reason}")


def _text(name: str, value, currency: str) -> str:
    from gengyun.revenue.calc.figure import Figure

    unit = value.unit if isinstance(value, Figure) else "count" if name in COUNTS else "money"
    value = value.value if isinstance(value, Figure) else value
    if value is None:
        return "-"
    if unit == "share":
        return f"{value:.1%}"
    if unit == "money":
        return _money(Decimal(value), currency)
    return str(value) if unit == "count" else f"{value:,.2f}"


def _money(minor: Decimal, currency: str) -> str:
    from gengyun.kernel.currencies import DECIMALS

    return f"{minor.scaleb(-DECIMALS.get(currency, 2)):,.0f}"
