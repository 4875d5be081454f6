"""The short way for a new database: one table, one step. Databases with some of the migrations
named in `replaces` go on with those.

Kept: 0004, the order by code point on PostgreSQL. Left out: 0003 filled `NamePair` from the
summaries there were; a new database has none.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from gengyun.kernel.tables import CreateTables


def by_code_point(apps, schema_editor):
    """On PostgreSQL too: the one index then finds what begins with a text, gives the order of a
    list and says where a page goes on, whatever the collation of the database."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            "ALTER TABLE portfolio_customersummary "
            'ALTER COLUMN search_key TYPE varchar(420) COLLATE "C"'
        )


def by_database(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            "ALTER TABLE portfolio_customersummary "
            'ALTER COLUMN search_key TYPE varchar(420) COLLATE "default"'
        )


class Migration(migrations.Migration):
    replaces = [
        ("portfolio", "0001_initial"),
        ("portfolio", "0002_stage_pace"),
        ("portfolio", "0003_name_pairs"),
        ("portfolio", "0004_names_by_code_point"),
        ("portfolio", "0005_churn_and_value"),
        ("portfolio", "0006_conditions_and_segments"),
        ("portfolio", "0007_watch_blocks"),
        ("portfolio", "0008_active_change"),
    ]

    initial = True

    dependencies = [
        ("customers", "0001_squashed_0006_import_revenue_kinds"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        CreateTables(
            [
                migrations.CreateModel(
                    name="CustomerSummary",
                    fields=[
                        (
                            "customer",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.CASCADE,
                                primary_key=True,
                                serialize=False,
                                to="customers.customer",
                            ),
                        ),
                        ("name", models.CharField(max_length=200)),
                        ("search_key", models.CharField(blank=True, default="", max_length=420)),
                        ("industry", models.CharField(blank=True, default="", max_length=60)),
                        ("region", models.CharField(blank=True, default="", max_length=60)),
                        ("tag_names", models.JSONField(default=list)),
                        ("arr_minor", models.BigIntegerField(null=True)),
                        ("currency", models.CharField(default="CNY", max_length=3)),
                        ("seats", models.PositiveIntegerField(null=True)),
                        ("renews_on", models.DateField(null=True)),
                        ("as_of", models.DateField(null=True)),
                        ("score", models.FloatField(null=True)),
                        ("band", models.CharField(default="N", max_length=1)),
                        ("coverage", models.FloatField(null=True)),
                        ("trend", models.CharField(blank=True, default="", max_length=4)),
                        ("change_week", models.FloatField(null=True)),
                        ("line", models.JSONField(default=list)),
                        ("movers", models.JSONField(default=list)),
                        ("active_users_7d", models.PositiveIntegerField(null=True)),
                        ("last_event_on", models.DateField(null=True)),
                        ("last_touch_at", models.DateTimeField(null=True)),
                        ("last_touch_kind", models.CharField(blank=True, default="", max_length=8)),
                        ("next_step", models.CharField(blank=True, default="", max_length=200)),
                        ("next_step_on", models.DateField(null=True)),
                        ("needs", models.JSONField(default=list)),
                        ("need_rank", models.IntegerField(default=0)),
                        ("need_codes", models.CharField(blank=True, default="", max_length=200)),
                        ("updated_at", models.DateTimeField()),
                        (
                            "owner",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "stage",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="customers.stage",
                            ),
                        ),
                        (
                            "tier",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="customers.tier",
                            ),
                        ),
                        ("pace", models.CharField(blank=True, default="", max_length=8)),
                        ("stage_since", models.DateField(null=True)),
                        ("churn", models.FloatField(null=True)),
                        ("churn_as_of", models.DateField(null=True)),
                        ("churn_change", models.FloatField(null=True)),
                        ("churn_grade", models.CharField(blank=True, default="", max_length=1)),
                        ("churn_high", models.FloatField(null=True)),
                        ("churn_is_estimate", models.BooleanField(default=False)),
                        ("churn_low", models.FloatField(null=True)),
                        ("churn_on", models.DateField(null=True)),
                        ("churn_refused", models.CharField(blank=True, default="", max_length=40)),
                        ("ltv_high_minor", models.BigIntegerField(null=True)),
                        ("ltv_low_minor", models.BigIntegerField(null=True)),
                        ("ltv_minor", models.BigIntegerField(null=True)),
                        ("active_change", models.FloatField(null=True)),
                    ],
                    options={
                        "ordering": ["name", "pk"],
                        "indexes": [
                            models.Index(fields=["search_key", "customer"], name="summary_search"),
                            models.Index(fields=["score", "customer"], name="summary_score"),
                            models.Index(fields=["change_week", "customer"], name="summary_change"),
                            models.Index(fields=["arr_minor", "customer"], name="summary_arr"),
                            models.Index(fields=["renews_on", "customer"], name="summary_renews"),
                            models.Index(
                                fields=["last_touch_at", "customer"], name="summary_touch"
                            ),
                            models.Index(fields=["need_rank", "customer"], name="summary_rank"),
                            models.Index(fields=["next_step_on", "customer"], name="summary_step"),
                            models.Index(
                                fields=["active_users_7d", "customer"], name="summary_active"
                            ),
                            models.Index(fields=["industry", "customer"], name="summary_industry"),
                            models.Index(fields=["region", "customer"], name="summary_region"),
                            models.Index(fields=["owner", "-need_rank"], name="summary_need"),
                            models.Index(fields=["owner", "name"], name="summary_owner_name"),
                            models.Index(fields=["band", "tier"], name="summary_band_tier"),
                            models.Index(fields=["tier", "score"], name="summary_tier_score"),
                            models.Index(fields=["pace", "customer"], name="summary_pace"),
                            models.Index(fields=["churn", "customer"], name="summary_churn"),
                            models.Index(fields=["ltv_minor", "customer"], name="summary_ltv"),
                            models.Index(
                                fields=[
                                    "customer",
                                    "owner",
                                    "tier",
                                    "stage",
                                    "band",
                                    "trend",
                                    "industry",
                                    "region",
                                    "arr_minor",
                                    "seats",
                                    "renews_on",
                                    "score",
                                    "change_week",
                                    "active_users_7d",
                                    "last_event_on",
                                    "last_touch_at",
                                    "next_step_on",
                                    "churn",
                                    "need_rank",
                                    "need_codes",
                                    "search_key",
                                ],
                                name="summary_narrow",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="SavedView",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True,
                                primary_key=True,
                                serialize=False,
                                verbose_name="ID",
                            ),
                        ),
                        ("name", models.CharField(max_length=40)),
                        ("is_shared", models.BooleanField(default=False)),
                        ("query", models.JSONField(default=dict)),
                        ("position", models.PositiveSmallIntegerField(default=0)),
                        ("created_at", models.DateTimeField()),
                        ("updated_at", models.DateTimeField()),
                        (
                            "owner",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="saved_views",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["position", "pk"],
                        "constraints": [
                            models.UniqueConstraint(fields=("owner", "name"), name="view_name")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="SeenCounters",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True,
                                primary_key=True,
                                serialize=False,
                                verbose_name="ID",
                            ),
                        ),
                        ("scope", models.CharField(max_length=8)),
                        ("visit_at", models.DateTimeField(null=True)),
                        ("values", models.JSONField(default=dict)),
                        ("before", models.JSONField(default=dict)),
                        ("before_at", models.DateTimeField(null=True)),
                        (
                            "user",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["pk"],
                        "constraints": [
                            models.UniqueConstraint(fields=("user", "scope"), name="seen_once")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Snooze",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True,
                                primary_key=True,
                                serialize=False,
                                verbose_name="ID",
                            ),
                        ),
                        ("code", models.CharField(max_length=30)),
                        ("severity", models.PositiveSmallIntegerField()),
                        ("until", models.DateField(null=True)),
                        ("since", models.DateField()),
                        ("created_at", models.DateTimeField()),
                        (
                            "customer",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="snoozes",
                                to="customers.customer",
                            ),
                        ),
                        (
                            "user",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-created_at", "-pk"],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("customer", "code", "since"), name="snooze_occurrence"
                            )
                        ],
                    },
                ),
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
                migrations.CreateModel(
                    name="Watch",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True,
                                primary_key=True,
                                serialize=False,
                                verbose_name="ID",
                            ),
                        ),
                        ("hash", models.CharField(max_length=32, unique=True)),
                        ("expression", models.JSONField()),
                        ("first_on", models.DateField()),
                        ("followed_on", models.DateField()),
                    ],
                    options={
                        "ordering": ["pk"],
                    },
                ),
                migrations.CreateModel(
                    name="Segment",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True,
                                primary_key=True,
                                serialize=False,
                                verbose_name="ID",
                            ),
                        ),
                        ("key", models.SlugField(max_length=40, unique=True)),
                        ("name", models.CharField(max_length=60)),
                        (
                            "of",
                            models.CharField(
                                choices=[
                                    ("customer", "Customers"),
                                    ("contact", "Contacts"),
                                    ("product", "Products of customers"),
                                ],
                                default="customer",
                                max_length=8,
                            ),
                        ),
                        ("expression", models.JSONField(default=dict)),
                        ("narrowed_to", models.JSONField(blank=True, default=list)),
                        ("is_shared", models.BooleanField(default=False)),
                        ("followed_on", models.DateField(null=True)),
                        ("created_at", models.DateTimeField()),
                        ("updated_at", models.DateTimeField()),
                        ("retired_at", models.DateTimeField(null=True)),
                        (
                            "owner",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["name", "pk"],
                    },
                ),
                migrations.CreateModel(
                    name="FieldState",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True,
                                primary_key=True,
                                serialize=False,
                                verbose_name="ID",
                            ),
                        ),
                        ("field", models.CharField(max_length=60)),
                        ("value", models.CharField(blank=True, default="", max_length=500)),
                        ("previous", models.CharField(max_length=500, null=True)),
                        ("changed_on", models.DateField(null=True)),
                        (
                            "customer",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to="customers.customer",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["pk"],
                        "indexes": [
                            models.Index(
                                fields=["field", "changed_on", "customer"], name="field_changed"
                            ),
                            models.Index(fields=["customer"], name="field_customer"),
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("field", "customer"), name="one_value_per_customer"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="SegmentPin",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True,
                                primary_key=True,
                                serialize=False,
                                verbose_name="ID",
                            ),
                        ),
                        ("is_in", models.BooleanField()),
                        ("reason", models.CharField(blank=True, default="", max_length=200)),
                        ("created_at", models.DateTimeField()),
                        (
                            "author",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "customer",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to="customers.customer",
                            ),
                        ),
                        (
                            "segment",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="pins",
                                to="portfolio.segment",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["pk"],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("segment", "customer"), name="one_pin_per_customer"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="SegmentStay",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True,
                                primary_key=True,
                                serialize=False,
                                verbose_name="ID",
                            ),
                        ),
                        ("product_key", models.CharField(blank=True, default="", max_length=60)),
                        ("identity", models.CharField(max_length=90)),
                        ("from_on", models.DateField()),
                        ("to_on", models.DateField(null=True)),
                        (
                            "contact",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to="customers.contact",
                            ),
                        ),
                        (
                            "customer",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="segment_stays",
                                to="customers.customer",
                            ),
                        ),
                        (
                            "segment",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="stays",
                                to="portfolio.segment",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-from_on", "pk"],
                        "indexes": [
                            models.Index(
                                fields=["segment", "to_on", "customer"], name="segment_members"
                            )
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("to_on__isnull", True)),
                                fields=("segment", "identity"),
                                name="one_open_segment_stay",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ConditionState",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True,
                                primary_key=True,
                                serialize=False,
                                verbose_name="ID",
                            ),
                        ),
                        ("since_on", models.DateField()),
                        (
                            "customer",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to="customers.customer",
                            ),
                        ),
                        (
                            "watch",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="states",
                                to="portfolio.watch",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["pk"],
                        "indexes": [
                            models.Index(
                                fields=["watch", "since_on", "customer"], name="state_since"
                            ),
                            models.Index(fields=["customer"], name="state_customer"),
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("watch", "customer"), name="one_state_per_customer"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="WatchBlock",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True,
                                primary_key=True,
                                serialize=False,
                                verbose_name="ID",
                            ),
                        ),
                        ("block", models.PositiveIntegerField()),
                        ("since", models.BinaryField()),
                        (
                            "watch",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="blocks",
                                to="portfolio.watch",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["pk"],
                        "indexes": [models.Index(fields=["watch"], name="block_watch")],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("block", "watch"), name="one_block_per_watch"
                            )
                        ],
                    },
                ),
            ]
        ),
        migrations.RunPython(by_code_point, by_database),
    ]
