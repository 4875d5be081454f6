"""`gengyun init`: an empty deployment with its defaults and its first administrator."""

import click

from gengyun.cli.main import setup


@click.command(name="init", short_help="create an empty deployment and its first administrator")
@click.option("--email", help="Address of the administrator; asked for when it is not given.")
@click.option("--name", help="Name of the administrator.")
@click.option("--password", help="Asked for when it is not given, so that no history keeps it.")
def command(email: str | None, name: str | None, password: str | None) -> None:
    """Create the database, default tiers, journeys, metrics, scorecards, alert rules, and one user.

    Refuses when there is a user already. Killed or refused half way, it can be run again.
    """
    setup()
    from django.conf import settings
    from django.core.management import call_command
    from django.utils.translation import gettext as _

    from gengyun.alerts.actions import defaults as alerts
    from gengyun.customers.actions import defaults as customers
    from gengyun.engagement.actions import survey_defaults
    from gengyun.health.actions import defaults as health
    from gengyun.kernel.clock import utc_now
    from gengyun.revenue.actions import opportunity_stages
    from gengyun.team.actions.users import create_user
    from gengyun.team.models import Role, User
    from gengyun.usage.actions import defaults as usage

    settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
    call_command("migrate", verbosity=0, interactive=False)
    if User.objects.exists():
        raise click.ClickException(
            _("%(folder)s is a deployment with users already; nothing was changed.")
            % {"folder": settings.DATA_DIR}
        )
    now = utc_now()
    for package in (customers, usage, health, alerts, opportunity_stages, survey_defaults):
        package.install_defaults(now=now)
    email = email or click.prompt(_("E-mail of the administrator"))
    name = name or click.prompt(_("Name"), default=email.partition("@")[0])
    password = password or click.prompt(
        _("Password"), hide_input=True, confirmation_prompt=_("Password again")
    )
    user = create_user(
        actor=None, now=now, email=email, name=name, role=Role.ADMIN, password=password
    )
    click.echo(
        _("Ready: %(folder)s, administrator %(email)s.")
        % {"folder": settings.DATA_DIR, "email": user.email}
    )
    click.echo(_("Next: gengyun start"))
