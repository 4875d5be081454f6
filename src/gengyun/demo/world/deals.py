"""What the contracts of the demo company consist of: things sold, and deeds of the ledger."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

TAX_BP = 600  # software as a service is invoiced with 6 % value added tax
MAINTENANCE_BP = 1_800  # a year's maintenance of a bought-out licence, of its price


@dataclass(frozen=True)
class Sold:
    """A product of 禾舟 as the catalogue names it."""

    key: str
    name_zh: str
    name_en: str
    family: str
    editions: tuple[tuple[str, str, str], ...] = ()  # key, Chinese, English; lowest first


COLLAB, INSIGHT, CONNECT, LICENCE, CARE, SERVICE = (
    "collab", "insight", "connect", "onprem", "onprem-care", "service",
)  # fmt: skip
CATALOGUE = (
    Sold(
        COLLAB, "禾舟协同", "Hezhou Collab", "collab",
        (("standard", "标准版", "Standard"), ("professional", "专业版", "Professional"),
         ("flagship", "旗舰版", "Flagship")),
    ),
    Sold(INSIGHT, "禾舟洞察", "Hezhou Insight", "insight"),
    Sold(CONNECT, "禾舟连接", "Hezhou Connect", "connect"),
    Sold(LICENCE, "私有化部署许可", "On-premises licence", "onprem"),
    Sold(CARE, "私有化维护", "On-premises maintenance", "onprem"),
    Sold(SERVICE, "实施与培训", "Implementation and training", "service"),
)  # fmt: skip
EDITION_KEY = {zh: key for sold in CATALOGUE for key, zh, _en in sold.editions}


@dataclass(frozen=True)
class Part:
    """One line as it is bought. Amounts in yuan without tax; the contract adds the tax."""

    product: str
    kind: str  # subscription, usage, maintenance, licence, one_off
    arr_yuan: int = 0
    price_yuan: int = 0  # licence and one-off: in all
    edition: str = ""
    seats: int | None = None


@dataclass(frozen=True)
class Deed:
    """Something that is entered in the books on the day `on`.

    verb: sign, renew, grow, lose, end, extend, archive, invoice, pay, dispute. `facts` are what
    the verb needs; see `demo.load.books`, which does them.
    """

    on: date
    account: int
    verb: str
    facts: dict[str, Any] = field(default_factory=dict)


VERB_ORDER = (  # begin: the day on which something signed before takes effect
    "sign", "renew", "grow", "extend", "lose", "end", "begin", "archive",
    "invoice", "dispute", "pay",
)  # fmt: skip


def in_order(deeds: list[Deed]) -> list[Deed]:
    """By day; on one day a contract comes before its invoice."""
    return sorted(deeds, key=lambda d: (d.on, VERB_ORDER.index(d.verb), d.account))


def with_tax(yuan: int) -> int:
    """Yuan without tax to fen with tax; exact, as all amounts are whole yuan."""
    return yuan * (10_000 + TAX_BP) // 100
