"""The short way for a new database: one table, one step. Databases with some of the migrations
named in `replaces` go on with those.

Left out: 0003 turned the order of scorecards there were into the first `ScorecardOrder`, and
0004 took away the field it came from; a new database has no scorecards.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from gengyun.kernel.tables import CreateTables


class Migration(migrations.Migration):
    replaces = [
        ("health", "0001_initial"),
        ("health", "0002_tuning"),
        ("health", "0003_order_from_the_beginning"),
        ("health", "0004_without_tier"),
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
                    name="Scorecard",
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
                        ("name_zh", models.CharField(max_length=60)),
                        ("name_en", models.CharField(max_length=60)),
                        ("position", models.PositiveSmallIntegerField(unique=True)),
                        ("retired_at", models.DateTimeField(blank=True, null=True)),
                        ("stage_keys", models.JSONField(blank=True, default=list)),
                        ("tier_ids", models.JSONField(blank=True, default=list)),
                    ],
                    options={
                        "ordering": ["position"],
                    },
                ),
                migrations.CreateModel(
                    name="ScorecardVersion",
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
                        ("number", models.PositiveIntegerField()),
                        ("config", models.JSONField()),
                        ("effective_from", models.DateField(null=True)),
                        ("note", models.CharField(blank=True, default="", max_length=200)),
                        ("published_at", models.DateTimeField()),
                        (
                            "published_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "scorecard",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="versions",
                                to="health.scorecard",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["scorecard", "-number"],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("scorecard", "number"), name="version_number"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="HealthScore",
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
                        ("as_of", models.DateField()),
                        ("score", models.FloatField(null=True)),
                        ("raw_score", models.FloatField(null=True)),
                        ("band", models.CharField(max_length=1)),
                        ("coverage", models.FloatField()),
                        ("trend", models.CharField(blank=True, default="", max_length=4)),
                        ("explanation", models.JSONField()),
                        ("history", models.JSONField(default=list)),
                        ("week_ago", models.JSONField(null=True)),
                        ("computed_at", models.DateTimeField()),
                        (
                            "version",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                to="health.scorecardversion",
                            ),
                        ),
                        ("is_overridden", models.BooleanField(default=False)),
                        ("marks", models.JSONField(default=list)),
                        ("missing", models.CharField(blank=True, default="", max_length=1000)),
                    ],
                    options={
                        "ordering": ["pk"],
                    },
                ),
                migrations.CreateModel(
                    name="HistoryTest",
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
                        ("config", models.JSONField()),
                        ("weeks", models.PositiveSmallIntegerField()),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("waiting", "Waiting"),
                                    ("done", "Done"),
                                    ("failed", "Failed"),
                                ],
                                default="waiting",
                                max_length=8,
                            ),
                        ),
                        ("result", models.JSONField(null=True)),
                        ("error", models.CharField(blank=True, default="", max_length=300)),
                        ("asked_at", models.DateTimeField()),
                        ("finished_at", models.DateTimeField(null=True)),
                        (
                            "asked_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "scorecard",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="tests",
                                to="health.scorecard",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-pk"],
                    },
                ),
                migrations.CreateModel(
                    name="PeerCurve",
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
                        ("metric", models.CharField(max_length=60)),
                        ("peers", models.CharField(max_length=80)),
                        ("quarter", models.DateField()),
                        ("percentiles", models.JSONField(null=True)),
                        ("count", models.PositiveIntegerField()),
                        ("made_at", models.DateTimeField()),
                    ],
                    options={
                        "ordering": ["quarter", "pk"],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("metric", "peers", "quarter"), name="peer_curve_once"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ScorecardDraft",
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
                        ("config", models.JSONField()),
                        ("base_number", models.PositiveIntegerField(default=0)),
                        ("saved_at", models.DateTimeField()),
                        (
                            "saved_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "scorecard",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="draft",
                                to="health.scorecard",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["pk"],
                    },
                ),
                migrations.CreateModel(
                    name="ScorecardOrder",
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
                        ("effective_from", models.DateField(null=True)),
                        ("entries", models.JSONField(default=list)),
                        ("made_at", models.DateTimeField()),
                        (
                            "made_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["pk"],
                    },
                ),
                migrations.CreateModel(
                    name="HealthOverride",
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
                        (
                            "mode",
                            models.CharField(
                                choices=[("set", "Set"), ("add", "Add")], max_length=3
                            ),
                        ),
                        ("points", models.FloatField()),
                        ("reason", models.CharField(max_length=300)),
                        ("known_at", models.DateTimeField()),
                        ("valid_until", models.DateField()),
                        ("ended_at", models.DateTimeField(null=True)),
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
                                related_name="overrides",
                                to="customers.customer",
                            ),
                        ),
                        (
                            "ended_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-known_at", "-pk"],
                        "indexes": [
                            models.Index(fields=["customer", "-known_at"], name="override_newest")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Sentiment",
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
                        (
                            "level",
                            models.PositiveSmallIntegerField(
                                choices=[
                                    (1, "Alarmed"),
                                    (2, "Worried"),
                                    (3, "Steady"),
                                    (4, "Confident"),
                                ]
                            ),
                        ),
                        ("reason", models.CharField(max_length=300)),
                        ("known_at", models.DateTimeField()),
                        ("valid_until", models.DateField()),
                        ("ended_at", models.DateTimeField(null=True)),
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
                                related_name="sentiments",
                                to="customers.customer",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-known_at", "-pk"],
                        "indexes": [
                            models.Index(fields=["customer", "-known_at"], name="sentiment_newest")
                        ],
                    },
                ),
            ]
        ),
    ]
