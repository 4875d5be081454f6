"""Custom fields of the pages bench: six fields, some 3.2 values for each customer."""

import random
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import islice

from gengyun.cli.benches.bulk import analyze, insert, without_indexes

STEP = 100_000
LEVELS = ("副总", "总监", "经理", "主管")


def build(customers: int, now: datetime) -> None:
    """One field of each kind; amounts on most customers, a rare number on a hundredth."""
    from gengyun.customers.actions.custom_fields import create_field
    from gengyun.customers.calc.custom import stored
    from gengyun.customers.models import FieldValue

    options = [{"name_zh": name} for name in LEVELS]
    made = {
        kind: create_field(
            actor=None,
            now=now,
            kind=kind,
            key=f"bench_{kind}",
            values={"name_zh": f"字段{kind}", "options": options},
        )
        for kind in ("money", "choice", "text", "date", "number", "bool")
    }
    chance = random.Random(11)  # noqa: S311 - made-up data
    levels = [option["key"] for option in made["choice"].options]
    today = now.date()

    def values():
        for pk in range(1, customers + 1):
            held = {
                "money": (0.8, lambda: int(chance.lognormvariate(15, 1))),
                "choice": (0.7, lambda: chance.choices(levels, (50, 30, 15, 5))[0]),
                "text": (0.6, lambda pk=pk: f"HT-{pk:06}"),
                "date": (0.5, lambda: today + timedelta(days=chance.randint(-700, 365))),
                "number": (0.01, lambda: Decimal(chance.randint(1, 9))),
                "bool": (0.6, lambda: chance.random() < 0.1),
            }
            for kind, (share, draw) in held.items():
                if chance.random() < share:
                    for place, one in enumerate(stored(made[kind].definition, draw())):
                        yield {
                            "field_id": made[kind].pk,
                            "customer_id": pk,
                            "place": place,
                            "text": one.text,
                            "number": one.number,
                            "day": one.day,
                        }

    made_up = values()
    with without_indexes(FieldValue):
        while part := list(islice(made_up, STEP)):
            insert(FieldValue, part)
    analyze()


def scenarios() -> list[tuple[str, list[str]]]:
    """(name, addresses): conditions from rare to common, alone and with others; columns; order."""
    from gengyun.customers.models import CustomField

    levels = [one["key"] for one in CustomField.objects.get(key="bench_choice").options]
    base = "/customers/?"
    filters = [
        "f=custom_bench_money.gte.1000000000",
        "f=custom_bench_money.gte.100000000&f=band.is.D",
        f"f=custom_bench_choice.is.{levels[0]}",
        f"f=custom_bench_choice.is.{levels[3]}&f=renews.within.90",
        "f=custom_bench_money.lt.500000000",
        "f=custom_bench_text.contains.HT-0001",
        "f=custom_bench_text.none",
        "f=custom_bench_date.within.30",
        "f=custom_bench_number.known",
        "f=custom_bench_number.none&f=band.in.C,D",
        "f=custom_bench_bool.is.yes&f=custom_bench_date.older.90",
    ]
    shown = "cols=custom_bench_money&cols=custom_bench_choice&cols=custom_bench_text"
    columns = [f"{base}view=all&{shown}&cols=custom_bench_date&page={n}" for n in (1, 2, 8)]
    sorts = [
        f"{base}{text}&sort={way}custom_bench_{kind}"
        for kind in ("money", "choice", "text", "date", "number")
        for way in ("", "-")
        for text in (shown, "f=band.is.D", "f=region.is.北京&f=score.lt.40")
    ]
    return [
        ("custom_filter", [base + text for text in filters]),
        ("custom_columns", columns),
        ("custom_sort", sorts),
    ]
