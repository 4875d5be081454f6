import django.db.models.deletion
from django.db import migrations, models

from gengyun.portfolio.calc.search import inner_pairs

CHUNK = 2_000


def fill(apps, schema_editor):
    """Names that were there before their index was."""
    summary = apps.get_model("portfolio", "CustomerSummary")
    pair_of = apps.get_model("portfolio", "NamePair")
    keys = list(summary.objects.order_by("pk").values_list("pk", "search_key"))
    for start in range(0, len(keys), CHUNK):
        pair_of.objects.bulk_create(
            [
                pair_of(pair=pair, customer_id=pk)
                for pk, key in keys[start : start + CHUNK]
                for pair in inner_pairs(key)
            ],
            batch_size=1_000,
        )


class Migration(migrations.Migration):
    dependencies = [("portfolio", "0002_stage_pace")]

    operations = [
        migrations.CreateModel(
            name="NamePair",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "pair",
                        "customer",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("pair", models.BigIntegerField()),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="portfolio.customersummary",
                    ),
                ),
            ],
        ),
        migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),
    ]
