"""The product's pages at 100,000 customers on SQLite: CPU per request, through Django's handler.

Every request passes all middleware, the view, the template and the session, as in production; only
the socket is missing. The ceiling is the same page's SQL run bare: what the database alone costs.
"""

import gc
import itertools
import time
from datetime import UTC, datetime

PAGE_MS, SEARCH_MS = 50.0, 30.0
ROUNDS = 60  # requests of a pass
PASSES = 3  # the quietest counts: what else the machine does is no cost of a page
WARM_UP = 6
HTMX = {"HX-Request": "true"}
TYPING = {**HTMX, "HX-Target": "rows"}  # what the search field of the list sends


def run(report) -> None:
    from django.core.management import call_command
    from django.db import connection

    from gengyun.cli.benches import pages_fields, pages_world

    call_command("migrate", verbosity=0)
    report.say(f"pages: building {pages_world.CUSTOMERS:,} customers")
    now = datetime.now(UTC)
    people = pages_world.build(now)
    pages_fields.build(pages_world.CUSTOMERS, now)
    views = _views(people["admin"], now)
    gc.collect()
    gc.freeze()  # what the building left is no part of a web process
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()  # a web process opens the database as it lies on disk
    client = _client(people["admin"])
    for name, addresses, target in _scenarios(views):
        report.say(f"pages: {name}")
        value, ceiling = _measure(client, addresses)
        report.add(
            name=f"pages.{name}",
            value=value,
            unit="ms CPU p95",
            ceiling=ceiling,
            target=target,
            higher_is_better=False,
        )
    report.note(
        "pages: ceiling = the SQL of the same requests, run bare; an administrator who sees all "
        "100,000 customers; p95 of CPU time per request, user and system, in the quietest of "
        "three passes"
    )


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

    from gengyun.cli.benches import pages_fields
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
    found += [(name, paths, {}, PAGE_MS) for name, paths in pages_fields.scenarios()]
    for name, paths, headers, target in found:
        yield name, [(path, headers) for path in paths], target


def _measure(client, addresses) -> tuple[float, float]:
    """(p95 of the page, p95 of its SQL alone), in milliseconds of CPU."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    for path, headers in itertools.islice(itertools.cycle(addresses), WARM_UP):
        _ask(client, path, headers)
    passes = [
        [
            _cpu_ms(lambda path=path, headers=headers: _ask(client, path, headers))
            for path, headers in itertools.islice(itertools.cycle(addresses), ROUNDS)
        ]
        for _ in range(PASSES)
    ]
    bare = []
    for path, headers in addresses:
        with CaptureQueriesContext(connection) as captured:
            _ask(client, path, headers)
        texts = [q["sql"] for q in captured.captured_queries if q["sql"].startswith("SELECT")]
        bare += [_cpu_ms(lambda texts=texts: _run(connection, texts)) for _ in range(3)]
    return min(_p95(one) for one in passes), _p95(bare)


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
