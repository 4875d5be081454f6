"""Odd requests at the pages, drawn by hypothesis: paths, methods, query strings, forms, bodies."""

import inspect
import json
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import parse_qsl, quote, quote_from_bytes, urlsplit

from hypothesis import strategies as st

METHODS = ("GET", "GET", "GET", "POST", "POST", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW")
TEXTS = (
    b"", b" ", b"0", b"-1", b"1", b"00", b"1e5", b"1.5", b"NaN", b"inf", b"-inf", b"1e999", b"true", b"null",
    b"9" * 25, b"9" * 5_000, str(2**31).encode(), str(2**63).encode(), str(-(2**63) - 1).encode(),
    "²".encode(), "٣".encode(), "１２".encode(), "十万".encode(), b"0x10", b"1_000", b"1,000.5", b"12%",
    b"\x00", b"a\x00b", b"\xff\xfe", b"\xed\xa0\x80", "\u202e\u200b".encode(), "👩‍👩‍👧".encode(), "\ufeff客户".encode(),
    b"2026-02-30", b"0000-00-00", b"0001-01-01", b"9999-12-31", b"2026-11-22", b"2026-11-22T25:00", b"31/12/2026",
    b"x" * 300, "耕".encode() * 4_000, b"' OR 1=1 --", b"<script>alert(1)</script>", b"{{ 7*7 }}", b"%s%d%(x)s", b"{x}{0}",
    b"../../etc/passwd", b"//evil.example/", b"javascript:alert(1)", b"http://[::1", b"=1+1", b"(", b"[", b"*", b"\\",
    b"{}", b"[]", b"[[[", b'{"a":', b"null", b"\r\nX-Odd: 1", b"a" * 70_000, b"%", b"%ZZ", b"_", b"-", b".", b"a/b",
)  # fmt: skip
NAMES = (
    "page", "q", "sort", "view", "tab", "scope", "days", "cursor", "before", "after", "open", "sev", "owner", "rule",
    "ids", "verb", "value", "back", "next", "tier", "band", "weeks", "metric", "from", "to", "name", "f", "c", "kind", "month",
)  # fmt: skip
TYPES = (
    "application/json", "text/plain", "multipart/form-data", "multipart/form-data; boundary=x",
    "application/x-www-form-urlencoded; charset=utf-16", "application/x-www-form-urlencoded; charset=odd", "\xff", "",
)  # fmt: skip
HEADERS = (
    {}, {}, {}, {"HTTP_HX_REQUEST": "true"}, {"HTTP_HX_REQUEST": "true"},
    {"HTTP_HX_REQUEST": "true", "HTTP_HX_CURRENT_URL": "http://[odd"}, {"HTTP_REFERER": "http://[::1"},
    {}, {}, {}, {}, {"HTTP_HX_REQUEST": "true"}, {"HTTP_ACCEPT_LANGUAGE": "x" * 500}, {"HTTP_ACCEPT_LANGUAGE": "zh-Hans-CN;q=odd,*;q=9"}, {"HTTP_HOST": "odd host"},
    {"HTTP_COOKIE": "sessionid=\xff; csrftoken=;;;="}, {"HTTP_IF_MODIFIED_SINCE": "never", "HTTP_RANGE": "bytes=-"},
)  # fmt: skip
MOST_TEXT = 90_000  # of one body: more is refused by the server's own limit, which is one outcome


@dataclass(frozen=True)
class View:
    pattern: str
    methods: tuple
    names: tuple  # of the parameters that its module reads


@dataclass(frozen=True)
class Form:
    action: str
    method: str
    fields: tuple = ()


@dataclass
class Request:
    method: str
    path: str
    query: str = ""
    body: bytes = b""
    content_type: str = "application/x-www-form-urlencoded"
    headers: dict = field(default_factory=dict)

    def __str__(self):
        sent = f"{self.method} {self.path[:120]}?{self.query[:160]}"
        return f"{sent} [{self.content_type[:40]}] {self.body[:400]!r} {self.headers}"


class Forms(HTMLParser):
    """The forms of a page, with the names and values that a person would send."""

    def __init__(self, path):
        super().__init__()
        self.path, self.found, self.links = path, [], set()
        self._open, self._select = None, None

    def handle_starttag(self, tag, attrs):
        has = dict(attrs)
        if tag == "form":
            action = urlsplit(has.get("action") or has.get("hx-post") or self.path)
            self._open = (action.path or self.path, (has.get("method") or "get").upper(), [])
        elif tag == "a" and (has.get("href") or "").startswith("/"):
            self.links.add(has["href"])
        elif tag in {"input", "button", "textarea", "select"} and has.get("name"):
            self._select = has["name"] if tag == "select" else None
            if tag != "select":
                self._add(has["name"], has.get("value") or "")
        elif tag == "option" and self._select:
            self._add(self._select, has.get("value") or "")

    def handle_endtag(self, tag):
        if tag == "form" and self._open:
            path, method, fields = self._open
            self.found.append(Form(path, method, tuple(dict.fromkeys(fields))))
            self._open = None

    def _add(self, name, value):
        # a control that stands outside names its form by id: here it counts for the one before
        if name == "csrfmiddlewaretoken":
            return
        if self._open:
            self._open[2].append((name, value))
        elif self.found:
            last = self.found[-1]
            self.found[-1] = Form(last.action, last.method, (*last.fields, (name, value)))


READ = re.compile(r'(?:get|getlist|whole|text|day|amount|choice)\(\s*"([a-z_]+)"|\["([a-z_]+)"\]')


def view_of(pattern, callback):
    """What a view may be asked: its methods, and every name of a field in its module."""
    source = inspect.getsource(inspect.getmodule(inspect.unwrap(callback)))
    names = {one or other for one, other in READ.findall(source)}
    return View(
        pattern, tuple(sorted(getattr(callback, "methods", ("GET",)))), tuple(sorted(names))
    )


def forms_of(path, html):
    reader = Forms(path)
    reader.feed(html)
    return reader.found, reader.links


def _odd(draw):
    if draw(st.integers(0, 5)) == 0:
        return draw(st.text(max_size=12)).encode("utf-8", "surrogatepass")
    return draw(st.sampled_from(TEXTS))


def _pairs(draw, known, names=()):
    """The pairs of a form or query: left out, doubled, turned odd, or joined by strangers."""
    made = []
    for name, value in known:
        fate = draw(st.integers(0, 9))
        if fate == 0:
            continue
        made.append((name, _odd(draw) if fate < 4 else value.encode("utf-8", "replace")))
        if fate == 9:
            made.append((name, _odd(draw)))
    strangers = (*NAMES, *(name for name, _value in known))
    for _ in range(draw(st.integers(0, 2))):
        name = draw(st.sampled_from(names if names and draw(st.integers(0, 4)) else strangers))
        made.append((name, _odd(draw)))
    return made


def _encoded(pairs):
    text = "&".join(f"{quote(name)}={quote_from_bytes(value)}" for name, value in pairs)
    return text[:MOST_TEXT]


def _chosen(draw, fields):
    """One value of each name, as a person chooses one of the options."""
    options = {}
    for name, value in fields:
        options.setdefault(name, []).append(value)
    return [(name, draw(st.sampled_from(values))) for name, values in options.items()]


def _filled(draw, pattern, samples):
    """A path of the URL space; each argument mostly one that exists, else an odd one."""

    def value(match):
        known = samples.get(match[0])
        if known and draw(st.integers(0, 7)):
            return quote(str(draw(st.sampled_from(known))), safe="")
        return quote_from_bytes(_odd(draw)[:2_000], safe="/")

    return re.sub(r"<[^>]+>", value, pattern)


def _multipart(draw, pairs):
    parts = []
    for name, value in pairs:
        parts.append(
            b'--odd\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
            % (name.encode(), value)
        )
    if draw(st.booleans()):
        file_name = _odd(draw)[:200].replace(b"\r\n", b"")
        parts.append(
            b'--odd\r\nContent-Disposition: form-data; name="file"; filename="%s"\r\n'
            b"Content-Type: text/csv\r\n\r\n%s\r\n" % (file_name, _odd(draw))
        )
    return b"".join(parts) + draw(st.sampled_from((b"--odd--\r\n", b"--odd", b"")))


@st.composite
def requests(draw, *, views, samples, forms, queries):
    """One request. `forms` and `queries` were met on the pages; the rest is made up."""
    headers = draw(st.sampled_from(HEADERS))
    if forms and draw(st.integers(0, 9)) < 5:
        form = draw(st.sampled_from(forms))
        pairs = _one_odd(draw, _chosen(draw, form.fields))
        if form.method == "GET":
            return Request("GET", quote(form.action), _encoded(pairs), headers=headers)
        return _sent(draw, "POST", form.action, "", pairs, headers)
    view = draw(st.sampled_from(views))
    path = _filled(draw, view.pattern, samples)
    known = parse_qsl(draw(st.sampled_from(queries))) if queries and draw(st.booleans()) else []
    query = _encoded(_pairs(draw, known, view.names))[:20_000]
    method = draw(st.sampled_from((*view.methods, *view.methods, *view.methods, *METHODS)))
    if method in {"GET", "HEAD", "OPTIONS"}:
        return Request(method, path, query, headers=headers)
    return _sent(draw, method, path, query, _pairs(draw, (), view.names), headers)


SWEPT = (
    b"9" * 5_000,
    b"9" * 18,
    "²".encode(),
    b"\x00",
    b"9999-12-31",
    b"0001-01-01",
    b"NaN",
    b"[[[",
)


def sweep(views, samples):
    """Every view that answers GET, all the names it reads at once, one odd value after the other."""
    for view in views:
        if "GET" not in view.methods or "logout" in view.pattern:
            continue
        path = re.sub(
            r"<[^>]+>", lambda match: quote(str((samples.get(match[0]) or ["1"])[0])), view.pattern
        )
        for value in SWEPT:
            yield Request("GET", path, _encoded([(name, value) for name in view.names]))


def _one_odd(draw, pairs):
    """Mostly a form as a person sends it but for one field: so that it gets past the first check."""
    if not pairs or draw(st.integers(0, 3)) == 0:
        return _pairs(draw, pairs)
    at = draw(st.integers(0, len(pairs) - 1))
    return [
        (name, _odd(draw) if place == at else value.encode("utf-8", "replace"))
        for place, (name, value) in enumerate(pairs)
    ]


def _sent(draw, method, path, query, pairs, headers):
    form = draw(st.integers(0, 9))
    if form == 0:
        body = json.dumps({name: value.decode("utf-8", "replace") for name, value in pairs})
        return Request(method, path, query, body.encode(), "application/json", headers)
    if form == 1:
        kind = draw(st.sampled_from(TYPES))
        return Request(method, path, query, _odd(draw), kind, headers)
    if form in {2, 3}:
        body = _multipart(draw, pairs)
        return Request(method, path, query, body, "multipart/form-data; boundary=odd", headers)
    body = _encoded(pairs).encode()
    return Request(method, path, query, body, headers=headers)
