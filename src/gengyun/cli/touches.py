"""`gengyun touches`: messages to customers; what was sent and what not, and mail that came back."""

import json
import mailbox
import sys
from pathlib import Path

import click

from gengyun.cli.daily import check_database
from gengyun.cli.main import setup


@click.group("touches", invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="JSON, one object.")
@click.pass_context
def command(context, *, as_json):
    """Messages to customers: how many by state, and why the others were not sent (30 days)."""
    setup()
    if context.invoked_subcommand:  # which asks for the database itself, after its own --help
        return
    check_database()
    from gengyun.engagement.queries.touches import Filters, counts, ledger, reasons
    from gengyun.kernel.clock import utc_now

    rows = ledger(None, Filters())
    by_tab, why = counts(rows), reasons(rows, utc_now())
    if as_json:
        click.echo(json.dumps({"counts": by_tab, "not_sent_30d": dict(why)}))
        return
    for tab, count in by_tab.items():
        click.echo(f"{tab:<10} {count:>9,}")
    for reason, count in why:
        click.echo(f"  not sent: {reason:<16} {count:>9,}")


@command.command("send")
def send():
    """Send what is due now, once; the worker does this by itself every minute."""
    check_database()
    from gengyun.engagement.actions.touch_sending import send_due
    from gengyun.kernel.clock import utc_now

    found = send_due(now=utc_now(), clock=utc_now)
    click.echo("  ".join(f"{name} {count:,}" for name, count in found.items()))


@command.command("bounces")
@click.argument("sources", nargs=-1, required=True, type=click.Path(allow_dash=True))
def bounces(sources):
    """Read mail that came back: .eml files, mbox files, Maildir folders, or - for one message
    from standard input (as a mail server hands it to a program). Reading the same twice is
    harmless."""
    check_database()
    from gengyun.engagement.actions.bounces import take_bounce
    from gengyun.kernel.clock import utc_now

    seen, counts = 0, {}
    for source in sources:
        for raw in _messages(source):
            seen += 1
            found = take_bounce(now=utc_now(), raw=raw)
            kind = found[0].kind if found else "other"
            counts[kind] = counts.get(kind, 0) + 1
    told = "  ".join(f"{kind} {count:,}" for kind, count in sorted(counts.items()))
    click.echo(f"{seen:,} read  {told}".rstrip())


def _messages(source):
    if source == "-":
        yield sys.stdin.buffer.read()
        return
    path = Path(source)
    if not path.exists():
        raise click.UsageError(f"{source} is not there")
    if path.is_dir():
        for file in sorted(path.rglob("*")):
            if file.is_file() and not file.name.startswith("."):
                yield file.read_bytes()
        return
    with path.open("rb") as file:
        is_mbox = file.read(5) == b"From "
    if not is_mbox:
        yield path.read_bytes()
        return
    box = mailbox.mbox(path, create=False)
    try:
        for message in box:
            yield message.as_bytes()
    finally:
        box.close()
