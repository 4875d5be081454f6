"""Which model speaks: for today, and for any past day. Contents are read once per process."""

from datetime import date, datetime
from functools import lru_cache

from django.db.models import F, QuerySet

from gengyun.churn.calc.model import Model
from gengyun.churn.models import ChurnModel, Event, ModelState


def champion(event: Event | str) -> ChurnModel | None:
    return ChurnModel.objects.filter(event=event, state=ModelState.CHAMPION).first()


def in_force(event: Event | str, as_of: date) -> ChurnModel | None:
    """The model that spoke on a day: the newest that had been put into use and knew nothing later.

    Today it is the champion. A day before the first model has none.
    """
    used = ChurnModel.objects.filter(event=event, cutoff__lte=as_of, promoted_at__isnull=False)
    return used.order_by("-cutoff", "-pk").first()


def newest_trained(event: Event | str, as_of: date) -> ChurnModel | None:
    """The last one that learned, whether it was put into use or not; a recalibration only moves."""
    trained = ChurnModel.objects.filter(event=event, cutoff__lte=as_of, intercept_shift=0.0)
    return trained.order_by("-cutoff", "-pk").first()


def models_of(event: Event | str) -> QuerySet[ChurnModel]:
    """Newest first, without their contents."""
    return ChurnModel.objects.filter(event=event).defer("content").order_by("-cutoff", "-pk")


def challengers(event: Event | str) -> QuerySet[ChurnModel]:
    """What was trained since the champion and waits to show that it is better."""
    found = models_of(event).filter(state=ModelState.CHALLENGER)
    return found.order_by(F("cutoff").desc(), "-pk")


def content_of(row: ChurnModel) -> Model:
    """The frozen model, ready to score, with the shift of its recalibration."""
    return _content(row.pk, row.trained_at).shifted(row.intercept_shift)


@lru_cache(maxsize=8)
def _content(pk: int, _made: datetime) -> Model:
    return Model.from_json(ChurnModel.objects.values_list("content", flat=True).get(pk=pk))
