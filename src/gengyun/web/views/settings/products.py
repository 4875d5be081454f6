"""Products and editions: what contracts sell."""

from django.db import transaction
from django.db.models import Count
from django.urls import reverse
from django.utils.translation import gettext as _

from gengyun.kernel.errors import NotFound, Refusal
from gengyun.revenue.actions import catalogue as actions
from gengyun.revenue.models import Line, Product
from gengyun.web.access import page
from gengyun.web.render import warn
from gengyun.web.views.settings.common import field_of, go, refusal_text, show
from gengyun.web.words import pick

ERRORS = {
    "product_name_missing": "name_zh",
    "product_key_bad": "key",
    "product_key_taken": "key",
    "product_family_in_use": "family",
    "edition_in_use": "editions",
}
SPARE_ROWS = 2  # empty rows below the editions that are there


@page("settings.read")
def products(request):
    rows = list(Product.objects.prefetch_related("editions"))
    counts = dict(
        Line.objects.filter(voided_at__isnull=True)
        .order_by()
        .values_list("product_id")
        .annotate(n=Count("customer_id", distinct=True))
    )
    context = {
        "products": [row for row in rows if row.is_active],
        "retired": [row for row in rows if not row.is_active],
        "counts": counts,
    }
    return show(request, "settings/products.html", "products", context)


@page("settings.edit", methods=("GET", "POST"))
def product_new(request):
    if request.method == "GET":
        return _form(request, None, {"editions": []}, {})
    draft = _draft(request.POST)
    try:
        product = _create(request, draft)
    except Refusal as refusal:
        return _form(request, None, draft, field_of(refusal, ERRORS), 422)
    return go(request, "settings_products", said=_("“%(name)s” made.") % {"name": pick(product)})


@page("settings.edit", methods=("GET", "POST"))
def product_edit(request, pk):
    product = _get(pk)
    if request.method == "GET":
        held = {name: getattr(product, name) for name in ("key", "name_zh", "name_en", "family")}
        held["editions"] = [
            {"key": edition.key, "name_zh": edition.name_zh, "name_en": edition.name_en}
            for edition in product.editions.all()
        ]
        return _form(request, product, held, {})
    draft = _draft(request.POST) | {"key": product.key}
    try:
        _save(request, product, draft)
    except Refusal as refusal:
        return _form(request, product, draft, field_of(refusal, ERRORS), 422)
    return go(request, "settings_products", said=_("Saved."))


@transaction.atomic  # product and editions, or neither
def _create(request, draft):
    product = actions.create_product(
        actor=request.user, now=request.now, key=draft["key"], values=_values(draft)
    )
    actions.put_editions(
        actor=request.user, now=request.now, product=product, editions=_editions(draft)
    )
    return product


@transaction.atomic
def _save(request, product, draft):
    actions.edit_product(
        actor=request.user, now=request.now, product=product, changes=_values(draft)
    )
    actions.put_editions(
        actor=request.user, now=request.now, product=product, editions=_editions(draft)
    )


@page("settings.edit", methods=("POST",))
def product_retire(request, pk):
    product = _get(pk)
    actions.retire_product(actor=request.user, now=request.now, product=product)
    back = reverse("web:settings_product_restore", args=[pk])
    said = _("“%(name)s” was retired; its lines and figures stay.") % {"name": pick(product)}
    return go(request, "settings_products", said=said, undo=back)


@page("settings.edit", methods=("POST",))
def product_restore(request, pk):
    actions.restore_product(actor=request.user, now=request.now, product=_get(pk))
    return go(request, "settings_products", said=_("Back in use."))


@page("settings.edit", methods=("POST",))
def product_delete(request, pk):
    try:
        actions.delete_product(actor=request.user, now=request.now, product=_get(pk))
    except Refusal as refusal:
        if refusal.status == 403:
            raise
        warn(request, refusal_text(refusal))
        return go(request, "settings_product", pk)
    return go(request, "settings_products", said=_("Deleted."))


@page("settings.edit", methods=("POST",))
def product_up(request, pk):
    actions.move_product_up(actor=request.user, now=request.now, product=_get(pk))
    return go(request, "settings_products")


def _get(pk):
    product = Product.objects.filter(pk=pk).first()
    if product is None:
        raise NotFound
    return product


def _draft(post):
    names = ("key", "name_zh", "name_en", "family")
    columns = [post.getlist(f"edition.{part}") for part in ("key", "zh", "en")]
    editions = [
        {"key": key, "name_zh": zh, "name_en": en} for key, zh, en in zip(*columns, strict=False)
    ]
    return {name: post.get(name, "").strip() for name in names} | {"editions": editions}


def _values(draft):
    return {name: draft[name] for name in ("name_zh", "name_en", "family")}


def _editions(draft):
    """Rows with a name; an emptied row is one to be taken away."""
    return [row for row in draft["editions"] if row["name_zh"].strip() or row["name_en"].strip()]


def _form(request, product, draft, errors, status=200):
    spare = [{"key": "", "name_zh": "", "name_en": ""}] * SPARE_ROWS
    families = Product.objects.exclude(family="").values_list("family", flat=True)
    context = {
        "product": product,
        "draft": draft,
        "rows": [*draft["editions"], *spare],
        "errors": errors,
        "families": sorted(set(families)),
    }
    return show(request, "settings/product_form.html", "products", context, status=status)
