"""`gengyun sop`: what runs, what a day lets in, what a draft would do, why somebody is not in."""

import json
from collections import Counter

import click

from gengyun.cli.daily import check_database
from gengyun.cli.main import setup

DAY = click.DateTime(["%Y-%m-%d"])
as_json_option = click.option("--json", "as_json", is_flag=True, help="JSON, one object a line.")


@click.group("sop", invoke_without_command=True)
@click.pass_context
def command(context):
    """SOPs: list, carry out, try out, explain."""
    setup()
    if context.invoked_subcommand is None:
        check_database()
        context.invoke(list_)


@command.command("list")
@as_json_option
def list_(*, as_json=False):
    """Every SOP with its state and its runs."""
    check_database()
    from django.db.models import Count, Q

    from gengyun.sop.models import ACTIVE, Sop

    active = Q(runs__state__in=ACTIVE)
    rows = Sop.objects.annotate(
        under_way=Count("runs", filter=active & Q(runs__arm="treat")),
        held=Count("runs", filter=Q(runs__arm="holdout")),
        entered=Count("runs"),
    )
    for sop in rows:
        told = {"key": sop.key, "name": sop.name, "state": sop.state, "under_way": sop.under_way,
                "held_out": sop.held, "entered": sop.entered}  # fmt: skip
        if as_json:
            click.echo(json.dumps(told, ensure_ascii=False))
        else:
            click.echo(
                f"{sop.key:24} {sop.state:8} under way {sop.under_way:>7}  entered "
                f"{sop.entered:>7}  held out {sop.held:>6}  {sop.name}"
            )


@command.command("run")
@click.option("--as-of", type=DAY, help="The day whose entry is evaluated; today by default.")
@click.option("--steps-only", is_flag=True, help="Only carry on what is due; nobody enters.")
@as_json_option
def run(*, as_of, steps_only, as_json):
    """Let in whose turn it is, and carry every due run on to its next wait.

    Harmless to repeat, and beside workers: a run belongs to one of them at a time.
    """
    check_database()
    from gengyun.kernel.clock import utc_now
    from gengyun.kernel.days import day_of
    from gengyun.sop.actions.evaluate import evaluate
    from gengyun.sop.actions.turn import turn_all

    now = utc_now()
    day = as_of.date() if as_of else day_of(now)
    if day > day_of(now):
        raise click.UsageError(f"{day} is not here yet")
    entered = Counter() if steps_only else evaluate(now=now, day=day)
    if entered["skipped"]:
        raise click.UsageError(f"a day behind {day} was evaluated already: nobody entered")
    stepped = turn_all(now=utc_now(), worker="cli")
    told = {"day": day.isoformat(), "entry": dict(entered), "steps": dict(stepped)}
    if as_json:
        click.echo(json.dumps(told))
        return
    words = [f"{name} {count}" for name, count in sorted({**entered, **stepped}.items()) if count]
    click.echo(f"{day}  " + ("  ".join(words) or "nothing to do"))


@command.command("dry-run")
@click.argument("key")
@click.option("--as-of", type=DAY, help="Today by default.")
@click.option("--limit", default=20, show_default=True, help="How many participants to name.")
@as_json_option
def dry_run(*, key, as_of, limit, as_json):
    """What the draft of an SOP (or its published version) would do. Nothing is written."""
    check_database()
    from gengyun.kernel.clock import utc_now
    from gengyun.kernel.days import day_of
    from gengyun.sop.queries.dry_run import dry_run as run_dry
    from gengyun.sop.queries.known import known

    sop, version = _sop(key)
    day = as_of.date() if as_of else day_of(utc_now())
    found = run_dry(version.form, day=day, known=known(), sop=sop, shown=limit)
    if as_json:
        rows = [
            {"identity": row.participant.identity, "customer": row.participant.customer_id,
             "outcome": row.outcome, "steps": [step for step, _ in row.steps],
             "until": row.until and row.until.isoformat(), **row.told}
            for row in found.rows
        ]  # fmt: skip
        told = {"day": day.isoformat(), "customers": found.total, "fitting": found.fitting,
                "counts": found.counts, "first_day": found.first_day, "rows": rows,
                "problems": [[one.path, one.msgid] for one in found.problems]}  # fmt: skip
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    for problem in found.problems:
        click.echo(f"problem  {problem.path}: {problem.msgid % dict(problem.params)}")
    counts = "  ".join(f"{name} {count}" for name, count in sorted(found.counts.items()))
    click.echo(f"{day}  {found.fitting} of {found.total} customers fulfil the entry  {counts}")
    for (part, holds), count in found.why_not.most_common():
        what = "the condition" if part < 0 else f"part {part + 1}"
        why_not = "is unknown" if holds is None else "does not hold"
        click.echo(f"not in   {count:>7}  {what} {why_not}")
    for row in found.rows:
        steps = " > ".join(step for step, _ in row.steps)
        click.echo(f"{row.outcome:9} {row.participant.identity:16} {steps}")


@command.command("why")
@click.argument("key")
@click.argument("customer")
@as_json_option
def why(*, key, customer, as_json):
    """Why a customer (by its external id) is in an SOP or not, and what it got."""
    check_database()
    from gengyun.customers.models import Customer
    from gengyun.kernel.clock import utc_now
    from gengyun.kernel.days import day_of
    from gengyun.sop.queries.why import why as explain

    sop, _ = _sop(key)
    row = Customer.objects.filter(external_id=customer).first()
    if row is None:
        raise click.UsageError(f"there is no customer {customer}")
    found = explain(sop, row, day=day_of(utc_now()), actor=None)
    leaves = [
        {"condition": one.leaf.as_json(), "holds": one.holds, "value": one.value}
        for one in found.said
    ]
    if as_json:
        told = {"outcome": found.outcome, "told": found.told, "since": found.since,
                "leaves": leaves, "runs": [_run(one, found) for one in found.runs]}  # fmt: skip
        click.echo(json.dumps(told, ensure_ascii=False, default=str))
        return
    click.echo(f"{found.outcome}  " + "  ".join(f"{k} {v}" for k, v in found.told.items()))
    for leaf in leaves:
        mark = {True: "yes", False: "no", None: "unknown"}[leaf["holds"]]
        condition = json.dumps(leaf["condition"], ensure_ascii=False)
        click.echo(f"  {mark:8} {condition}  is {leaf['value']}")
    for one in found.runs:
        click.echo(f"run {one.pk}  {one.entered_on}  {one.arm}  {one.state} {one.end_reason}")
        for line in found.lines[one.pk]:
            click.echo(f"  {line.at:%Y-%m-%d %H:%M}  {line.step_key}  {line.state} {line.reason}")


@command.command("log")
@click.argument("key")
@click.option("--limit", default=50, show_default=True, help="How many of the newest lines.")
@as_json_option
def log(*, key, limit, as_json):
    """What was done and not done, the newest first: every step with its reason."""
    check_database()
    from gengyun.sop.models import StepRun

    sop, _ = _sop(key)
    rows = StepRun.objects.filter(run__sop=sop).select_related("run__customer")
    for line in rows.order_by("-at", "-pk")[: max(limit, 0)]:
        if as_json:
            told = {"at": line.at.isoformat(), "run": line.run_id, "step": line.step_key,
                    "customer": line.run.customer.external_id, "state": line.state,
                    "reason": line.reason, "told": line.told, "ref": line.ref}  # fmt: skip
            click.echo(json.dumps(told, ensure_ascii=False))
        else:
            click.echo(
                f"{line.at:%Y-%m-%d %H:%M}  run {line.run_id}  {line.run.customer.name}  "
                f"{line.step_key}  {line.state} {line.reason} {line.ref}".rstrip()
            )


def _run(one, found) -> dict:
    return {
        "id": one.pk, "version": one.version.number, "arm": one.arm, "state": one.state,
        "entered_on": one.entered_on, "end_reason": one.end_reason,
        "steps": [
            {"at": line.at, "step": line.step_key, "state": line.state, "reason": line.reason,
             "told": line.told}
            for line in found.lines[one.pk]
        ],
    }  # fmt: skip


def _sop(key: str):
    """The SOP with its draft, or its published version."""
    from gengyun.sop.models import Sop, SopVersion

    sop = Sop.objects.filter(key=key).first()
    if sop is None:
        raise click.UsageError(f"there is no SOP {key}; see `gengyun sop list`")
    rows = SopVersion.objects.filter(sop=sop).exclude(state=SopVersion.State.RETIRED)
    version = rows.order_by("-number").first()
    if version is None:
        raise click.UsageError(f"{key} has neither a draft nor a published version")
    return sop, version
