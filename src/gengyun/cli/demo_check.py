"""`gengyun demo --check`: a walk over every page as each role, and one event from end to end."""

import base64
import json
import re
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.cookiejar import CookieJar

# where people write texts with variables, and are told which there are
WRITTEN = re.compile(r"<textarea\b.*?</textarea>|<code\b.*?</code>|value=\"[^\"]*\"", re.DOTALL)
ARRIVAL_SECONDS = 45
ARGUMENT = re.compile(r"<(?:\w+:)?(\w+)>")
# views that decide by their argument; here for the argument the walk gives them
DECIDED_INSIDE = {
    "web:customer_cell": "customer.edit",
    "web:customer_merge": "customer.merge",
    "web:customer_merge_choose": "customer.merge",
}


@dataclass(frozen=True)
class Page:
    name: str
    path: str
    access: str  # public, login, or a capability
    is_sample_missing: bool  # the demo has no such object; 404 is right


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


class Browser:
    """Cookies and forms, as a person's browser would send them."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.cookies = CookieJar()
        self._opener = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(self.cookies), _NoRedirect
        )

    def get(self, path: str) -> tuple[int, str]:
        return self._send(urllib.request.Request(self.address + path))  # noqa: S310

    def post(self, path: str, form: dict[str, str]) -> tuple[int, str]:
        token = next((c.value for c in self.cookies if c.name == "csrftoken"), "") or ""
        body = urllib.parse.urlencode({**form, "csrfmiddlewaretoken": token}).encode()
        return self._send(urllib.request.Request(self.address + path, data=body))  # noqa: S310

    def _send(self, request: urllib.request.Request) -> tuple[int, str]:
        try:
            with self._opener.open(request, timeout=30) as answer:
                return answer.status, answer.read().decode("utf-8", "replace")
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode("utf-8", "replace")


def look_around(address: str, *, say: Callable[[str], None]) -> list[str]:
    """Problems found: empty when all is well."""
    from gengyun.demo.load.people import LOGINS, PASSWORD
    from gengyun.team.models import User

    problems: list[str] = []
    stranger = Browser(address)
    for page in pages(None):
        status, _ = stranger.get(page.path)
        expected = {200, 302} if page.access == "public" else {302}
        if page.is_sample_missing and page.access == "public":
            expected = {404}
        problems += _judge("a stranger", page, status, expected)
    for colleague in LOGINS:
        browser = Browser(address)
        browser.get("/login/")
        status, _ = browser.post("/login/", {"username": colleague.email, "password": PASSWORD})
        if status != 302:
            problems.append(f"{colleague.role} cannot log in: {status}")
            continue
        user = User.objects.get(email=colleague.email)
        asked = 0
        for page in pages(user):
            status, body = browser.get(page.path)
            problems += _judge(colleague.role, page, status, _expected(user, page))
            if status == 200 and "{{" in WRITTEN.sub("", body):
                problems.append(f"{colleague.role} {page.path}: template text on the page")
            asked += 1
        say(f"  {colleague.role:<11} {asked} pages")
    problems += send_one_event(address, say=say)
    return problems


def _expected(user, page: Page) -> set[int]:
    from gengyun.team.queries.access import can

    access = DECIDED_INSIDE.get(page.name, page.access)
    if access not in {"public", "login"} and not can(user, access):
        return {403}
    return {404} if page.is_sample_missing else {200, 204, 302, 303}


def _judge(who: str, page: Page, status: int, expected: set[int]) -> list[str]:
    if status in expected:
        return []
    return [f"{who} {page.path} ({page.name}): {status}, expected {sorted(expected)}"]


# ---- which pages there are


def pages(user) -> Iterator[Page]:
    """Every path that answers GET, its arguments filled with objects this person may see."""
    from django.urls import get_resolver

    from gengyun.cli.demo_samples import samples

    found = samples(user)
    for name, pattern, callback in _walk(get_resolver().url_patterns, ""):
        if "GET" not in getattr(callback, "methods", {"GET"}) or name.endswith(":logout"):
            continue
        filled, is_missing = _fill(pattern, found)
        yield Page(name, filled, getattr(callback, "access", "login"), is_missing)


def _walk(patterns, prefix: str, namespace: str = ""):
    for entry in patterns:
        path = prefix + str(entry.pattern)
        if hasattr(entry, "url_patterns"):
            inner = f"{namespace}{entry.namespace}:" if entry.namespace else namespace
            yield from _walk(entry.url_patterns, path, inner)
        else:
            yield f"{namespace}{entry.name}", "/" + path, entry.callback


def _fill(pattern: str, samples: dict[str, object]) -> tuple[str, bool]:
    """`/customers/<int:pk>/` -> `/customers/17/`; and whether no such object exists."""
    is_missing = False

    def value(match: re.Match[str]) -> str:
        nonlocal is_missing
        name = match[1]
        place = pattern[: match.start()].strip("/")
        found = samples.get(name if name != "pk" else place, samples.get(f"{place}/{name}"))
        is_missing |= found is None
        return str(999_999_999 if found is None else found)

    return ARGUMENT.sub(value, pattern), is_missing


# ---- one event from end to end


def send_one_event(address: str, *, say: Callable[[str], None]) -> list[str]:
    """Post a tracked event with the demo's key and wait until the worker has stored it."""
    from gengyun.customers.models import Customer
    from gengyun.usage.models import Arrival, WriteKey

    customer = Customer.objects.present().order_by("pk").first()
    key = WriteKey.objects.filter(revoked_at__isnull=True).order_by("pk").first()
    if customer is None or key is None:
        return ["the demo has no customer or no write key"]
    user_id = f"demo-check-{uuid.uuid4().hex[:8]}"
    event = {
        "event": "查看看板",
        "userId": user_id,
        "context": {"groupId": customer.external_id},
        "properties": {"module": "经营看板"},
    }
    request = urllib.request.Request(  # noqa: S310
        f"{address}/v1/track",
        data=json.dumps(event).encode(),
        headers={
            "Content-Type": "application/json",
            "Authorization": "Basic " + base64.b64encode(f"{key.key}:".encode()).decode(),
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            status = answer.status
    except urllib.error.HTTPError as error:
        return [f"/v1/track answered {error.code}: {error.read().decode('utf-8', 'replace')[:200]}"]
    start = time.monotonic()
    while time.monotonic() - start < ARRIVAL_SECONDS:
        arrival = Arrival.objects.filter(user_id=user_id).first()
        if arrival is not None:
            seconds = time.monotonic() - start
            say(f"  event       {status}, {arrival.outcome} after {seconds:.1f} s")
            return [] if arrival.outcome == "accepted" else [f"event became {arrival.outcome}"]
        time.sleep(0.3)
    return [f"an acknowledged event did not arrive within {ARRIVAL_SECONDS} s"]
