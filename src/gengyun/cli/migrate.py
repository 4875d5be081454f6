"""`gengyun migrate`: the database up to the present version."""

import click

from gengyun.cli.main import setup


@click.command(name="migrate", short_help="bring the database up to the present version")
def command() -> None:
    """Bring the database up to the present version; `gengyun start` does so by itself.

    A deployment from before there were alert rules or opportunities gets the defaults of these.
    """
    setup()
    from django.conf import settings
    from django.core.management import call_command

    settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
    call_command("migrate", interactive=False)
    install_missing()


def install_missing() -> None:
    """Defaults of parts that came after the deployment was made; a new one gets them at `init`."""
    from gengyun.alerts.actions.defaults import install_defaults
    from gengyun.engagement.actions import survey_defaults
    from gengyun.kernel.clock import utc_now
    from gengyun.revenue.actions import opportunity_stages
    from gengyun.team.models import User

    if User.objects.exists():
        now = utc_now()
        install_defaults(now=now)
        opportunity_stages.install_defaults(now=now)
        survey_defaults.install_defaults(now=now)
