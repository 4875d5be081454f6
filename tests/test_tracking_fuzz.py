"""Five thousand odd requests at the tracking surface: no 5xx, and the drain takes what was taken."""

import base64
import gzip
import json
import random
import socket
import zlib

import pytest
from test_tracking_recordings import DRAIN
from tracking_server import KEY, web_server

from gengyun.tracking.dialects import FLAGS, KIND_OF

pytestmark = pytest.mark.slow
REQUESTS = 5_000
BROWSER = """
import django; django.setup()
from datetime import UTC, datetime
from gengyun.usage.models import Source, WriteKey
now = datetime.now(UTC)
web = Source.objects.create(key="web", name="Web", created_at=now, is_browser=True,
                            drops_bots=True, unknown_customer="create")
WriteKey.objects.create(source=web, key="web-key", created_at=now)
"""
PATHS = [
    *KIND_OF, *FLAGS, f"/v1/projects/{KEY}/settings", f"/array/{KEY}/config", "/sourceConfig/",
    f"/array/{KEY}/config.js", "/v1/", "/v1/traces", "/array/", "/i/v0/e/x", "/v1/projects//settings",
]  # fmt: skip
NASTY = [
    None, True, False, 0, -1, 1e300, 2**63, 2**70, -0.0, "", " ", "\x00", "\ud83d", "x" * 300,
    "报表导出", "2026-01-01T00:00:00Z", "0000-00-00", "9999-12-31T23:59:59+14:00", [], {}, [[]],
    {"a": None}, {"groupId": {}}, "$identify", "$groupidentify", "track", "alias",
]  # fmt: skip
FIELDS = [
    "type", "event", "userId", "anonymousId", "previousId", "groupId", "messageId", "timestamp",
    "originalTimestamp", "sentAt", "properties", "traits", "context", "batch", "writeKey",
    "api_key", "token", "distinct_id", "uuid", "$set", "$set_once", "sent_at", "offset", "_received",
    "$groups", "$group_type", "$group_key", "$lib", "alias", "company", "library", "ip", "name",
]  # fmt: skip
HEADERS = [
    b"Authorization: Basic ", b"Authorization: Bearer", b"Authorization: \xff\xfe", b"SentAt: never",
    b"SentAt: 99999-01-01", b"Content-Encoding: gzip", b"Content-Encoding: deflate, br",
    b"Content-Encoding: \xe6\x8a\xa5", b"Origin: null", b"Origin: \xff", b"Origin: a\tb",
    b"Access-Control-Request-Headers: \xff, x", b"Content-Type: multipart/form-data",
    b"X-Forwarded-For: ,,,", b"User-Agent: \xff\x00"[:-1], b"PostHog-Sdk-Info: \xff",
    b"Expect: 100-continue", b"X-Odd: " + b"y" * 5_000,
]  # fmt: skip


def value(chance, depth=0):
    if depth < 3 and chance.random() < 0.35:
        if chance.random() < 0.3:
            return [value(chance, depth + 1) for _ in range(chance.randrange(4))]
        return {chance.choice(FIELDS): value(chance, depth + 1) for _ in range(chance.randrange(6))}
    return chance.choice(NASTY)


def event(chance):
    made = {
        "type": chance.choice(["track", "identify", "group", "alias", "page", "x"]),
        "event": chance.choice(["报表导出", "$identify", "$create_alias", "$groupidentify", ""]),
        "userId": "u_1", "distinct_id": "u_1", "api_key": KEY, "messageId": str(chance.random()),
        "context": {"groupId": "acct_88"}, "properties": {"$groups": {"company": "acct_88"}},
    }  # fmt: skip
    for _ in range(chance.randrange(4)):
        made[chance.choice(FIELDS)] = value(chance)
    return made


def body(chance):
    kind = chance.random()
    if kind < 0.1:
        return chance.randbytes(chance.randrange(200))
    made = event(chance) if kind < 0.5 else {"batch": [event(chance) for _ in range(3)]}
    if kind > 0.9:
        made = [made] if kind > 0.95 else value(chance)
    text = json.dumps(made, ensure_ascii=chance.random() < 0.5)
    data = text.encode("utf-8", "surrogatepass")
    if chance.random() < 0.2:
        at = chance.randrange(len(data) + 1)
        data = data[:at] + chance.randbytes(3) + data[at + chance.randrange(3) :]
    packed = chance.random()
    if packed < 0.1:
        data = gzip.compress(data)[: chance.choice([None, 9, 30])]
    elif packed < 0.2:
        data = zlib.compress(data)
    elif packed < 0.3:
        data = b"data=" + base64.b64encode(data)[: chance.choice([None, 7])]
    return data


def request(chance):
    path = chance.choice(PATHS)
    if chance.random() < 0.15:
        path += chance.choice(
            ["/", "//", "/..", "?writeKey=" + KEY, "?writeKey=%ff", "?&&=&", "%00"]
        )
    method = chance.choices(["POST", "GET", "OPTIONS", "PUT", "HEAD"], [85, 6, 4, 3, 2])[0]
    data = body(chance) if method in {"POST", "PUT"} else b""
    lines = [f"{method} {path} HTTP/1.1".encode(), b"Host: localhost", b"Connection: close"]
    if chance.random() < 0.8:
        key = chance.choice([KEY, "web-key", "web-key", "wrong"])
        lines.append(b"Authorization: Basic " + base64.b64encode(f"{key}:".encode()))
    lines += chance.sample(HEADERS, chance.choice([0, 0, 1, 2]))
    if data and chance.random() < 0.1:
        lines.append(b"Transfer-Encoding: chunked")
        data = b"%x\r\n%s\r\n0\r\n\r\n" % (len(data), data)
    else:
        lines.append(b"Content-Length: %d" % len(data))
    return b"\r\n".join(lines) + b"\r\n\r\n" + data


def answer(port, wire):
    """The status, or None where the server only closed the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(wire)
        got = b""
        while piece := connection.recv(65536):
            got += piece
            got = got.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n")
            if b"\r\n\r\n" in got:
                break
    found = got.split(b"\r\n", 1)[0].split(b" ")
    return int(found[1]) if len(found) > 1 and found[1].isdigit() else None


def test_odd_requests_find_no_server_error_and_drain(tmp_path):
    chance = random.Random(20261122)
    statuses = {}
    with web_server(tmp_path, workers=1) as server:
        server.python(BROWSER)
        for number in range(REQUESTS):
            wire = request(chance)
            status = answer(server.port, wire)
            statuses[status] = statuses.get(status, 0) + 1
            assert status is not None, (number, wire[:600])
            assert status < 500, (number, status, wire[:600])
        stored = len(server.waiting())
        assert stored > REQUESTS / 10
        assert statuses[200] > REQUESTS / 10
        assert {400, 401, 404, 405} <= statuses.keys()
        server.python(DRAIN)
        assert server.waiting() == []
        ((taken,),) = server.rows(
            "SELECT sum(accepted_count + duplicate_count + quarantined_count + bot_count"
            " + ignored_count) FROM usage_source"
        )
        assert taken >= stored
