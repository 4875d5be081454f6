"""What the address of the tasks says, and the links that change it."""

from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from gengyun.customers.models import Customer
from gengyun.portfolio.queries.today import default_scope
from gengyun.tasks.actions.values import plain
from gengyun.tasks.calc.when import BUCKETS
from gengyun.tasks.queries import board as boards
from gengyun.tasks.queries import lists as queries
from gengyun.team.models import Role
from gengyun.team.queries.people import members_below, possible_owners
from gengyun.web.numbers import is_number
from gengyun.web.present import tasks as present
from gengyun.web.scopes import scope_links

ORIGINS = ("sop", "hand")


@dataclass(frozen=True)
class Address:
    """What the address says: list or board, tab, filters, order, page."""

    view: str = "list"
    way: str = "when"
    tab: str = "open"
    scope: str = ""
    owner: str = ""
    when: str = ""
    priority: str = ""
    origin: str = ""
    customer: str = ""
    text: str = ""
    sort: str = "when"
    page: int = 1

    def path(self, **changes):
        query = urlencode(self.fields(**changes))
        return reverse("web:tasks") + (f"?{query}" if query else "")

    def fields(self, **changes):
        """What differs from the plain list, as an address and as hidden fields say it."""
        wanted, plain = replace(self, **({"page": 1} | changes)), Address()
        return [
            ("q" if name == "text" else name, str(value))
            for name, value in vars(wanted).items()
            if value != getattr(plain, name)
        ]


def address_of(request, params):
    def among(name, allowed, default=""):
        return params.get(name, "") if params.get(name, "") in allowed else default

    def number(name):
        return params.get(name, "") if is_number(params.get(name, "")) else ""

    at = number("page")
    return Address(
        view=among("view", ("list", "board"), "list"),
        way=among("way", boards.WAYS, "when"),
        tab=among("tab", queries.TABS, "open"),
        scope=_scope(request.user, params.get("scope", "")),
        owner=number("owner"),
        when=among("when", BUCKETS),
        priority=among("priority", ("1", "2", "3")),
        origin=among("origin", ORIGINS),
        customer=number("customer"),
        text=plain(params.get("q", "")).strip()[:60],
        sort=among("sort", queries.SORTS, "when"),
        page=min(int(at), 10_000) if at and int(at) > 0 else 1,
    )


def _scope(user, wanted):
    """Everybody has work of their own; who leads may also look at that of the others."""
    if wanted in {"mine", "team"}:
        return wanted
    return "mine" if user.role != Role.VIEWER else default_scope(user)


def filters_of(address):
    return queries.Filters(
        scope=address.scope,
        owner_id=int(address.owner) if address.owner else None,
        when=address.when,
        priority=int(address.priority) if address.priority else None,
        origin=address.origin,
        customer_id=int(address.customer) if address.customer else None,
        text=address.text,
    )


def tabs(address, counts):
    words = [
        ("open", _("To do")),
        ("later", _("Put off")),
        ("made", _("Given to others")),
        ("closed", _("Done")),
    ]
    return [
        {
            "label": label,
            "href": address.path(tab=key, sort="when"),
            "count": counts.tabs.get(key),
            "is_current": key == address.tab,
        }
        for key, label in words
    ]


def scopes(user, address):
    """Also a CSM has others' tasks: about their customers, or given to colleagues."""
    if user.role == Role.CSM:
        return [
            (_("Mine"), address.path(scope="mine", owner=""), address.scope == "mine"),
            (_("All I see"), address.path(scope="team", owner=""), address.scope == "team"),
        ]
    return scope_links(user, address)


def ways(user, address):
    words = [
        ("when", _("by deadline")),
        ("progress", _("by progress")),
        ("who", _("by person")),
    ]
    return [(word, address.path(way=key), key == address.way) for key, word in words]


def chips(user, address):
    """The filters in force, each with the address without it."""
    found = []
    if address.when:
        word = present.part_word(address.when)
        found.append((_("Due day"), word, address.path(when="")))
    if address.priority:
        word = present.priority_word(int(address.priority))
        found.append((_("Priority"), word, address.path(priority="")))
    if address.origin:
        found.append((_("Made by"), _origin_word(address.origin), address.path(origin="")))
    if address.customer:
        row = _customer(user, address.customer)
        found.append((_("Customer"), row.name if row else "?", address.path(customer="")))
    if address.owner:
        row = possible_owners().filter(pk=int(address.owner)).first()
        word = row.name if row else _("nobody yet")
        found.append((_("Owner"), word, address.path(owner="")))
    return found


def _customer(user, pk):
    return Customer.objects.visible_to(user).filter(pk=int(pk)).first()


def _origin_word(origin):
    return "SOP" if origin == "sop" else _("a person")


def adders(user, address):
    """What can be filtered by: (label, [(text, address)])."""
    adders = [
        (_("Due day"), [(present.part_word(key), address.path(when=key)) for key in BUCKETS]),
        (
            _("Priority"),
            [(word, address.path(priority=str(key))) for key, word in present.priorities()],
        ),
        (_("Made by"), [(_origin_word(key), address.path(origin=key)) for key in ORIGINS]),
    ]
    people = [] if user.role == Role.CSM else list(members_below(user).only("name"))
    if people:
        found = [(_("nobody yet"), address.path(owner="0", scope="team"))]
        found += [(one.name, address.path(owner=str(one.pk), scope="team")) for one in people]
        adders.append((_("Owner"), found))
    return adders
