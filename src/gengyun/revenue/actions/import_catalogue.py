"""Products and editions by what a cell calls them; new ones, where the import may make them."""

from dataclasses import dataclass, field
from datetime import datetime

from gengyun.customers.actions.import_kinds import Planned
from gengyun.revenue.actions.catalogue import create_product, put_editions
from gengyun.revenue.models import Edition, Product
from gengyun.team.models import User
from gengyun.team.queries.access import can


def folded(name: str) -> str:
    """GTXPro and "GTX Pro" are one product."""
    return "".join(name.split()).casefold()


@dataclass
class Catalogue:
    """Read once for a file. What is new is a row without a key of the database until `made`."""

    may_make: bool
    products: dict[str, Product] = field(default_factory=dict)
    editions: dict[tuple[int, str], Edition] = field(default_factory=dict)
    _new: int = 0

    @classmethod
    def load(cls, actor: User | None, *, create: bool) -> "Catalogue":
        """Who may not edit the catalogue makes no products by a file either."""
        found = cls(may_make=create and (actor is None or can(actor, "settings.edit")))
        for product in Product.objects.order_by("-is_active", "pk"):
            for name in (product.key, product.name_zh, product.name_en):
                found.products.setdefault(folded(name), product)
        for edition in Edition.objects.select_related("product"):
            for name in (edition.key, edition.name_zh, edition.name_en):
                found.editions.setdefault((edition.product_id, folded(name)), edition)
        return found

    def product(self, row: Planned, name: str, field_name: str = "product") -> Product | None:
        """The product, a new one, or None with the problem noted on the row."""
        known = self.products.get(folded(name))
        if known is None:
            if not self.may_make or len(name) > 80:
                row.refuse("product_unknown", field_name, name=name)
                return None
            self._new -= 1  # a key of its own until it is there
            known = Product(pk=self._new, name_zh=name, name_en=name, family=name[:60])
            self.products[folded(name)] = known
            row.flag("product_made", field_name, name=name)  # on the first of its rows
        return known

    def edition(self, row: Planned, product: Product, name: str) -> Edition | None:
        known = self.editions.get((product.pk, folded(name)))
        if known is None:
            if not self.may_make or len(name) > 80:
                row.refuse("edition_unknown", "edition", product=product.name_zh)
                return None
            self._new -= 1
            known = Edition(pk=self._new, product=product, name_zh=name, name_en=name)
            self.editions[product.pk, folded(name)] = known
            row.flag("edition_made", "edition", name=name, product=product.name_zh)
        return known


def made_product(product: Product, *, actor: User | None, now: datetime) -> Product:
    """The row of the database: a new one is made, unless the same name was made meanwhile."""
    if product.pk > 0:
        return product
    for present in Product.objects.order_by("pk"):
        if folded(product.name_zh) in {folded(present.name_zh), folded(present.name_en)}:
            return present
    values = {"name_zh": product.name_zh, "name_en": product.name_en}
    return create_product(actor=actor, now=now, values=values)


def made_edition(
    edition: Edition, product: Product, *, actor: User | None, now: datetime
) -> Edition:
    if edition.pk > 0:
        return edition
    held = list(product.editions.all())
    for present in held:
        if folded(edition.name_zh) in {folded(present.name_zh), folded(present.name_en)}:
            return present
    wanted = [*held, edition]
    rows = put_editions(
        actor=actor,
        now=now,
        product=product,
        editions=[
            {"key": row.key, "name_zh": row.name_zh, "name_en": row.name_en} for row in wanted
        ],
    )
    return rows[-1]
