"""Two customers side by side before they become one. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from gengyun.web.present import format as plain

NAMES: dict[str, Any] = {
    "name": _("Name"),
    "uscc": _("Unified social credit code"),
    "industry": _("Industry"),
    "region": _("Region"),
    "owner": _("Owner (CSM)"),
    "arr_minor": "ARR",
    "seats": _("Seats bought"),
    "edition": _("Edition"),
    "started_on": _("Start date"),
    "renews_on": _("Renewal date"),
    "next_step": _("Next step"),
    "parent": _("Parent customer"),
    "currency": _("Currency"),
    "next_step_on": _("Date of the next step"),
}


@dataclass(frozen=True)
class MergeRow:
    name: str
    label: Any
    kept: str
    gone: str
    total: str  # of both, where it may be chosen
    chosen: str
    differs: bool
    is_governed: bool = False


def field_name(name: str) -> Any:
    return NAMES.get(name, name)


def merge_rows(fields: Iterable[Any], kept: Any, gone: Any, *, zh: bool) -> list[MergeRow]:
    """Fields that both leave empty are not shown."""
    rows = []
    for field in fields:
        if field.kept in (None, "") and field.gone in (None, ""):
            continue
        total = ""
        if "sum" in field.allowed and not field.is_governed:
            total = _shown(field.name, field.kept + field.gone, kept.currency, zh=zh)
        rows.append(
            MergeRow(
                field.name,
                field_name(field.name),
                _shown(field.name, field.kept, kept.currency, zh=zh),
                _shown(field.name, field.gone, gone.currency, zh=zh),
                total,
                field.suggested,
                field.differs,
                field.is_governed,
            )
        )
    return rows


def _shown(name: str, value: Any, currency: str, *, zh: bool) -> str:
    if value in (None, ""):
        return "—"
    if name == "arr_minor":
        return str(plain.money(value, currency, zh=zh))
    if name == "owner":
        return str(value.name)
    if name.endswith("_on"):
        return str(plain.day_full(value, zh=zh))
    return str(value)
