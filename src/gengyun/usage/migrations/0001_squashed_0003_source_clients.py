"""The short way for a new database: one table, one step. Databases with some of the migrations
named in `replaces` go on with those.

Nothing but tables, as the old ones.
"""

import django.db.models.deletion
from django.db import migrations, models

from gengyun.kernel.tables import CreateTables


class Migration(migrations.Migration):
    replaces = [
        ("usage", "0001_initial"),
        ("usage", "0002_live_state"),
        ("usage", "0003_source_clients"),
    ]

    initial = True

    dependencies = [
        ("customers", "0001_squashed_0006_import_revenue_kinds"),
    ]

    operations = [
        CreateTables(
            [
                migrations.CreateModel(
                    name="DrainState",
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
                        ("through_id", models.BigIntegerField(default=0)),
                        ("pending", models.JSONField(null=True)),
                    ],
                ),
                migrations.CreateModel(
                    name="Measure",
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
                        ("key", models.CharField(max_length=64, unique=True)),
                        ("definition", models.JSONField()),
                        ("created_at", models.DateTimeField()),
                    ],
                    options={
                        "ordering": ["key"],
                    },
                ),
                migrations.CreateModel(
                    name="Metric",
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
                        ("key", models.SlugField(max_length=60, unique=True)),
                        ("name_zh", models.CharField(max_length=60)),
                        ("name_en", models.CharField(max_length=60)),
                        (
                            "description_zh",
                            models.CharField(blank=True, default="", max_length=300),
                        ),
                        (
                            "description_en",
                            models.CharField(blank=True, default="", max_length=300),
                        ),
                        ("unit", models.CharField(default="count", max_length=12)),
                        ("direction", models.CharField(default="up", max_length=4)),
                        ("definition", models.JSONField()),
                        ("version", models.PositiveIntegerField(default=1)),
                        ("position", models.PositiveSmallIntegerField(default=0)),
                        ("created_at", models.DateTimeField()),
                        ("updated_at", models.DateTimeField()),
                        ("retired_at", models.DateTimeField(null=True)),
                    ],
                    options={
                        "ordering": ["position", "key"],
                    },
                ),
                migrations.CreateModel(
                    name="Source",
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
                        ("name", models.CharField(max_length=80)),
                        (
                            "unknown_customer",
                            models.CharField(
                                choices=[("quarantine", "Quarantine"), ("create", "Create")],
                                default="quarantine",
                                max_length=10,
                            ),
                        ),
                        ("is_history", models.BooleanField(default=False)),
                        ("is_browser", models.BooleanField(default=False)),
                        ("is_active", models.BooleanField(default=True)),
                        ("accepted_count", models.PositiveBigIntegerField(default=0)),
                        ("duplicate_count", models.PositiveBigIntegerField(default=0)),
                        ("quarantined_count", models.PositiveBigIntegerField(default=0)),
                        ("last_event_at", models.DateTimeField(null=True)),
                        ("created_at", models.DateTimeField()),
                        ("bot_count", models.PositiveBigIntegerField(default=0)),
                        ("drops_bots", models.BooleanField(default=False)),
                        ("group_type", models.CharField(default="company", max_length=40)),
                        ("ignored_count", models.PositiveBigIntegerField(default=0)),
                        ("origins", models.JSONField(blank=True, default=list)),
                    ],
                    options={
                        "ordering": ["name", "pk"],
                    },
                ),
                migrations.CreateModel(
                    name="UserAlias",
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
                        ("previous_id", models.CharField(max_length=200, unique=True)),
                        ("user_id", models.CharField(max_length=200)),
                        ("created_at", models.DateTimeField()),
                    ],
                ),
                migrations.CreateModel(
                    name="ProductUser",
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
                        ("external_id", models.CharField(max_length=200, unique=True)),
                        ("name", models.CharField(blank=True, default="", max_length=120)),
                        ("email", models.CharField(blank=True, default="", max_length=254)),
                        ("traits", models.JSONField(default=dict)),
                        ("first_seen_at", models.DateTimeField()),
                        ("last_seen_at", models.DateTimeField()),
                        (
                            "customer",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="product_users",
                                to="customers.customer",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-last_seen_at", "pk"],
                    },
                ),
                migrations.CreateModel(
                    name="Arrival",
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
                        ("received_at", models.DateTimeField()),
                        ("happened_at", models.DateTimeField(null=True)),
                        ("kind", models.CharField(max_length=12)),
                        ("event", models.CharField(blank=True, default="", max_length=200)),
                        ("user_id", models.CharField(blank=True, default="", max_length=200)),
                        ("group_id", models.CharField(blank=True, default="", max_length=200)),
                        ("outcome", models.CharField(max_length=20)),
                        ("body", models.TextField(blank=True, default="")),
                        (
                            "customer",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                to="customers.customer",
                            ),
                        ),
                        (
                            "source",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="arrivals",
                                to="usage.source",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-pk"],
                    },
                ),
                migrations.CreateModel(
                    name="WriteKey",
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
                        ("key", models.CharField(max_length=80, unique=True)),
                        ("created_at", models.DateTimeField()),
                        ("revoked_at", models.DateTimeField(null=True)),
                        ("last_used_at", models.DateTimeField(null=True)),
                        (
                            "source",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="keys",
                                to="usage.source",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-created_at", "-pk"],
                    },
                ),
                migrations.CreateModel(
                    name="QuarantinedEvent",
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
                        ("inbox_id", models.BigIntegerField()),
                        ("position", models.PositiveIntegerField()),
                        ("path", models.CharField(default="batch", max_length=10)),
                        (
                            "reason",
                            models.CharField(
                                choices=[
                                    ("unknown_customer", "Unknown Customer"),
                                    ("no_customer", "No Customer"),
                                    ("no_user", "No User"),
                                    ("no_event_name", "No Event Name"),
                                    ("bad_type", "Bad Type"),
                                    ("bad_time", "Bad Time"),
                                    ("too_large", "Too Large"),
                                    ("bad_shape", "Bad Shape"),
                                ],
                                max_length=20,
                            ),
                        ),
                        ("detail", models.CharField(blank=True, default="", max_length=300)),
                        ("group_id", models.CharField(blank=True, default="", max_length=200)),
                        ("user_id", models.CharField(blank=True, default="", max_length=200)),
                        ("received_at", models.DateTimeField()),
                        ("sent_at", models.DateTimeField(null=True)),
                        ("body", models.TextField()),
                        ("replayed_at", models.DateTimeField(null=True)),
                        (
                            "source",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="quarantine",
                                to="usage.source",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-received_at", "-pk"],
                        "indexes": [
                            models.Index(
                                fields=["source", "reason", "group_id"], name="quarantine_reason"
                            ),
                            models.Index(
                                condition=models.Q(("replayed_at__isnull", True)),
                                fields=["group_id"],
                                name="quarantine_group",
                            ),
                            models.Index(
                                condition=models.Q(("replayed_at__isnull", True)),
                                fields=["user_id"],
                                name="quarantine_user",
                            ),
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("inbox_id", "position"), name="quarantine_place"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="LiveState",
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
                        ("events_version", models.BigIntegerField(default=-1)),
                        ("measured_at", models.DateTimeField(null=True)),
                    ],
                ),
            ]
        ),
    ]
