"""SOPs whose conditions ask for a segment: it is not retired under them."""

from collections.abc import Iterator

from django.db.models import Exists, OuterRef, Q

from gengyun.portfolio.actions.segments import used_by
from gengyun.portfolio.calc.nesting import segments_in
from gengyun.sop.calc.check import conditions_of
from gengyun.sop.models import Run, Sop, SopVersion
from gengyun.sop.queries.forms import form_of


@used_by
def sops_that_name(pk: int) -> Iterator[str]:
    """By what is published or written down, and by what runs still go by."""
    active = Run.objects.active().filter(version=OuterRef("pk"))
    offered = Q(state__in=[SopVersion.State.PUBLISHED, SopVersion.State.DRAFT])
    versions = SopVersion.objects.filter(
        Exists(active) | (offered & ~Q(sop__state=Sop.State.STOPPED))
    )
    named = set()
    for version in versions.select_related("sop").order_by("pk"):
        if any(pk in segments_in(expr) for _, expr in conditions_of(form_of(version))):
            named.add(version.sop.name)
    yield from sorted(named)
