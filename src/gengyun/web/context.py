"""What every page needs: the person, the navigation, how fresh the data is."""

from django.conf import settings
from django.contrib.messages import get_messages
from django.utils import translation
from django.utils.functional import SimpleLazyObject

from gengyun.kernel.models import DayRun
from gengyun.team.queries.access import can
from gengyun.usage.models import Source
from gengyun.web import nav


def page(request):
    user = getattr(request, "user", None)
    known = user if user is not None and user.is_authenticated else None
    return {
        "user": known,
        "me": known,
        "lang": "zh-CN" if (translation.get_language() or "zh").startswith("zh") else "en",
        "languages": settings.LANGUAGES,
        "nav": nav.entries(request, known) if known else [],
        "may": lambda capability: known is not None and can(known, capability),
        "freshness": SimpleLazyObject(freshness),
        "messages": get_messages(request),
        "is_htmx": request.headers.get("HX-Request") == "true",
    }


def freshness():
    """The newest event received, and the newest day that was judged."""
    run = DayRun.objects.order_by("-as_of").first()
    judged = run
    if run is not None and run.state != DayRun.State.DONE:
        judged = DayRun.objects.filter(state=DayRun.State.DONE).order_by("-as_of").first()
    newest = (
        Source.objects.exclude(last_event_at=None)
        .order_by("-last_event_at")
        .values_list("last_event_at", flat=True)
        .first()
    )
    return {"data_until": newest, "run": run, "judged": judged}
