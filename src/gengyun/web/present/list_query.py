"""The customer list in an address: filters as field.op.value, sort, columns, search text."""

from dataclasses import dataclass, replace
from urllib.parse import urlencode

from gengyun.portfolio.calc.filters import WITHOUT_VALUE, Filter, parse_filters
from gengyun.portfolio.queries.customer_list import ListQuery

SEARCH = "text"
LISTS = frozenset({"in", "between"})


@dataclass(frozen=True)
class Address:
    """What the address of the list says; `path` writes it back."""

    filters: tuple[Filter, ...] = ()
    text: str = ""
    sort: str = "name"
    columns: tuple[str, ...] = ()
    view: str = ""  # key of a built-in tab or id of a saved view
    page: int = 1  # of old links; pages link to places
    after: str = ""
    before: str = ""

    @property
    def at(self):
        """Where in the list: what a page turns over and every other change takes back."""
        return {"page": self.page, "after": self.after, "before": self.before}

    def query(self):
        found = self.filters
        if self.text:
            found = (*found, Filter(SEARCH, "contains", self.text))
        return ListQuery(found, self.sort, self.columns)

    def path(self, base, **changes):
        new = replace(self, **{"page": 1, "after": "", "before": "", **changes})
        pairs = []
        if new.view:
            pairs.append(("view", new.view))
        pairs += [("f", encode(found)) for found in new.filters]
        if new.text:
            pairs.append(("q", new.text))
        if new.sort != "name":
            pairs.append(("sort", new.sort))
        pairs += [("cols", column) for column in new.columns]
        pairs += [(at, getattr(new, at)) for at in ("after", "before") if getattr(new, at)]
        if new.view and not (new.filters or new.text):
            pairs.append(("edited", "1"))  # or an emptied view would fill itself again
        return base + ("?" + urlencode(pairs) if pairs else "")

    def without(self, place):
        return tuple(f for n, f in enumerate(self.filters) if n != place)


def encode(found):
    if found.op in WITHOUT_VALUE:
        return f"{found.field}.{found.op}"
    value = ",".join(map(str, found.value)) if isinstance(found.value, list) else found.value
    return f"{found.field}.{found.op}.{value}"


def decode(text):
    field, _dot, rest = text.partition(".")
    op, _dot, value = rest.partition(".")
    raw = {"field": field, "op": op}
    if op in LISTS:
        raw["value"] = [part for part in value.split(",") if part]
    elif value:
        raw["value"] = value
    return raw


def of_request(get):
    """Read an address; refuses a filter that is not understood."""
    filters = parse_filters([decode(text) for text in get.getlist("f")])
    page = get.get("page", "1")
    return Address(
        filters=tuple(filters),
        text=get.get("q", "").strip()[:80],
        sort=get.get("sort", "") or "name",
        columns=tuple(get.getlist("cols"))[:20],
        view=get.get("view", "")[:20],
        page=int(page) if page.isdecimal() and len(page) < 9 else 1,
        after=get.get("after", ""),
        before=get.get("before", ""),
    )
