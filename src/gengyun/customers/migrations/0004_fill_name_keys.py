from typing import Any

from django.db import migrations

BATCH = 2_000


def fill(apps: Any, schema_editor: Any) -> None:
    from gengyun.customers.calc.company_names import name_key

    customer = apps.get_model("customers", "Customer")
    last = 0
    while True:
        rows = list(customer.objects.filter(pk__gt=last).order_by("pk").only("pk", "name")[:BATCH])
        if not rows:
            return
        for row in rows:
            row.name_key = name_key(row.name)
        customer.objects.bulk_update(rows, ["name_key"], batch_size=500)
        last = rows[-1].pk


class Migration(migrations.Migration):
    dependencies = [("customers", "0003_names_journeys_merges")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
