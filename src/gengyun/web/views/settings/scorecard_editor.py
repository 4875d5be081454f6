"""One scorecard in the editor: what changes it, keeps it as a draft, tries it, publishes it."""

from datetime import date

from django.utils.translation import gettext as _

from gengyun.health.actions import scorecards as actions
from gengyun.health.actions.trials import ask_test
from gengyun.health.calc.config import ConfigInvalid, parse_config
from gengyun.health.jobs import test_on_history
from gengyun.health.models import ScorecardDraft
from gengyun.health.queries.cards import known_inputs, metric_infos
from gengyun.health.queries.preview import preview
from gengyun.health.queries.spread import spreads
from gengyun.kernel.clock import utc_now
from gengyun.kernel.errors import Refusal
from gengyun.kernel.jobs import add
from gengyun.team.queries.access import require
from gengyun.web.access import page
from gengyun.web.clock import today
from gengyun.web.numbers import is_number
from gengyun.web.present import scorecard_form as form
from gengyun.web.present import scorecard_steps as steps
from gengyun.web.present.scorecard_diff import diff
from gengyun.web.render import is_htmx, toast
from gengyun.web.undo import remember
from gengyun.web.views.settings.common import field_of, go, refusal_text, show, translated
from gengyun.web.views.settings.scorecards import (
    found_card,
    judge_again,
    newest_of,
    scope_words,
)
from gengyun.web.words import pick

LISTED = 12  # customers named in the preview
TEMPLATE = "settings/scorecard.html"


def check(draft, units):
    """(parsed configuration or None, its JSON, errors by field)"""
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
    units = known_inputs()
    config, raw, errors = check(draft, units)
    newest = newest_of(scorecard)
    shown = (
        preview(config, scorecard=scorecard, actor=request.user, now=utc_now()) if config else None
    )
    asked = request.POST.get("customer", "").strip()
    named = []
    if shown:
        named = (
            [row for row in shown.rows if asked.casefold() in row.name.casefold()]
            if asked
            else shown.moved()
        )[:LISTED]
    infos = metric_infos()
    return {
        "scorecard": scorecard,
        "scope": scope_words([scorecard])[scorecard.pk],
        "draft": draft,
        "errors": errors if show_errors else {},
        "sums": form.sums(draft),
        "metric_choices": [(key, pick(infos[key])) for key in units],
        "units": units,
        "spreads": spreads([f["metric"] for g in draft["groups"] for f in g["factors"]]),
        "curve_path": form.curve_path,
        "preview": shown,
        "moved_count": len(shown.moved()) if shown else 0,
        "named": named,
        "asked": {"customer": asked},
        "newest": newest,
        "saved_draft": ScorecardDraft.objects.filter(scorecard=scorecard)
        .select_related("saved_by")
        .first(),
        "changes": diff(newest.config if newest else None, raw) if config else None,
        "tests": list(scorecard.tests.select_related("asked_by")[:3]),
        "is_typed": request.method == "POST",
        "note": request.POST.get("note", ""),
        "effective_from": request.POST.get("effective_from") or today().isoformat(),
    }


def _opened(request, scorecard):
    """What the editor begins with: the version asked for, the draft, the newest version, or that
    of the card to copy."""
    wanted, like = request.GET.get("version", ""), request.GET.get("like", "")
    for version in scorecard.versions.all():
        if str(version.number) == wanted:
            return version.config
    saved = ScorecardDraft.objects.filter(scorecard=scorecard).first()
    if saved is not None:
        return saved.config
    newest = newest_of(scorecard)
    if newest is None and is_number(like):
        newest = newest_of(found_card(int(like)))
    return newest.config if newest else {}


@page("settings.read", methods=("GET", "POST"))
def scorecard(request, pk):
    scorecard = found_card(pk)
    if request.method == "GET":
        draft = form.draft_from_config(_opened(request, scorecard), known_inputs())
        context = _context(request, scorecard, draft, show_errors=True)
        return show(request, TEMPLATE, "scorecards", context)
    require(request.user, "settings.edit")
    draft = form.draft_from_post(request.POST)
    step = request.POST.get("step", "preview")
    if step in _STEPS:
        return _STEPS[step](request, scorecard, draft)
    units = known_inputs()
    if step.startswith("fill."):
        wanted = [f["metric"] for g in draft["groups"] for f in g["factors"]]
        steps.fill_curve(draft, step, spreads(wanted), units)
    draft = steps.apply_step(draft, step, list(units))
    context = _context(request, scorecard, draft, show_errors=not step.startswith("add_"))
    return _again(request, context)


def _again(request, context, status=200):
    block = "editor" if is_htmx(request) else None
    return show(request, TEMPLATE, "scorecards", context, block=block, status=status)


def _save(request, scorecard, draft):
    """Drafts may have faults; what cannot be read as a number is not kept as one."""
    raw, errors = form.config_from_draft(draft, known_inputs())
    unread = [name for name in errors if not name.endswith("sum")]
    if unread:
        context = _context(request, scorecard, draft, show_errors=True)
        return _again(request, context, status=422)
    actions.save_draft(actor=request.user, now=utc_now(), scorecard=scorecard, config=raw)
    toast(request, _("Draft saved. It judges nothing until it is published."))
    return _again(request, _context(request, scorecard, draft, show_errors=True))


def _discard(request, scorecard, draft):
    try:
        gone = actions.discard_draft(actor=request.user, now=utc_now(), scorecard=scorecard)
    except Refusal as refusal:
        return go(request, "settings_scorecard", scorecard.pk, said=refusal_text(refusal))
    undo = remember(request, "scorecard_draft", {"pk": scorecard.pk, "config": gone.config})
    return go(request, "settings_scorecard", scorecard.pk, said=_("The draft is gone."), undo=undo)


def _try(request, scorecard, draft):
    """Save as a draft, try it on history in the background, show its page."""
    config, raw, _errors = check(draft, known_inputs())
    if config is None:
        context = _context(request, scorecard, draft, show_errors=True)
        return _again(request, context, status=422)
    now = utc_now()
    actions.save_draft(actor=request.user, now=now, scorecard=scorecard, config=raw)
    weeks = request.POST.get("weeks", "")
    test = ask_test(
        actor=request.user,
        now=now,
        scorecard=scorecard,
        config=raw,
        weeks=int(weeks) if is_number(weeks) else 52,
    )
    add(test_on_history, test.pk, unique_key=f"health_test:{test.pk}")
    return go(request, "settings_scorecard_test", scorecard.pk, test.pk)


def _publish(request, scorecard, draft):
    config, raw, errors = check(draft, known_inputs())
    day = day_asked(request)
    if day is None:
        errors["effective_from"] = _("Choose a day.")
    if config and day:
        try:
            version = publish(request, scorecard, raw, day)
        except Refusal as refusal:
            errors = errors | field_of(refusal, {"effective_day_past": "effective_from"})
        else:
            return go(request, "settings_scorecards", said=published_words(version))
    context = _context(request, scorecard, draft, show_errors=True)
    context["errors"] = errors
    return _again(request, context, status=422)


_STEPS = {"save": _save, "discard": _discard, "try": _try, "publish": _publish}


def day_asked(request):
    try:
        return date.fromisoformat(request.POST.get("effective_from", ""))
    except ValueError:
        return None


def publish(request, scorecard, config, day):
    version = actions.publish_version(
        actor=request.user,
        now=utc_now(),
        scorecard=scorecard,
        config=config,
        effective_from=day,
        note=request.POST.get("note", "").strip(),
    )
    if day <= today():
        judge_again()
    return version


def published_words(version):
    values = {"number": version.number, "day": version.effective_from.isoformat()}
    if version.effective_from <= today():
        said = _("Version %(number)s is published; today is being judged again by it.")
    else:
        said = _("Version %(number)s is published. It judges days from %(day)s on.")
    return said % values
