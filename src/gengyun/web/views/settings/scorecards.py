"""Scorecards: the list, the editor that reads like a checklist, the versions."""

from datetime import date, timedelta

from django.db.models import Count
from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from gengyun.customers.models import Tier
from gengyun.health.actions import scorecards as actions
from gengyun.health.calc.config import ConfigInvalid, parse_config
from gengyun.health.models import HealthScore, Scorecard
from gengyun.health.queries.cards import version_in_force
from gengyun.health.queries.preview import preview
from gengyun.kernel.clock import utc_now
from gengyun.kernel.errors import NotFound, Refusal
from gengyun.team.queries.access import require
from gengyun.usage.queries.metrics import active_metrics
from gengyun.web.access import page
from gengyun.web.clock import today
from gengyun.web.present import scorecard_form as form
from gengyun.web.present.scorecard_diff import diff
from gengyun.web.render import is_htmx, toast, warn
from gengyun.web.views.settings.common import field_of, go, refusal_text, show, translated
from gengyun.web.words import pick

LISTED = 12  # customers named in the preview


def _found(pk):
    scorecard = Scorecard.objects.filter(pk=pk).prefetch_related("versions").first()
    if scorecard is None:
        raise NotFound
    return scorecard


def _newest(scorecard):
    return max(scorecard.versions.all(), key=lambda version: version.number, default=None)


@page("settings.read")
def scorecards(request):
    counts = {}
    for row in HealthScore.objects.values("version__scorecard", "band").annotate(n=Count("pk")):
        counts.setdefault(row["version__scorecard"], {})[row["band"]] = row["n"]
    rows = []
    for scorecard in Scorecard.objects.prefetch_related("versions"):
        current, newest = version_in_force(scorecard, today()), _newest(scorecard)
        rows.append(
            {
                "scorecard": scorecard,
                "current": current,
                "coming": newest if newest and newest != current else None,
                "bands": [(band, counts.get(scorecard.pk, {}).get(band, 0)) for band in "ABCDN"],
            }
        )
    return show(request, "settings/scorecards.html", "scorecards", {"rows": rows})


@page("settings.edit", methods=("GET", "POST"))
def scorecard_new(request):
    cards = Scorecard.objects.prefetch_related("versions")
    base = {"tiers": Tier.objects.all(), "cards": cards}
    if request.method == "GET":
        context = base | {"values": {"like": str(cards.last().pk) if cards else ""}}
        return show(request, "settings/scorecard_new.html", "scorecards", context)
    values = {k: request.POST.get(k, "").strip() for k in ("name_zh", "name_en", "tier", "like")}
    tier = Tier.objects.filter(pk=values["tier"]).first() if values["tier"].isdigit() else None
    like = next((card for card in cards if str(card.pk) == values["like"]), None)
    try:
        scorecard = actions.create_scorecard(
            actor=request.user,
            now=utc_now(),
            name_zh=values["name_zh"],
            name_en=values["name_en"],
            tier=tier,
        )
    except Refusal as refusal:
        fields = {"scorecard_name_missing": "name_zh"}
        context = base | {"values": values, "errors": field_of(refusal, fields)}
        return show(request, "settings/scorecard_new.html", "scorecards", context, status=422)
    toast(request, _("Created as a copy. Change it, look at the preview, publish."))
    address = reverse("web:settings_scorecard", args=[scorecard.pk])
    return HttpResponseRedirect(f"{address}?like={like.pk if like else ''}", status=303)


@page("settings.edit", methods=("POST",))
def scorecard_up(request, pk):
    """One place earlier: the first scorecard that fits a customer judges it."""
    rows = list(Scorecard.objects.order_by("position"))
    place = next((n for n, row in enumerate(rows) if row.pk == pk), None)
    if place is None:
        raise NotFound
    if place:
        rows[place - 1], rows[place] = rows[place], rows[place - 1]
        try:
            order = [row.pk for row in rows]
            actions.reorder_scorecards(actor=request.user, now=utc_now(), order=order)
        except Refusal as refusal:
            warn(request, refusal_text(refusal))
    return go(request, "settings_scorecards")


def _check(draft, metrics):
    """(parsed configuration or None, its JSON, errors by field)"""
    units = {metric.key: metric.unit for metric in metrics}
    raw, errors = form.config_from_draft(draft, units)
    errors = translated(errors)
    try:
        config = parse_config(raw, known_metrics=units)
    except ConfigInvalid as invalid:
        for problem in invalid.problems:
            text = _(problem.message)
            place = form.field_of(problem.path)
            errors.setdefault(place, text % problem.params if problem.params else text)
        return None, raw, errors
    return (None if errors else config), raw, errors


def _context(request, scorecard, draft, *, show_errors):
    metrics = active_metrics()
    config, raw, errors = _check(draft, metrics)
    newest = _newest(scorecard)
    shown = preview(config, scorecard=scorecard, actor=request.user) if config else None
    asked = request.POST.get("customer", "").strip()
    named = []
    if shown:
        named = (
            [row for row in shown.rows if asked.casefold() in row.name.casefold()]
            if asked
            else shown.moved()
        )[:LISTED]
    return {
        "scorecard": scorecard,
        "draft": draft,
        "errors": errors if show_errors else {},
        "sums": form.sums(draft),
        "metrics": metrics,
        "metric_choices": [(metric.key, pick(metric)) for metric in metrics],
        "units": {metric.key: metric.unit for metric in metrics},
        "curve_path": form.curve_path,
        "preview": shown,
        "moved_count": len(shown.moved()) if shown else 0,
        "named": named,
        "asked": {"customer": asked},
        "newest": newest,
        "changes": diff(newest.config if newest else None, raw) if config else None,
        "note": request.POST.get("note", ""),
        "effective_from": request.POST.get("effective_from") or _first_day(shown).isoformat(),
    }


def _opened(request, scorecard):
    """The version in the editor: the one asked for, the newest, or that of the card to copy."""
    wanted, like = request.GET.get("version", ""), request.GET.get("like", "")
    for version in scorecard.versions.all():
        if str(version.number) == wanted:
            return version
    newest = _newest(scorecard)
    if newest is None and like.isdigit():
        newest = _newest(_found(int(like)))
    return newest


def _first_day(shown):
    """The first day that is not judged yet: a judged day keeps the version that judged it."""
    judged = shown.as_of if shown else None
    return max(today(), judged + timedelta(days=1)) if judged else today()


@page("settings.read", methods=("GET", "POST"))
def scorecard(request, pk):
    scorecard = _found(pk)
    template = "settings/scorecard.html"
    if request.method == "GET":
        version = _opened(request, scorecard)
        units = {metric.key: metric.unit for metric in active_metrics()}
        draft = form.draft_from_config(version.config if version else {}, units)
        context = _context(request, scorecard, draft, show_errors=True)
        return show(request, template, "scorecards", context)
    require(request.user, "settings.edit")
    draft = form.draft_from_post(request.POST)
    step = request.POST.get("step", "preview")
    if step == "publish":
        return _publish(request, scorecard, draft)
    keys = [metric.key for metric in active_metrics()]
    draft = form.apply_step(draft, step, keys)
    context = _context(request, scorecard, draft, show_errors=not step.startswith("add_"))
    return show(
        request, template, "scorecards", context, block="editor" if is_htmx(request) else None
    )


def _publish(request, scorecard, draft):
    config, raw, errors = _check(draft, active_metrics())
    day = None
    try:
        day = date.fromisoformat(request.POST.get("effective_from", ""))
    except ValueError:
        errors["effective_from"] = _("Choose a day.")
    if config and day:
        try:
            version = actions.publish_version(
                actor=request.user,
                now=utc_now(),
                scorecard=scorecard,
                config=raw,
                effective_from=day,
                note=request.POST.get("note", "").strip(),
            )
        except Refusal as refusal:
            errors = errors | field_of(refusal, {"effective_day_past": "effective_from"})
        else:
            said = _("Version %(number)s is published. It judges days from %(day)s on.")
            said = said % {"number": version.number, "day": day.isoformat()}
            return go(request, "settings_scorecards", said=said)
    context = _context(request, scorecard, draft, show_errors=True)
    context["errors"] = errors
    block = "editor" if is_htmx(request) else None
    return show(request, "settings/scorecard.html", "scorecards", context, block=block, status=422)


@page("settings.read")
def scorecard_versions(request, pk):
    """Every version with its note and what it changed against the one before."""
    scorecard = _found(pk)
    versions = sorted(scorecard.versions.select_related("published_by"), key=lambda v: -v.number)
    names = {metric.key: pick(metric) for metric in active_metrics()}
    before = [*versions[1:], None]
    rows = [
        {
            "version": version,
            "changes": diff(older.config if older else None, version.config) if older else [],
            "is_first": older is None,
        }
        for version, older in zip(versions, before, strict=True)
    ]
    context = {
        "scorecard": scorecard,
        "rows": rows,
        "names": names,
        "current": version_in_force(scorecard, today()),
    }
    return show(request, "settings/scorecard_versions.html", "scorecards", context)
