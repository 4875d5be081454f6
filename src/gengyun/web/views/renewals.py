"""Renewals of a quarter or a month: the grid, its totals, the forecast of a past day."""

from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from gengyun.customers.models import Tier
from gengyun.kernel.days import start_of
from gengyun.portfolio.queries.churn import of_renewals
from gengyun.portfolio.queries.health_marks import health_marks
from gengyun.revenue.models import Category, SelfCheck
from gengyun.revenue.queries import renewals as queries
from gengyun.revenue.queries.chances import calls, disagree
from gengyun.revenue.queries.grid_lines import lines_of
from gengyun.team.models import Role
from gengyun.team.queries.access import SEES_ALL, can
from gengyun.team.queries.people import members_below, possible_owners
from gengyun.web.access import page
from gengyun.web.numbers import is_number
from gengyun.web.present import format as plain
from gengyun.web.present import marks
from gengyun.web.present import renewals as present
from gengyun.web.render import is_htmx, render
from gengyun.web.scopes import scope_links
from gengyun.web.words import pgettext, pick

TEMPLATE = "renewals/grid.html"
PAGE = 50
GROUPS = ("month", "owner", "tier")
AHEAD = {"quarter": 3, "month": 5}  # tabs after the present period; one before it
SHOWN_GAPS = 3
MOST_THEN = 5_000  # renewals that a past day is worked out for


@dataclass(frozen=True)
class Address:
    """What the address says: period, whose, filters, order, page, past day."""

    by: str = "quarter"
    period: str = ""
    scope: str = ""
    only: str = ""
    category: str = ""
    owner: str = ""
    tier: str = ""
    text: str = ""
    sort: str = "due"
    group: str = "month"
    then: str = ""
    page: int = 1

    def query(self, **changes):
        wanted = replace(self, **({"page": 1} | changes))
        found = [
            ("by", wanted.by if wanted.by != "quarter" else ""),
            ("p", wanted.period),
            ("scope", wanted.scope),
            ("only", wanted.only),
            ("cat", wanted.category),
            ("owner", wanted.owner),
            ("tier", wanted.tier),
            ("q", wanted.text),
            ("sort", wanted.sort if wanted.sort != "due" else ""),
            ("group", wanted.group if wanted.group != "month" else ""),
            ("then", wanted.then),
            ("page", str(wanted.page) if wanted.page > 1 else ""),
        ]
        return [(name, value) for name, value in found if value]

    def path(self, name="renewals", **changes):
        query = urlencode(self.query(**changes))
        return _base(name) + (f"?{query}" if query else "")


@cache
def _base(name):
    return reverse(f"web:{name}")  # the grid asks for some fifty addresses that differ in the query


def address_of(request, params):
    by = "month" if params.get("by") == "month" else "quarter"
    number, then = params.get("page", ""), params.get("then", "")
    return Address(
        by=by,
        period=present.same_in(
            present.period_of(params.get("p", ""), today=request.today, by=by), by
        ).key,
        scope=_scope(request.user, params.get("scope", "")),
        only=params.get("only", "") if params.get("only") in queries.ONLY else "",
        category=params.get("cat", "") if params.get("cat") in queries.CATEGORIES else "",
        owner=params.get("owner", "") if is_number(params.get("owner", "")) else "",
        tier=params.get("tier", "") if is_number(params.get("tier", "")) else "",
        text=params.get("q", "").strip()[:60],
        sort=params.get("sort", "") if params.get("sort") in queries.SORTS else "due",
        group=params.get("group", "") if params.get("group") in GROUPS else "month",
        then=then if _past_day(then, request.today) else "",
        page=min(int(number), 10_000) if is_number(number) and int(number) > 0 else 1,
    )


def _past_day(text, today):
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if date(2000, 1, 1) < day <= today else None


def _scope(user, wanted):
    if user.role == Role.CSM:
        return ""
    if wanted in {"mine", "team"}:
        return wanted
    return "mine" if user.role not in SEES_ALL | {Role.LEADER} else "team"


def filters_of(user, address):
    owner = int(address.owner) if address.owner else None
    if owner is None and address.scope == "mine":
        owner = user.pk
    return queries.Filters(
        owner_id=owner,
        category=address.category,
        tier_id=int(address.tier) if address.tier else None,
        only=address.only,
        text=address.text,
    )


def rows_of(user, address, *, today, narrow=True, known=None):
    """The renewals of the address; not `narrow`: without what only the table leaves out."""
    period = present.period_of(address.period, today=today, by=address.by)
    filters = filters_of(user, address)
    if not narrow:
        filters = replace(filters, only="", category="", text="")
    since = start_of(queries.monday_of(today))
    return queries.within(
        user, filters, period.first, period.last, changed_since=since, known=known
    )


@page()
def show(request):
    address = address_of(request, request.GET)
    context = board(request, address)
    return render(request, TEMPLATE, context, block="board" if is_htmx(request) else None)


def board(request, address):
    """Everything the grid page shows; after a change the same is drawn again."""
    user, today = request.user, request.today
    period = present.period_of(address.period, today=today, by=address.by)
    convert, base = queries.converter(today)
    whole = rows_of(user, address, today=today, narrow=False)
    context = {
        "address": address,
        "period": period,
        "base": base,
        "may_work": can(user, "renewal.work") and not address.then,
        "may_decide": can(user, "renewal.decide"),
        "scopes": scope_links(user, address),
        "shows_owner": user.role != Role.CSM and address.scope != "mine",
        "tabs": tabs_of(user, address, today, None if is_wide(user, address) else convert),
        "chips": _chips(address),
        "adders": _adders(user, address),
        "choices": present.categories(),
        "mark_of": present.MARKS,
        "category_word": present.category_word,
        "signal_word": present.signal_word,
        "facts": present.facts,
        "product_name": present.product_name,
        "monday": queries.monday_of(today),
    }
    if address.then:
        return context | _then(user, address, whole, convert, today)
    return context | _now(user, address, whole, convert, today)


def _now(user, address, whole, convert, today):
    since, known = start_of(queries.monday_of(today)), calls()
    is_late = is_wide(user, address)  # disagreements come after the page, as the tabs' counts do
    sums = queries.totals(whole, convert, known, with_gaps=not is_late or address.only == "gap")
    is_narrow = bool(address.only or address.category or address.text)
    rows = rows_of(user, address, today=today, known=known)
    shown_sums = _shown_sums(address, sums, rows, convert)
    if is_late:
        sums = replace(sums, apart=None)
    first = (address.page - 1) * PAGE
    ordered = _grouped_order(queries.ordered(rows, address.sort, known), address)
    keys = queries.keys_of(ordered, first, PAGE + 1)
    apart = _farthest(whole, known) if sums.gaps else []
    found = lines_of(keys[:PAGE] + apart)
    week = queries.week_of(whole, since, convert)
    return {
        "sums": sums,
        "moves": week.moved,
        "shown_sums": shown_sums,
        "is_narrow": is_narrow,
        "lines": _lines(
            [found[key] for key in keys[:PAGE] if key in found],
            address, shown_sums, convert, rows, week=week, known=known,
        ),
        "has_next": len(keys) > PAGE,
        "first_place": first + 1,
        "changed_count": week.count,
        "gaps": [present.Row(found[key], known=known) for key in apart if key in found],
    }  # fmt: skip


def _shown_sums(address, sums, rows, convert):
    """Of what the table shows; where a category alone narrows it, that is part of the whole."""
    if address.only == "gap" and not address.text and sums.apart is not None:
        return sums.apart.only({address.category} - {""})
    if address.text or address.only not in {"", "unjudged"}:
        return queries.totals(rows, convert, with_gaps=False)
    wanted = {address.category, Category.UNJUDGED if address.only else ""} - {""}
    return sums.only(wanted) if len(wanted) < 2 else queries.Totals()


def _farthest(whole, known):
    far = whole.filter(disagree(known, least_gap=2))
    return queries.keys_of(queries.ordered(far, "gap", known), 0, SHOWN_GAPS)


@page()
def apart(request):
    """The disagreements of a wide view, fetched by the page when it stands."""
    address, known = address_of(request, request.GET), calls()
    whole = rows_of(request.user, address, today=request.today, narrow=False)
    keys = _farthest(whole, known)
    found = lines_of(keys)
    context = {
        "address": address,
        "may_work": can(request.user, "renewal.work") and not address.then,
        "category_word": present.category_word,
        "signal_word": present.signal_word,
        "facts": present.facts,
        "gap_count": whole.filter(disagree(known)).count(),
        "gaps": [present.Row(found[key], known=known) for key in keys if key in found],
        "is_late": True,
    }
    return render(request, "renewals/apart.html", context)


def _then(user, address, whole, convert, today):
    """The same as it stood when a past day ended."""
    day = date.fromisoformat(address.then)
    moment_day = date.fromordinal(day.toordinal() + 1)
    count = whole.count()
    nearest = queries.shown(queries.ordered(whole, "due"))[:MOST_THEN]
    known = queries.as_of(nearest, moment_day)
    sums = queries.totals_of(known, convert)
    rows = [row for row in known if not address.category or row.category == address.category]
    rows.sort(key=lambda row: (row.due_on, row.pk))
    first = (address.page - 1) * PAGE
    return {
        "sums": sums,
        "moves": {},
        "shown_sums": queries.totals_of(rows, convert),
        "is_narrow": bool(address.category),
        "lines": _lines(rows[first:first + PAGE], replace(address, sort="due", group="month"),
                        queries.totals_of(rows, convert), convert, None, week=None),
        "has_next": len(rows) > first + PAGE,
        "first_place": first + 1,
        "left_out": max(0, count - MOST_THEN),
        "most_then": plain.count(MOST_THEN),
        "changed_count": 0,
        "gaps": [],
        "now_sums": queries.totals(whole, convert),
    }  # fmt: skip


def _grouped_order(rows, address):
    if address.group == "owner":
        return rows.order_by("customer__owner__name", "customer__owner_id", *rows.query.order_by)
    if address.group == "tier":
        return rows.order_by("customer__tier__position", *rows.query.order_by)
    return rows


def _lines(renewals, address, sums, convert, all_rows, *, week, known=None):
    """Headings and rows in one list, as they stand below one another."""
    ids = [renewal.pk for renewal in renewals]
    customers = {renewal.customer_id for renewal in renewals}
    rows = present.rows(
        renewals,
        summaries=health_marks(customers),
        checks=SelfCheck.objects.filter(renewal_id__in=ids)
        .order_by()
        .values_list("renewal_id", "question", "answer", "auto_answer")
        if week
        else (),
        was=week.before if week else {},
        odds=of_renewals(ids) if week else {},
        known=known,
    )
    if address.group == "month":
        if address.by == "month" or address.sort != "due":
            return rows
        parts = {month: sums.of(month=month) for month in sums.months}
        key, label = (
            (lambda row: row.renewal.due_on.replace(day=1)),
            (lambda row: present.month_of(row.renewal.due_on).name()),
        )
    else:
        parts = queries.by_owner_or_tier(all_rows, address.group, convert)
        if address.group == "owner":
            key, label = (lambda row: row.renewal.customer.owner_id), _owner_name
        else:
            key, label = (lambda row: row.renewal.customer.tier_id), _tier_name
    lines, last = [], object()
    for row in rows:
        if key(row) != last:
            last = key(row)
            lines.append(present.Heading(label(row), parts.get(last, queries.Part())))
        lines.append(row)
    return lines


def _owner_name(row):
    owner = row.renewal.customer.owner
    return owner.name if owner else _("nobody yet")


def _tier_name(row):
    tier = row.renewal.customer.tier
    return pick(tier) if tier else _("no tier")


def is_wide(user, address):
    """Everybody's renewals of five quarters take longer to count than the grid to draw: the counts
    of its tabs come after it."""
    return user.role in SEES_ALL and address.scope != "mine" and not address.owner


def tabs_of(user, address, today, convert):
    """The present period, one before, some after; the chosen one wherever it is. Without `convert`
    there are no counts."""
    period = present.period_of(address.period, today=today, by=address.by)
    present_one = present.month_of(today) if address.by == "month" else present.quarter_of(today)
    shown = [present_one.shifted(n) for n in range(-1, AHEAD[address.by] + 1)]
    if period not in shown:
        shown = sorted([*shown, period], key=lambda one: one.first)
    due = None
    if convert is not None:
        filters = replace(filters_of(user, address), only="", category="", text="")
        first, last = shown[0].first, shown[-1].last
        rows = queries.within(user, filters, first, last, changed_since=start_of(today))
        due = queries.due_by_month(rows, convert)
    tabs, year = [], None
    for one in shown:
        months = [value for month, value in (due or {}).items() if one.first <= month <= one.last]
        tabs.append(
            {
                "label": one.name(with_year=one.first.year != year),
                "href": address.path(period=one.key, only="", category="", text=""),
                "count": None if due is None else sum(count for count, _amount in months),
                "due": sum(amount for _count, amount in months),
                "is_current": one == period,
            }
        )
        year = one.first.year
    return tabs


@page()
def tabs(request):
    """The tabs with their counts, fetched by the page when it stands."""
    address = address_of(request, request.GET)
    convert, base = queries.converter(request.today)
    found = tabs_of(request.user, address, request.today, convert)
    context = {"address": address, "tabs": found, "base": base}
    return render(request, "renewals/tabs.html", context)


def _chips(address):
    """The filters in force, each with the address without it."""
    chips = []
    if address.category:
        word = present.category_word(address.category)
        chips.append((pgettext("renewal", "category"), word, address.path(category="")))
    if address.tier:
        tier = Tier.objects.filter(pk=int(address.tier)).first()
        chips.append((_("Tier"), pick(tier) if tier else "?", address.path(tier="")))
    if address.owner:
        owner = possible_owners().filter(pk=int(address.owner)).first()
        chips.append(("CSM", owner.name if owner else "?", address.path(owner="")))
    return chips


def _adders(user, address):
    words = [(present.category_word(key), address.path(category=key)) for key in queries.CATEGORIES]
    tiers = [(pick(tier), address.path(tier=str(tier.pk))) for tier in Tier.objects.all()]
    adders = [(pgettext("renewal", "category"), words), (_("Tier"), tiers)]
    if user.role != Role.CSM:
        # a company has hundreds of people: one address, and the person at its end
        path = address.path(owner="", scope="team")
        adders.append(("CSM", marks.picks(path, members_below(user).values_list("pk", "name"))))
    return adders


@page()
def changes(request):
    """Who changed what of the period's renewals: the record behind the forecast."""
    address = address_of(request, request.GET)
    rows = rows_of(request.user, address, today=request.today, narrow=False)
    found = queries.changes(request.user, rows).exclude(field="gap")
    first = (address.page - 1) * PAGE
    listed = list(found[first : first + PAGE + 1])
    period = present.period_of(address.period, today=request.today, by=address.by)
    context = {
        "address": address,
        "period": period,
        "changes": listed[:PAGE],
        "has_next": len(listed) > PAGE,
        "change_word": present.change_word,
        "change_value": present.change_value,
        "unjudged": Category.UNJUDGED,
    }
    return render(request, "renewals/changes.html", context)
