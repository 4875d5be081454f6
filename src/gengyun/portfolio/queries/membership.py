"""Who is in a segment, as a condition that other conditions are put together with."""

from datetime import date

from django.db.models import Q

from gengyun.portfolio.calc.expressions import parse
from gengyun.portfolio.calc.filters import BadFilter
from gengyun.portfolio.models import CustomerSummary, Segment, SegmentPin
from gengyun.portfolio.queries.expressions import to_q


def membership(segment_id: int, *, today: date) -> Q | None:
    """On `CustomerSummary`; a pin beats the segment's condition. None: it is gone, or its condition
    speaks of what is gone.

    Segments inside it are asked in the same statement. They do not come round: that is refused
    when one is saved.
    """
    segment = Segment.objects.filter(pk=segment_id).first()
    if segment is None:
        return None
    try:
        holds = to_q(parse(segment.expression), None, today)
    except BadFilter:
        return None
    pins = SegmentPin.objects.filter(segment=segment_id)
    known = set(pins.values_list("is_in", flat=True).distinct().order_by())
    # a condition that holds for everybody is an empty Q, which would be dropped
    found = Q(pk__in=CustomerSummary.objects.filter(holds).values("pk").order_by())
    if True in known:
        found |= Q(pk__in=pins.filter(is_in=True).values("customer_id"))
    if False in known:
        found &= ~Q(pk__in=pins.filter(is_in=False).values("customer_id"))
    return found
