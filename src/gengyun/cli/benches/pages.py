"""The product's pages at 100,000 customers: CPU per request, through Django's handler.

On SQLite, or on PostgreSQL (GENGYUN_DATABASE_URL), where `--customers 1000000` is promised too.
Every request passes all middleware, the view, the template and the session, as in production; only
the socket is missing. The ceiling is the same page's SQL run bare: what the database alone costs.
"""

import gc
import itertools
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

PAGE_MS, SEARCH_MS = 50.0, 30.0
LARGE_MS = 80.0  # of every page with more customers than that
FLAT = 1.25  # the thousandth page against the first: within the noise of a busy machine
ROUNDS = 60  # requests of a pass
PASSES = 3  # the quietest counts: what else the machine does is no cost of a page
WARM_UP = 6
HTMX = {"HX-Request": "true"}
TYPING = {**HTMX, "HX-Target": "rows"}  # what the search field of the list sends


def run(report) -> None:
    from django.core.management import call_command
    from django.db import connection

    from gengyun.cli.benches import pages_fields, pages_renewals, pages_world

    call_command("migrate", verbosity=0)
    customers = report.customers or pages_world.CUSTOMERS
    report.say(f"pages: building {customers:,} customers on {connection.vendor}")
    now = datetime.now(UTC)
    people = pages_world.build(now, customers)
    pages_fields.build(customers, now)
    pages_renewals.build(customers, now)
    views = _views(people["admin"], now)
    gc.collect()
    gc.freeze()  # what the building left is no part of a web process
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()  # a web process opens the database as it lies on disk
    client = _client(people["admin"])
    is_large = customers > pages_world.CUSTOMERS
    for name, addresses, target in _scenarios(views):
        report.say(f"pages: {name}")
        found = _measure(client, addresses)
        report.add(
            name=f"pages.{name}",
            value=found.page,
            unit="ms CPU p95",
            ceiling=found.bare,
            target=LARGE_MS if is_large else target,
            higher_is_better=False,
        )
        if found.database is not None:
            report.add(name=f"pages.{name}.database", value=found.database, unit="ms CPU p95")
    _tell_depth(report, client)
    report.note(
        "pages: ceiling = the SQL of the same requests, run bare; an administrator who sees all "
        f"{customers:,} customers; p95 of CPU time per request, user and system, in the quietest "
        "of three passes; .database = the same requests' CPU time in the PostgreSQL server"
    )


def _tell_depth(report, client) -> None:
    """Page 1, 100 and 1,000 of the same lists in turn, so that noise falls on all alike."""
    depths = {page: _pages_at(page) for page in (1, 100, 1_000)}
    if not all(depths.values()):
        return
    times: dict[int, list[float]] = {page: [] for page in depths}
    for _ in range(ROUNDS):
        for page, addresses in depths.items():
            times[page] += [_cpu_ms(lambda path=path: _ask(client, path, {})) for path in addresses]
    first = statistics.median(times[1])
    for page, found in times.items():
        report.add(
            name=f"pages.deep.{page}",
            value=statistics.median(found),
            unit="ms CPU median",
            ceiling=first if page > 1 else None,
            target=None if page == 1 else first * FLAT,
            higher_is_better=False,
        )


def _pages_at(page: int) -> list[str]:
    """The page of that number in four orders; empty where the list ends before it."""
    from datetime import date
    from urllib.parse import urlencode

    from gengyun.portfolio.calc.cursor import Place, written
    from gengyun.portfolio.models import CustomerSummary
    from gengyun.portfolio.queries.customer_list import PAGE_SIZE, SORTS, matching, sorted_by

    found = []
    for sort in ("name", "-score", "arr", "renews"):
        asked = {"view": "all", "sort": sort, "edited": "1"}
        if page > 1:
            rows = sorted_by(matching(None, (), today=date.min), sort)
            column = SORTS[sort.removeprefix("-")]
            place = (page - 1) * PAGE_SIZE - 1
            before = list(
                CustomerSummary.objects.filter(
                    pk__in=rows.values("pk")[place : place + 1]
                ).values_list(column, "pk")
            )
            if not before:
                return []
            asked["after"] = written(Place(sort, *before[0]))
        found.append(f"/customers/?{urlencode(asked)}")
    return found


def _views(admin: int, now: datetime) -> list[int]:
    from gengyun.portfolio.actions.views import save_view
    from gengyun.team.models import User

    actor = User.objects.get(pk=admin)
    wanted = {
        "大客户风险": ([("arr", "gte", 10_000_000), ("band", "in", ["C", "D"])], "-arr"),
        "华东到期": (
            [("region", "in", ["上海", "杭州", "苏州"]), ("renews", "within", 90)],
            "renews",
        ),
        "很久没联系": ([("touch", "older", 30), ("score", "lt", 70)], "touch"),
    }
    made = []
    for name, (filters, sort) in wanted.items():
        found = [dict(zip(("field", "op", "value"), one, strict=True)) for one in filters]
        query = {"filters": found, "sort": sort}
        made.append(save_view(actor=actor, now=now, name=name, query=query).pk)
    return made


def _client(user_id: int):
    from django.test import Client

    from gengyun.team.models import User

    client = Client(SERVER_NAME="localhost")
    client.force_login(
        User.objects.get(pk=user_id), backend="django.contrib.auth.backends.ModelBackend"
    )
    return client


def _scenarios(views: list[int]):
    """(name, [(address, headers)], target)."""
    from urllib.parse import quote

    from gengyun.cli.benches import pages_fields, pages_renewals
    from gengyun.portfolio.queries.customer_list import SORTS

    base = "/customers/"
    plain = [f"{base}?view=all&page={n}" for n in (1, 2, 3, 8, 15)]
    filters = [
        "f=band.is.D",
        "f=band.in.C,D&f=tier.is.1",
        f"f=region.is.{quote('北京')}",
        f"f=industry.is.{quote('科技')}&f=score.lt.60",
        "f=renews.within.90&f=band.in.C,D",
        "f=arr.gte.50000000",
        "f=touch.older.30",
        f"f=tag.has.{quote('标杆')}",
        "f=need.is.no_contact",
        "f=churn.gte.40&f=renews.within.90",
        f"f=region.is.{quote('杭州')}&f=industry.is.{quote('教育')}&f=tier.is.1&f=band.is.D",
    ]
    sorts = [f"{base}?f=score.known&sort={way}{key}" for key in SORTS for way in ("", "-")]
    words = ("云启", "科技", "杭州", "智能", "京云", "启数", "甲乙", "星野")
    found = [
        ("list", plain, {}, PAGE_MS),
        ("filter", [f"{base}?{text}" for text in filters], {}, PAGE_MS),
        ("sort", sorts, {}, PAGE_MS),
        ("saved_view", [f"{base}?view={pk}" for pk in views], {}, PAGE_MS),
        ("tab_counts", [f"{base}tabs/?view={pk}" for pk in views or ["all"]], HTMX, PAGE_MS),
        ("customer", [f"{base}{pk}/" for pk in range(1, 4000, 67)], {}, PAGE_MS),
        ("search_in_list", [f"{base}?q={quote(w)}" for w in words], TYPING, SEARCH_MS),
        ("search_anywhere", [f"/go/?q={quote(w)}" for w in words], HTMX, SEARCH_MS),
    ]
    for part in (pages_fields, pages_renewals):
        found += [(name, paths, {}, PAGE_MS) for name, paths in part.scenarios()]
    for name, paths, headers, target in found:
        yield name, [(path, headers) for path in paths], target


@dataclass(frozen=True)
class _Measured:
    """p95 in milliseconds of CPU: the page, its SQL alone, and the server's part of the page."""

    page: float
    bare: float
    database: float | None  # None: the database is no process that can be watched


def _measure(client, addresses) -> _Measured:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    for path, headers in itertools.islice(itertools.cycle(addresses), WARM_UP):
        _ask(client, path, headers)
    server = _server_clock(connection)
    passes, served = [], []
    for _ in range(PASSES):
        times = []
        for path, headers in itertools.islice(itertools.cycle(addresses), ROUNDS):
            before = server() if server else 0.0
            times.append(_cpu_ms(lambda path=path, headers=headers: _ask(client, path, headers)))
            served.append(server() - before if server else 0.0)
        passes.append(times)
    bare = []
    for path, headers in addresses:
        with CaptureQueriesContext(connection) as captured:
            _ask(client, path, headers)
        texts = [q["sql"] for q in captured.captured_queries if q["sql"].startswith("SELECT")]
        bare += [_cpu_ms(lambda texts=texts: _run(connection, texts)) for _ in range(3)]
    return _Measured(
        min(_p95(one) for one in passes),
        _p95(bare),
        min(_p95(served[n * ROUNDS : (n + 1) * ROUNDS]) for n in range(PASSES)) if server else None,
    )


def _server_clock(connection) -> Callable[[], float] | None:
    """Milliseconds of CPU that the server's process of this connection used, if it is on Linux."""
    if connection.vendor != "postgresql":
        return None
    with connection.cursor() as cursor:
        # helpers of a parallel query would not be seen
        cursor.execute("SET max_parallel_workers_per_gather = 0")
        cursor.execute("SELECT pg_backend_pid()")
        used = Path(f"/proc/{cursor.fetchone()[0]}/schedstat")
    try:
        used.read_text()
    except OSError:
        return None  # on another machine
    return lambda: int(used.read_text().split()[0]) / 1e6


def _ask(client, path: str, headers: dict) -> None:
    response = client.get(path, headers=headers)
    if response.status_code != 200:
        raise RuntimeError(f"{path} answered {response.status_code}")


def _run(connection, texts: list[str]) -> None:
    # the statements come with their values filled in, so nothing is bound
    for text in texts:
        connection.connection.execute(text).fetchall()


def _cpu_ms(call) -> float:
    start = time.process_time()
    call()
    return (time.process_time() - start) * 1000


def _p95(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.95)]
