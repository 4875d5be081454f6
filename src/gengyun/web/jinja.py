"""The template environment of the pages."""

import itertools
from functools import lru_cache
from types import SimpleNamespace

from django.templatetags.static import static
from django.urls import NoReverseMatch, reverse
from django.utils import translation
from jinja2 import Environment
from markupsafe import Markup

from gengyun.kernel.days import company_zone, day_of
from gengyun.team.queries.access import can
from gengyun.web import clock
from gengyun.web.present import figures, marks
from gengyun.web.present import format as plain
from gengyun.web.words import gettext, is_zh, pgettext, pick


def environment(**options):
    # these need the URLs, so they come when Django has started
    from gengyun.web.present import list_query
    from gengyun.web.present.needs import kind_name, need_word
    from gengyun.web.present.renewal_rows import RenewalRows
    from gengyun.web.present.shown import Shown

    env = Environment(  # noqa: S701 - Django's engine passes autoescape=True in the options
        extensions=["jinja2.ext.i18n", "jinja2.ext.do", "jinja2.ext.loopcontrols"],
        trim_blocks=True,
        lstrip_blocks=True,
        **options,
    )
    env.install_gettext_callables(
        gettext,
        translation.ngettext,
        newstyle=True,
        pgettext=pgettext,
        npgettext=translation.npgettext,
    )
    env.globals.update(
        static=static,
        url=url,
        url_or_none=url_or_none,
        icon=icon,
        can=can,
        is_zh=is_zh,
        pick=pick,
        fmt=Formats(),
        figures=figures,
        marks=marks,
        today=clock.today,
        dot=Markup('<span class="gy-dot" aria-hidden="true">·</span>'),
        # macros everywhere, blocks that are rendered alone included
        ui=Macros(env, "parts/ui.html"),
        sui=Macros(env, "settings/parts.html"),
        encode=list_query.encode,
        shown=lambda **rights: Shown(
            today=clock.today(),
            url=url,
            icon=icon,
            **{"may_edit": False, "may_assign": False} | rights,
        ),
        renewal_rows=lambda **asked: RenewalRows(today=clock.today(), url=url, icon=icon, **asked),
        need_word=need_word,
        present_kind=kind_name,
        enumerate=enumerate,
        zip=itertools.zip_longest,
        namespace_of=SimpleNamespace,
    )
    return env


@lru_cache(maxsize=500)
def icon(name, small=True):
    size = "i i-s" if small else "i"
    sprite = static("vendor/icons.svg")
    return Markup('<svg class="{}" aria-hidden="true"><use href="{}#i-{}"/></svg>').format(
        size, sprite, name
    )


def url(name, *args, **kwargs):
    # a list of fifty rows asks for some three hundred addresses that differ in the id only
    if args and not kwargs and type(args[0]) is int and args[0] >= 0:
        before, after = _around_id(name, args[1:])
        return f"{before}{args[0]}{after}"
    if not args and not kwargs:
        return _plain(name)
    return reverse(f"web:{name}", args=args, kwargs=kwargs)


@lru_cache(maxsize=500)
def _plain(name):
    return reverse(f"web:{name}")


@lru_cache(maxsize=500)
def _around_id(name, rest):
    """What stands before and after the id in an address."""
    marker = 918273645546372819
    before, after = reverse(f"web:{name}", args=(marker, *rest)).split(str(marker))
    return before, after


def url_or_none(name, *args):
    try:
        return url(name, *args)
    except NoReverseMatch:
        return None


class Macros:
    """A template's macros, loaded when first asked for: ui.health(score, band)."""

    def __init__(self, env, name):
        self._env, self._name = env, name

    def __getattr__(self, macro):
        return getattr(self._env.get_template(self._name).module, macro)


class Formats:
    """The functions of present.format with the language, today and zone of this request."""

    UNKNOWN = plain.UNKNOWN
    count = staticmethod(plain.count)
    number = staticmethod(plain.number)
    score = staticmethod(plain.score)
    percent = staticmethod(plain.percent)
    signed = staticmethod(plain.signed)

    def money(self, minor, currency="CNY"):
        return plain.money(minor, currency, zh=is_zh())

    def money_parts(self, minor, currency="CNY"):
        return plain.money_parts(minor, currency, zh=is_zh())

    def wan(self, minor, currency="CNY"):
        return plain.wan(minor, currency, zh=is_zh())

    def metric(self, value, unit="count"):
        return plain.metric(value, unit, zh=is_zh())

    def day(self, value):
        return plain.day(_as_day(value), today=clock.today(), zh=is_zh())

    def day_full(self, value):
        return plain.day_full(_as_day(value), zh=is_zh())

    def day_title(self, value):
        return plain.day_title(_as_day(value), zh=is_zh())

    def weekday(self, value):
        return plain.weekday(_as_day(value), zh=is_zh())

    def due(self, value):
        return plain.due(_as_day(value), today=clock.today(), zh=is_zh())

    def ago(self, value):
        return plain.ago(_as_day(value), today=clock.today(), zh=is_zh())

    def days_left(self, value):
        return plain.days_left(_as_day(value), today=clock.today(), zh=is_zh())

    def moment(self, value):
        local = value.astimezone(company_zone()) if value else None
        return plain.moment(local, today=clock.today(), zh=is_zh())

    def time(self, value):
        return f"{value.astimezone(company_zone()):%H:%M}" if value else plain.UNKNOWN

    def days_since(self, value):
        return (clock.today() - _as_day(value)).days if value else None

    def days_until(self, value):
        return (_as_day(value) - clock.today()).days if value else None


def _as_day(value):
    """A date as it is; an instant as the company's day it falls on; an ISO text as a date."""
    if isinstance(value, str):
        return plain.date.fromisoformat(value[:10])
    return day_of(value) if isinstance(value, plain.datetime) else value
