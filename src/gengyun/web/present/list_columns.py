"""The columns of the customer list: key, header, sort key, what an export writes."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from gengyun.kernel.currencies import major
from gengyun.kernel.days import day_of
from gengyun.portfolio.queries.custom import SORTED_BY
from gengyun.web.present import churn
from gengyun.web.present.custom import NUMERIC
from gengyun.web.words import is_zh, pick

CENT = Decimal("0.01")


@dataclass(frozen=True)
class Column:
    key: str
    name: Any
    sort: str = ""
    first_down: bool = False  # the first click sorts the largest first
    is_number: bool = False
    export: Callable[[Any], Any] = str

    @property
    def label(self):
        """The unit of amounts is told once, in the header: 万元, or thousands in English."""
        if self.key == "arr":
            return gettext("ARR (10k yuan)") if is_zh() else gettext("ARR (k yuan)")
        if self.key == "ltv":
            return (
                gettext("LTV, 3 years (10k yuan)") if is_zh() else gettext("LTV, 3 years (k yuan)")
            )
        return self.name


def _amount(row):
    return None if row.arr_minor is None else major(row.arr_minor, row.currency)


def _worth(row):
    return None if row.ltv_minor is None else (Decimal(row.ltv_minor) / 100).quantize(CENT)


def _share(value):
    return None if value is None else round(value, 4)


def _range(row):
    return churn.interval(row.churn_low, row.churn_high)


def _grade(row):
    return churn.grade_word(row.churn_grade) if row.churn is not None else ""


def _day(moment):
    return day_of(moment) if moment else None


def _count(row, key):
    return row.seats if key == "seats" else row.active_users_7d


def _owner(row):
    return row.owner.name if row.owner else ""


def _rounded(value):
    return None if value is None else round(value, 1)


_ALL = [
    Column("name", _("Customer"), "name", export=lambda row: row.name),
    Column("tier", _("Tier"), export=lambda row: pick(row.tier)),
    Column("health", _("Health"), "score", export=lambda row: _rounded(row.score)),
    Column("line", _("12 weeks"), export=lambda row: row.band),
    Column("change", _("vs last week"), "change", False, True, lambda r: _rounded(r.change_week)),
    Column("arr", "", "arr", True, True, _amount),
    Column("churn", _("Churn probability"), "churn", True, True, lambda row: _share(row.churn)),
    Column(
        "churn_change", _("vs a month ago"), is_number=True, export=lambda row: row.churn_change
    ),
    Column("churn_range", _("80% interval"), export=_range),
    Column("churn_on", _("Due day of the probability"), export=lambda row: row.churn_on or ""),
    Column("churn_grade", _("Confidence"), export=_grade),
    Column("ltv", _("LTV, 3 years"), "ltv", True, True, _worth),
    Column("renews", _("Renews"), "renews", False, True, lambda row: row.renews_on),
    Column("touch", _("Last contact"), "touch", export=lambda row: _day(row.last_touch_at)),
    Column("next_step", _("Next step"), "next_step", export=lambda row: row.next_step),
    Column(
        "owner",
        pgettext_lazy("column", "CSM"),
        export=lambda row: row.owner.name if row.owner else "",
    ),
    Column("stage", _("Stage"), export=lambda row: pick(row.stage)),
    Column("stage_since", _("In the stage since"), export=lambda row: row.stage_since or ""),
    Column("need", _("Needs"), "need", True, export=lambda row: len(row.needs)),
    Column(
        "active", _("Active users, 7 days"), "active", True, True, lambda r: _count(r, "active")
    ),
    Column("industry", _("Industry"), export=lambda row: row.industry),
    Column("region", _("Region"), export=lambda row: row.region),
    Column("tags", _("Tags"), export=lambda row: " ".join(row.tag_names)),
    Column("seats", _("Seats"), is_number=True, export=lambda row: _count(row, "seats")),
]
COLUMNS = {column.key: column for column in _ALL}
DEFAULT = (
    "name", "tier", "health", "line", "change", "arr", "renews", "touch", "next_step", "owner",
)  # fmt: skip


def chosen(keys, customs=None):
    """The columns to show, in the order of the keys; the name always, and first.

    `customs`: the company's own fields by name; a key that is neither is left out.
    """
    wanted = [key for key in dict.fromkeys(keys) if key in COLUMNS or key in (customs or {})]
    rest = [key for key in wanted or DEFAULT if key != "name"]
    return [column_of(key, customs or {}) for key in ("name", *rest)]


def column_of(key, customs):
    return COLUMNS.get(key) or custom_column(customs[key])


def custom_column(field):
    """A column of the company's own: its values come from a query of the view that shows it."""
    return Column(
        field.name,
        pick(field),
        field.name if field.kind in SORTED_BY else "",
        first_down=field.kind in {"number", "money"},
        is_number=field.kind in NUMERIC,
    )
