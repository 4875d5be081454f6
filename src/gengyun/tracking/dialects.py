"""What the clients of Segment, RudderStack and PostHog ask for, and the answers they wait for.

Measured with the clients themselves (docs/tracking.md names the versions). No database in here.
"""

import ipaddress
from typing import Any
from urllib.parse import unquote

import msgspec

from gengyun.usage.calc.decode import KINDS
from gengyun.usage.calc.posthog import POSTHOG

# the long names, and the one-letter names of Segment's browser client
KIND_OF = {f"/v1/{kind}": kind for kind in (*KINDS, "batch")} | {
    "/v1/p": "page",
    "/v1/i": "identify",
    "/v1/g": "group",
    "/v1/t": "track",
    "/v1/a": "alias",
    "/v1/s": "screen",
    "/v1/b": "batch",
    "/v1/import": "batch",
    "/beacon/v1/batch": "batch",  # navigator.sendBeacon of Rudder's browser client
    "/i/v0/e": POSTHOG,
    "/i/v1/analytics/events": POSTHOG,
    "/e": POSTHOG,
    "/capture": POSTHOG,
    "/track": POSTHOG,
    "/batch": POSTHOG,
}
POSTHOG_V1 = "/i/v1/analytics/events"
# asked for at the start and answered the same for everybody: no flags, no recordings, no surveys
FLAGS = frozenset({"/flags", "/decide"})
PREFIXES = ("/v1/", "/i/", "/beacon/v1/", "/array/", "/sourceConfig")
# below /v1/, but no tracking: answered by the pages, with the database
NOT_TRACKING = ("/v1/sops/", "/v1/bounces")
OTHERS = frozenset(path + slash for path in {*KIND_OF, *FLAGS} for slash in ("", "/"))
OK = b'{"success":true}'
OK_POSTHOG = b'{"status":1}'
NO_FLAGS = msgspec.json.encode(
    {
        "featureFlags": {},
        "featureFlagPayloads": {},
        "flags": {},
        "errorsWhileComputingFlags": False,
        "supportedCompression": ["gzip", "gzip-js"],
        "sessionRecording": False,
        "surveys": False,
        "isAuthenticated": False,
        "toolbarParams": {},
        "autocapture_opt_out": True,
    }
)
_ALLOWED_HEADERS = (
    "authorization, content-type, content-encoding, x-retry-count, anonymousid, sentat,"
    " rsa-retry-attempt, rsa-retry-reason, rsa-since-first-attempt, rsa-since-last-attempt,"
    " posthog-sdk-info, posthog-attempt, posthog-request-id, posthog-request-timestamp"
)


def is_tracking_path(path: str) -> bool:
    if path.startswith(NOT_TRACKING):
        return False
    return path.startswith(PREFIXES) or path in OTHERS


def cors(origin: str, asks: str | None, *, private: bool) -> list[tuple[str, str]]:
    """The browser lets the page read our answer; the key, not this, says whose events they are.

    `asks` are the headers that a preflight wants to send: a client of tomorrow may have more.
    """
    allowed = _ALLOWED_HEADERS
    if asks and len(asks) <= 1_000 and all(c.isalnum() or c in "-_, " for c in asks):
        known = {name.strip() for name in allowed.split(",")}
        more = {name.strip().lower() for name in asks.split(",")} - known - {""}
        allowed = ", ".join([allowed, *sorted(more)])
    headers = [
        ("access-control-allow-origin", origin),
        ("access-control-allow-credentials", "true"),
        ("access-control-allow-methods", "GET, POST, OPTIONS"),
        ("access-control-allow-headers", allowed),
        ("access-control-expose-headers", "retry-after, x-ratelimit-reset"),
        ("access-control-max-age", "86400"),
        ("vary", "origin"),
    ]
    if private:  # a public page that sends to a server inside the company's network
        headers.append(("access-control-allow-private-network", "true"))
    return headers


def config_key(path: str) -> tuple[str, str] | None:
    """What is asked for and the key in the path: ("segment", key), ("posthog", …), …"""
    parts = path.strip("/").split("/")
    match parts:
        case ["v1", "projects", key, "settings"]:
            return "segment", unquote(key)
        case ["array", key, "config"]:
            return "posthog", unquote(key)
        case ["array", key, "config.js"]:
            return "posthog-js", unquote(key)
        case ["sourceConfig"]:
            return "rudder", ""
    return None


def config(dialect: str, key: str) -> bytes:
    """What the browser client starts with; it sends nothing before it has that."""
    if dialect == "posthog-js":
        return b"/* the settings are in config */"
    answer = {"segment": _segment, "rudder": _rudder, "posthog": _posthog}[dialect](key)
    return msgspec.json.encode(answer)


def _segment(key: str) -> dict[str, Any]:
    return {
        "integrations": {
            "Segment.io": {
                "apiKey": key,
                "unbundledIntegrations": [],
                "addBundledMetadata": True,
                "maybeBundledConfigIds": {},
                "versionSettings": {"version": "4.4.7", "componentTypes": ["browser"]},
            }
        },
        "plan": {
            "track": {"__default": {"enabled": True, "integrations": {}}},
            "identify": {"__default": {"enabled": True}},
            "group": {"__default": {"enabled": True}},
        },
        "edgeFunction": {},
        "analyticsNextEnabled": True,
        "middlewareSettings": {},
        "enabledMiddleware": {},
        "metrics": {"sampleRate": 0},
        "legacyVideoPluginsEnabled": False,
        "remotePlugins": [],
    }


def _rudder(key: str) -> dict[str, Any]:
    return {
        "source": {
            "id": "gengyun",
            "name": "gengyun",
            "writeKey": key,
            "enabled": True,
            "workspaceId": "gengyun",
            "config": {
                "statsCollection": {"errors": {"enabled": False}, "metrics": {"enabled": False}}
            },
            "destinations": [],
            "dataplanes": {},
            "connections": [],
        },
        "updatedAt": "2026-01-01T00:00:00.000Z",
        "consentManagementMetadata": {},
    }


def _posthog(key: str) -> dict[str, Any]:
    return {
        "token": key,
        "supportedCompression": ["gzip", "gzip-js"],
        "hasFeatureFlags": False,
        "captureDeadClicks": False,
        "capturePerformance": False,
        "autocapture_opt_out": True,
        "autocaptureExceptions": False,
        "heatmaps": False,
        "sessionRecording": False,
        "surveys": False,
        "siteApps": [],
        "analytics": {"endpoint": "/i/v0/e/"},
        "elementsChainAsString": True,
    }


class _Named(msgspec.Struct, gc=False):
    uuid: str | int | None = None


class _NamedBatch(msgspec.Struct, gc=False):
    batch: list[msgspec.Raw] | None = None  # one event is a request too


def v1_results(body: bytes) -> bytes:
    """PostHog's v1 wants a word on each event; all are stored, whatever becomes of them."""
    results = {}
    batch = msgspec.json.decode(body, type=_NamedBatch).batch
    for raw in [body] if batch is None else batch:
        try:
            name = msgspec.json.decode(raw, type=_Named).uuid
        except (msgspec.MsgspecError, UnicodeDecodeError):
            continue
        if name is not None:
            results[str(name)] = {"result": "ok"}
    return msgspec.json.encode({"results": results})


def client_address(client: str, forwarded: str | None, *, behind_proxy: bool) -> str:
    """The address of the browser: what our proxy appended, else the other end; "" if unreadable."""
    text = client.rpartition(":")[0].strip("[]")
    if behind_proxy and forwarded:
        text = forwarded.rpartition(",")[2].strip()
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return ""


def noted(body: bytes, *, ip: str = "", agent: str = "", library: str = "") -> bytes:
    """The body (a JSON object) with what the door knows as its last member, which wins."""
    told = {"ip": ip, "agent": agent[:500], "library": library[:100]}
    note = msgspec.json.encode({name: value for name, value in told.items() if value})
    head = body.rstrip()[:-1].rstrip()
    comma = b"" if head.endswith(b"{") else b","
    return head + comma + b'"_received":' + note + b"}"
