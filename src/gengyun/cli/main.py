"""The `gengyun` command. Commands are loaded when they are called, so that --help is quick."""

import os
import sys
from importlib import import_module

import click

# command -> module of gengyun.cli that has a click command named `command`
COMMANDS = {
    "demo": "demo",
    "init": "init",
    "start": "start",
    "web": "web",
    "worker": "worker",
    "import": "importing",
    "daily": "daily",
    "metrics": "metrics",
    "health": "health",
    "churn": "churn",
    "alerts": "alerts",
    "sop": "sop",
    "touches": "touches",
    "revenue": "revenue",
    "renewals": "renewals",
    "simulate": "simulate",
    "bench": "bench",
    "check": "check",
    "doctor": "doctor",
    "rebuild": "rebuild",
    "migrate": "migrate",
}


class Lazy(click.Group):
    def list_commands(self, ctx):
        return list(COMMANDS)

    def get_command(self, ctx, cmd_name):
        if cmd_name not in COMMANDS:
            return None
        return import_module(f"gengyun.cli.{COMMANDS[cmd_name]}").command


@click.command(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="gengyun")
def cli():
    """耕云 Gengyun: the customer success platform / 客户成功平台."""


def setup() -> None:
    """Start Django; every command that touches data calls it first."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gengyun.config.settings")
    import django

    django.setup()


def main() -> None:
    from gengyun.kernel.errors import Refusal, filled

    try:
        cli()
    except Refusal as refusal:
        from django.utils.translation import gettext

        sentence = gettext(refusal.message)
        told = filled(sentence, refusal.params)
        click.echo(f"gengyun: {told}", err=True)
        sys.exit(1)
    except Exception as error:
        from gengyun.cli import ground

        line = ground.told(error)
        if line is None:
            raise
        click.echo(f"gengyun: {line}", err=True)
        sys.exit(1)
