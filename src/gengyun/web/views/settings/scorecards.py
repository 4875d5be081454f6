"""Scorecards: the list in its order, whom each is for, its versions."""

from django.db.models import Count
from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from gengyun.customers.models import Customer, Stage, Tier
from gengyun.health.actions import scorecards as actions
from gengyun.health.jobs import judge_health_again
from gengyun.health.models import HealthScore, Scorecard
from gengyun.health.queries.cards import version_in_force
from gengyun.kernel.clock import utc_now
from gengyun.kernel.errors import NotFound, Refusal
from gengyun.kernel.jobs import add
from gengyun.usage.queries.metrics import active_metrics
from gengyun.web.access import page
from gengyun.web.clock import today
from gengyun.web.numbers import is_number
from gengyun.web.present.scorecard_diff import diff
from gengyun.web.render import toast, warn
from gengyun.web.undo import remember
from gengyun.web.views.settings.common import field_of, go, refusal_text, show
from gengyun.web.words import pick


def found_card(pk):
    scorecard = Scorecard.objects.filter(pk=pk).prefetch_related("versions").first()
    if scorecard is None:
        raise NotFound
    return scorecard


def newest_of(scorecard):
    return max(scorecard.versions.all(), key=lambda version: version.number, default=None)


def judge_again():
    """Today's scores follow the new rules within a minute; one such job at a time is enough."""
    add(judge_health_again, unique_key="judge_health_again")


def stage_choices():
    """[(key, name)]: one stage of several touch models is one choice."""
    found = {}
    for stage in Stage.objects.order_by("position", "pk"):
        found.setdefault(stage.key, pick(stage))
    return list(found.items())


def scope_words(cards):
    """card -> [(kind, name)] of its tiers and stages, in their order."""
    tiers = {tier.pk: tier for tier in Tier.objects.all()}
    stages = dict(stage_choices())
    return {
        card.pk: {
            "tiers": [tiers[pk] for pk in card.tier_ids if pk in tiers],
            "stages": [stages.get(key, key) for key in card.stage_keys],
        }
        for card in cards
    }


@page("settings.read")
def scorecards(request):
    counts = {}
    for row in HealthScore.objects.values("version__scorecard", "band").annotate(n=Count("pk")):
        counts.setdefault(row["version__scorecard"], {})[row["band"]] = row["n"]
    cards = list(Scorecard.objects.select_related("draft").prefetch_related("versions"))
    rows = []
    for scorecard in cards:
        current, newest = version_in_force(scorecard, today()), newest_of(scorecard)
        draft = getattr(scorecard, "draft", None)
        rows.append(
            {
                "scorecard": scorecard,
                "current": current,
                "coming": newest if newest and newest != current else None,
                "draft": draft,
                "bands": [(band, counts.get(scorecard.pk, {}).get(band, 0)) for band in "ABCDN"],
            }
        )
    context = {
        "rows": [row for row in rows if row["scorecard"].retired_at is None],
        "retired": [row["scorecard"] for row in rows if row["scorecard"].retired_at],
        "scopes": scope_words(cards),
        "grid": _grid(cards),
    }
    return show(request, "settings/scorecards.html", "scorecards", context)


def _grid(cards):
    """Which card judges which tier in which stage now, and how many customers that is."""
    in_force = [c for c in cards if c.retired_at is None and version_in_force(c, today())]
    counts = {
        (row["tier_id"], row["stage__key"]): row["n"]
        for row in Customer.objects.present()
        .values("tier_id", "stage__key")
        .annotate(n=Count("pk"))
        .order_by()
    }
    tiers = [(tier.pk, pick(tier)) for tier in Tier.objects.all()]
    stages = stage_choices()
    if any(tier is None for tier, _stage in counts):
        tiers.append((None, _("no tier")))
    if any(stage is None for _tier, stage in counts):
        stages.append((None, _("no stage")))

    def judging(tier, stage):
        return next((card for card in in_force if _fits(card, tier, stage)), None)

    return {
        "stages": [name for _key, name in stages],
        "rows": [
            (name, [(judging(tier, key), counts.get((tier, key), 0)) for key, _name in stages])
            for tier, name in tiers
        ],
    }


def _fits(card, tier, stage):
    return (not card.tier_ids or tier in card.tier_ids) and (
        not card.stage_keys or stage in card.stage_keys
    )


def _scope_of(post):
    pks = [pk for pk in post.getlist("tier") if is_number(pk)]
    return {
        "tiers": list(Tier.objects.filter(pk__in=pks)),
        "stages": [key for key in post.getlist("stage") if key in dict(stage_choices())],
    }


SCOPE_FIELDS = {"scorecard_name_missing": "name_zh", "same_scope": "scope"}


@page("settings.edit", methods=("GET", "POST"))
def scorecard_new(request):
    cards = Scorecard.objects.filter(retired_at__isnull=True).prefetch_related("versions")
    base = {"tiers": Tier.objects.all(), "stages": stage_choices(), "cards": cards}
    if request.method == "GET":
        values = {"like": str(cards.last().pk) if cards else "", "tier": [], "stage": []}
        return show(request, "settings/scorecard_new.html", "scorecards", base | {"values": values})
    values = {k: request.POST.get(k, "").strip() for k in ("name_zh", "name_en", "like")}
    values |= {k: request.POST.getlist(k) for k in ("tier", "stage")}
    like = next((card for card in cards if str(card.pk) == values["like"]), None)
    try:
        scorecard = actions.create_scorecard(
            actor=request.user,
            now=utc_now(),
            name_zh=values["name_zh"],
            name_en=values["name_en"],
            **_scope_of(request.POST),
        )
    except Refusal as refusal:
        context = base | {"values": values, "errors": field_of(refusal, SCOPE_FIELDS)}
        return show(request, "settings/scorecard_new.html", "scorecards", context, status=422)
    toast(request, _("Created as a copy. Change it, try it on history, publish."))
    address = reverse("web:settings_scorecard", args=[scorecard.pk])
    return HttpResponseRedirect(f"{address}?like={like.pk if like else ''}", status=303)


@page("settings.edit", methods=("GET", "POST"))
def scorecard_scope(request, pk):
    """Names, tiers and stages of a card; from today on."""
    scorecard = found_card(pk)
    base = {"scorecard": scorecard, "tiers": Tier.objects.all(), "stages": stage_choices()}
    template = "settings/scorecard_scope.html"
    if request.method == "GET":
        values = {
            "name_zh": scorecard.name_zh,
            "name_en": scorecard.name_en,
            "tier": [str(pk) for pk in scorecard.tier_ids],
            "stage": scorecard.stage_keys,
        }
        return show(request, template, "scorecards", base | {"values": values})
    values = {k: request.POST.get(k, "").strip() for k in ("name_zh", "name_en")}
    values |= {k: request.POST.getlist(k) for k in ("tier", "stage")}
    try:
        actions.edit_scorecard(
            actor=request.user,
            now=utc_now(),
            scorecard=scorecard,
            name_zh=values["name_zh"],
            name_en=values["name_en"],
            **_scope_of(request.POST),
        )
    except Refusal as refusal:
        context = base | {"values": values, "errors": field_of(refusal, SCOPE_FIELDS)}
        return show(request, template, "scorecards", context, status=422)
    judge_again()
    return go(request, "settings_scorecards", said=_("Saved. Today is being judged again."))


@page("settings.edit", methods=("POST",))
def scorecard_up(request, pk):
    """One place earlier: the first scorecard that fits a customer judges it."""
    rows = list(actions.present_cards())
    place = next((n for n, row in enumerate(rows) if row.pk == pk), None)
    if place is None:
        raise NotFound
    if place:
        before = [row.pk for row in rows]
        rows[place - 1], rows[place] = rows[place], rows[place - 1]
        try:
            order = [row.pk for row in rows]
            actions.reorder_scorecards(actor=request.user, now=utc_now(), order=order)
        except Refusal as refusal:
            warn(request, refusal_text(refusal))
        else:
            judge_again()
            undo = remember(request, "scorecard_order", before)
            toast(request, _("The order has changed. Today is being judged again."), undo=undo)
    return go(request, "settings_scorecards")


@page("settings.edit", methods=("POST",))
def scorecard_retire(request, pk):
    """Out of use, or back in it: the other of what it is now."""
    scorecard = found_card(pk)
    change = actions.restore_scorecard if scorecard.retired_at else actions.retire_scorecard
    try:
        change(actor=request.user, now=utc_now(), scorecard=scorecard)
    except Refusal as refusal:
        warn(request, refusal_text(refusal))
        return go(request, "settings_scorecards")
    judge_again()
    undo = remember(request, "scorecard_retired", scorecard.pk)
    said = _("%(name)s is in use again.") if scorecard.retired_at else _("%(name)s is retired.")
    return go(request, "settings_scorecards", said=said % {"name": pick(scorecard)}, undo=undo)


@page("settings.read")
def scorecard_versions(request, pk):
    """Every version with its note and what it changed against the one before."""
    scorecard = found_card(pk)
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
