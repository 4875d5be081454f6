"""Finding users and customers by what a cell of an import calls them."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from gengyun.customers.actions.import_kinds import Planned
from gengyun.customers.models import Customer
from gengyun.customers.queries.merges import kept_by_gone
from gengyun.team.models import Role, User


def folded(text: str) -> str:
    return " ".join(text.split()).casefold()


@dataclass
class People:
    """Users by address or exact name, without regard to capital letters."""

    by_email: dict[str, User] = field(default_factory=dict)
    by_name: dict[str, list[User]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def load(cls) -> "People":
        people = cls()
        for user in User.objects.order_by("pk"):
            people.by_email[user.email.casefold()] = user
            people.by_name[folded(user.name)].append(user)
        return people

    def find(self, planned: Planned, field_name: str) -> User | None:
        """The user, or None with a problem noted on the row."""
        written = folded(planned.values[field_name])
        if written in self.by_email:
            return self.by_email[written]
        found = self.by_name.get(written, [])
        found = [user for user in found if user.is_active] or found
        if len(found) == 1:
            return found[0]
        planned.refuse("owner_ambiguous" if found else "owner_unknown", field_name)
        return None

    @staticmethod
    def can_own(user: User) -> bool:
        return user.is_active and user.role != Role.VIEWER


@dataclass
class Book:
    """Customers by id and by exact name; those the actor may not see are known as such."""

    by_external_id: dict[str, int] = field(default_factory=dict)
    by_name: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    visible: set[int] | None = None  # None: all

    @classmethod
    def load(cls, actor: User | None) -> "Book":
        book = cls()
        part_of = kept_by_gone()
        rows = Customer.objects.order_by("pk").values_list("pk", "external_id", "name")
        for own, external_id, name in rows.iterator(chunk_size=20_000):
            # what is written of a customer that became part of another is meant for that one
            pk = part_of.get(own, own)
            book.by_external_id[external_id] = pk
            named = book.by_name[folded(name)]
            if pk not in named:
                named.append(pk)
        if Customer.objects.visible_to(actor).count() < len(book.by_external_id):
            seen = Customer.objects.visible_to(actor).order_by().values_list("pk", flat=True)
            book.visible = set(seen)
        return book

    def may_see(self, pk: int) -> bool:
        return self.visible is None or pk in self.visible

    def of_name(self, name: str) -> list[int]:
        """Customers of this name: the visible ones, or the others if there are none."""
        found = self.by_name.get(folded(name), [])
        return [pk for pk in found if self.may_see(pk)] or found

    def find(self, planned: Planned, field_name: str) -> int | None:
        """The customer that a cell names by id or name, or None with a problem noted."""
        written: str = planned.values[field_name]
        found = self.by_external_id.get(written)
        if found is None:
            named = self.of_name(written)
            if len(named) != 1:
                code = "customer_ambiguous" if named else "customer_unknown"
                planned.refuse(code, field_name)
                return None
            found = named[0]
        if not self.may_see(found):
            # the same answer as for one that is not there: a file must not tell who exists
            planned.refuse("customer_unknown", field_name)
            return None
        return found


def customers_by_id(ids: Iterable[int]) -> dict[int, Customer]:
    """Rows in bulk, without a query per customer."""
    wanted = list(ids)
    found: dict[int, Customer] = {}
    for start in range(0, len(wanted), 5_000):
        for customer in Customer.objects.filter(pk__in=wanted[start : start + 5_000]):
            found[customer.pk] = customer
    return found
