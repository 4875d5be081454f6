"""What a new day does to the ledger: lines that ran out are renewed or end, and the customers'
fields follow movements that take effect on the day. Run twice, nothing changes."""

from datetime import date, datetime, timedelta

from gengyun.customers.models import Customer
from gengyun.kernel.day import Report
from gengyun.kernel.days import start_of
from gengyun.kernel.models import DayRun
from gengyun.revenue.actions.automatic import renew_automatically
from gengyun.revenue.actions.book import Book
from gengyun.revenue.actions.settling import settle_book
from gengyun.revenue.models import Line, Movement
from gengyun.revenue.queries.ledger import unanswered_lines
from gengyun.revenue.queries.settings import current

DAY = timedelta(days=1)
STEP = 500
LONGEST_GAP = timedelta(days=400)  # nobody looks further back for movements that took effect
MARGIN = timedelta(days=400)  # the days of grace may have been changed meanwhile


def settle_day(*, as_of: date, now: datetime, report: Report) -> int:
    """Returns how many customers were touched."""
    settings = current()
    ids = sorted(_run_out(as_of, settings.loss_grace_days) | _effective_since(as_of))
    for start in range(0, len(ids), STEP):
        part = Customer.objects.filter(pk__in=ids[start : start + STEP]).order_by("pk")
        book = Book(actor=None, now=now, customers=part)
        renew_automatically(book, as_of=as_of, settings=settings)
        settle_book(book, as_of=as_of - DAY, settings=settings)
        book.close()
        report(min(start + STEP, len(ids)), len(ids))
    return len(ids)


def _run_out(as_of: date, grace_days: int) -> set[int]:
    """Customers with lines whose days are over and that nothing has answered."""
    until = as_of - timedelta(days=1 + grace_days)
    last = _last_day_run(as_of)
    # whoever writes a line that ran out long ago ends it at once: only recent days bring any
    since = None if last is None else last - timedelta(days=grace_days) - MARGIN
    over = unanswered_lines(until=until, since=since)
    found = {line.customer_id for line in over}
    running = Line.objects.filter(
        contract__auto_renew=True, ends_on__lt=as_of, voided_at__isnull=True
    )
    if since is not None:
        running = running.filter(ends_on__gte=since)
    candidates = set(running.values_list("customer_id", flat=True).distinct())
    if candidates:
        due = unanswered_lines(until=as_of - DAY, since=since, customer_ids=candidates)
        found.update(line.customer_id for line in due)
    return found


def _effective_since(as_of: date) -> set[int]:
    """Customers with movements that took effect after they were written, since the last day run."""
    since = max(_last_day_run(as_of) or date.min, as_of - LONGEST_GAP)
    rows = Movement.objects.filter(effective_on__gt=since, effective_on__lte=as_of)
    return set(
        rows.filter(created_at__lt=start_of(as_of)).values_list("customer_id", flat=True).distinct()
    )


def _last_day_run(as_of: date) -> date | None:
    done = DayRun.objects.filter(as_of__lt=as_of, state=DayRun.State.DONE)
    return done.order_by("-as_of").values_list("as_of", flat=True).first()
