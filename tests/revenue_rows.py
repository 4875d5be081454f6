"""Products, contracts and lines for tests of revenue; boring defaults."""

from datetime import UTC, date, datetime, timedelta

from factories import make_customer

NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)  # a Monday, 10:00 in Shanghai
START, END = date(2025, 4, 1), date(2026, 3, 31)


def at(day):
    """Ten in the morning of the company's day."""
    return datetime(day.year, day.month, day.day, 2, 0, tzinfo=UTC)


def make_product(key="crm", **values):
    from gengyun.revenue.models import Product

    defaults = {"name_zh": key, "name_en": key, "family": key}
    return Product.objects.get_or_create(key=key, defaults=defaults | values)[0]


def make_contract(customer=None, *, now=NOW, starts_on=START, ends_on=END, **values):
    from gengyun.revenue.actions.contracts import create_contract

    return create_contract(
        actor=None,
        now=now,
        customer=customer or make_customer(),
        starts_on=starts_on,
        ends_on=ends_on,
        **values,
    )


def new_line(product=None, amount=1_200_000, starts_on=START, ends_on=END, **values):
    from gengyun.revenue.actions.lines import NewLine

    return NewLine(
        product=product or make_product(),
        amount_minor=amount,
        starts_on=starts_on,
        ends_on=ends_on,
        **values,
    )


def add_line(contract, *, now=NOW, previous=None, signed_on=None, **values):
    from gengyun.revenue.actions.lines import append_line

    return append_line(
        actor=None,
        now=now,
        contract=contract,
        line=new_line(**values),
        previous=previous,
        signed_on=signed_on,
    )


def ledger_of(customer):
    """(kind, effective on, amount) of every movement, in the order they were written."""
    from gengyun.revenue.models import Movement

    rows = Movement.objects.filter(customer=customer).order_by("pk")
    return [(row.kind, row.effective_on.isoformat(), row.arr_minor) for row in rows]


def year_after(day, years=1):
    return day.replace(year=day.year + years)


DAY = timedelta(days=1)
