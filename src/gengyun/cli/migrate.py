"""`gengyun migrate`: the database up to the present version."""

import click

from gengyun.cli.main import setup


@click.command(name="migrate", short_help="bring the database up to the present version")
def command() -> None:
    """Bring the database up to the present version; `gengyun start` does so by itself."""
    setup()
    from django.conf import settings
    from django.core.management import call_command

    settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
    call_command("migrate", interactive=False)
