"""Products and their editions, as operations keep them."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max

from gengyun.kernel.errors import NotFound, Refusal
from gengyun.revenue.models import Edition, Line, Movement, Opportunity, Product
from gengyun.team.actions.audit import record
from gengyun.team.models import User
from gengyun.team.queries.access import require

KEY = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")
LONGEST = 80
PRODUCT_FIELDS = ("name_zh", "name_en", "family")


class ProductNameMissing(Refusal):
    code = "product_name_missing"
    message = "A product or edition needs a name of at most 80 characters."


class ProductKeyBad(Refusal):
    code = "product_key_bad"
    message = "A key is made of small letters, digits, - and _."


class ProductKeyTaken(Refusal):
    code = "product_key_taken"
    status = 409
    message = "Another product has the key %(key)s."


class ProductInUse(Refusal):
    code = "product_in_use"
    status = 409
    message = "Contracts or opportunities name this product: it can be retired, not deleted."


class FamilyInUse(Refusal):
    code = "product_family_in_use"
    status = 409
    message = "Lines were sold under the family %(family)s: what renews what hangs on it."


class EditionInUse(Refusal):
    code = "edition_in_use"
    status = 409
    message = "Lines name the edition %(name)s: it cannot be deleted."


@transaction.atomic
def create_product(
    *, actor: User | None, now: datetime, values: Mapping[str, str], key: str = ""
) -> Product:
    """Values: name_zh, name_en, family (default: the key, so that it renews only itself)."""
    require(actor, "settings.edit")
    cleaned = _clean(values, Product())
    key = key.strip().lower() or _free_key(cleaned["name_en"])
    if not KEY.fullmatch(key):
        raise ProductKeyBad
    if Product.objects.filter(key=key).exists():
        raise ProductKeyTaken(key=key)
    last = Product.objects.aggregate(last=Max("position"))["last"]
    cleaned["family"] = cleaned.get("family") or key
    product = Product.objects.create(key=key, position=0 if last is None else last + 1, **cleaned)
    record(actor=actor, now=now, action="product.create", obj=product, changes={"key": [None, key]})
    return product


@transaction.atomic
def edit_product(
    *, actor: User | None, now: datetime, product: Product, changes: Mapping[str, str]
) -> Product:
    require(actor, "settings.edit")
    row = _locked(product)
    cleaned = _clean(changes, row)
    if "family" in cleaned:
        cleaned["family"] = cleaned["family"] or row.key
        if cleaned["family"] != row.family and Line.objects.filter(product=row).exists():
            raise FamilyInUse(family=row.family)
    _write(row, cleaned, actor=actor, now=now, action="product.edit")
    return row


def retire_product(*, actor: User | None, now: datetime, product: Product) -> Product:
    """Out of the forms; its lines and figures stay."""
    return _set_active(actor, now, product, is_active=False)


def restore_product(*, actor: User | None, now: datetime, product: Product) -> Product:
    return _set_active(actor, now, product, is_active=True)


@transaction.atomic
def delete_product(*, actor: User | None, now: datetime, product: Product) -> None:
    """Only one that nothing names."""
    require(actor, "settings.edit")
    row = _locked(product)
    for model in (Line, Movement, Opportunity):
        if model.objects.filter(product=row).exists():
            raise ProductInUse
    record(actor=actor, now=now, action="product.delete", obj=row)
    row.delete()


@transaction.atomic
def move_product_up(*, actor: User | None, now: datetime, product: Product) -> None:
    """One place earlier in forms and lists."""
    require(actor, "settings.edit")
    rows = list(Product.objects.select_for_update())
    place = next((n for n, row in enumerate(rows) if row.pk == product.pk), 0)
    if place == 0:
        return
    before = [row.key for row in rows]
    rows[place - 1], rows[place] = rows[place], rows[place - 1]
    for n, row in enumerate(rows):
        row.position = n
    Product.objects.bulk_update(rows, ["position"])
    told = {"order": [before, [row.key for row in rows]]}
    record(actor=actor, now=now, action="product.reorder", obj=product, changes=told)


@transaction.atomic
def put_editions(
    *, actor: User | None, now: datetime, product: Product, editions: list[dict[str, str]]
) -> list[Edition]:
    """The product's editions from lowest to highest: [{"key", "name_zh", "name_en"}].

    An edition of the same key keeps its lines; one that is left out is deleted if no line has it.
    """
    require(actor, "settings.edit")
    row = _locked(product)
    held = {edition.key: edition for edition in row.editions.all()}
    before = [str(edition) for edition in held.values()]
    kept: list[Edition] = []
    for rank, wanted in enumerate(editions):
        names = {name: wanted.get(name, "").strip() for name in ("name_zh", "name_en")}
        names = _both(names)
        key = wanted.get("key", "") or _edition_key(names["name_en"], [*held, *_keys(kept)])
        edition = held.pop(key, None) or Edition(product=row, key=key)
        edition.rank, edition.name_zh, edition.name_en = rank, names["name_zh"], names["name_en"]
        edition.save()
        kept.append(edition)
    for edition in held.values():
        if Line.objects.filter(edition=edition).exists():
            raise EditionInUse(name=str(edition))
        edition.delete()
    after = [str(edition) for edition in kept]
    if after != before:
        told = {"editions": [before, after]}
        record(actor=actor, now=now, action="product.editions", obj=row, changes=told)
    return kept


def _keys(editions: list[Edition]) -> list[str]:
    return [edition.key for edition in editions]


def _edition_key(name: str, taken: list[str]) -> str:
    base = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:50] or "edition"
    return _unused(base, taken)


def _free_key(name: str) -> str:
    base = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:50] or "product"
    return _unused(base, list(Product.objects.values_list("key", flat=True)))


def _unused(base: str, taken: list[str]) -> str:
    number, key = 1, base
    while key in taken:
        number += 1
        key = f"{base}-{number}"
    return key


def _clean(values: Mapping[str, str], row: Product) -> dict[str, str]:
    found = {name: values[name].strip() for name in PRODUCT_FIELDS if name in values}
    names = {n: found.get(n, getattr(row, n)) for n in ("name_zh", "name_en")}
    found |= _both(names)
    if len(found.get("family", "")) > 60:
        raise ProductNameMissing
    return found


def _both(names: dict[str, str]) -> dict[str, str]:
    """One of the two names is enough: it stands for the other as well."""
    either = names["name_zh"] or names["name_en"]
    full = {name: value or either for name, value in names.items()}
    if not either or max(len(value) for value in full.values()) > LONGEST:
        raise ProductNameMissing
    return full


@transaction.atomic
def _set_active(actor: User | None, now: datetime, product: Product, *, is_active: bool) -> Product:
    require(actor, "settings.edit")
    row = _locked(product)
    action = "product.restore" if is_active else "product.retire"
    _write(row, {"is_active": is_active}, actor=actor, now=now, action=action)
    return row


def _write(
    row: Product, values: Mapping[str, Any], *, actor: User | None, now: datetime, action: str
) -> None:
    told = {n: [getattr(row, n), v] for n, v in values.items() if getattr(row, n) != v}
    if not told:
        return
    for name, value in values.items():
        setattr(row, name, value)
    row.save(update_fields=list(values))
    record(actor=actor, now=now, action=action, obj=row, changes=told)


def _locked(product: Product) -> Product:
    row = Product.objects.select_for_update().filter(pk=product.pk).first()
    if row is None:
        raise NotFound
    return row
