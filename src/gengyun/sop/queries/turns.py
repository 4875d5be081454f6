"""Customers whose date says that it is their turn."""

from datetime import date

import numpy as np
from numpy.typing import NDArray

from gengyun.customers.models import FieldValue
from gengyun.customers.queries.custom_fields import fields_named
from gengyun.portfolio.models import CustomerSummary
from gengyun.portfolio.queries.expressions import to_q
from gengyun.sop.calc.form import Form
from gengyun.sop.calc.turns import date_span
from gengyun.sop.models import SopVersion


def dated(version: SopVersion, form: Form, day: date) -> tuple[NDArray[np.int64], dict[int, str]]:
    """Their keys, and the date that each enters by: the same date lets nobody in twice."""
    ref = form.entry.date
    if ref is None:
        return np.empty(0, dtype=np.int64), {}
    oldest, newest = date_span(ref, day, version.evaluated_on, backfill=form.entry.backfill)
    rows = CustomerSummary.objects.order_by("pk")
    if form.entry.when is not None:
        rows = rows.filter(to_q(form.entry.when, None, day))
    if ref.field.startswith("custom_"):
        field = fields_named([ref.field]).get(ref.field)
        if field is None:
            return np.empty(0, dtype=np.int64), {}
        dates = FieldValue.objects.filter(field=field, day__gte=oldest, day__lte=newest)
        days = dict(dates.values_list("customer_id", "day"))
        found = {
            pk: days[pk]
            for start in range(0, len(days), 500)
            for pk in rows.filter(pk__in=list(days)[start : start + 500]).values_list(
                "pk", flat=True
            )
        }
    else:
        span = {f"{ref.field}__gte": oldest, f"{ref.field}__lte": newest}
        found = dict(rows.filter(**span).values_list("pk", ref.field))
    marks = {pk: f"{ref.field}={on.isoformat()}" for pk, on in found.items()}
    return np.array(sorted(found), dtype=np.int64), marks
