"""The short way for a new database: one table, one step. Databases with some of the migrations
named in `replaces` go on with those.

Nothing but tables, as the old ones.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from gengyun.kernel.tables import CreateTables


class Migration(migrations.Migration):
    replaces = [
        ("churn", "0001_initial"),
        ("churn", "0002_backtest_rows"),
        ("churn", "0003_forecast_history"),
        ("churn", "0004_forecast_base"),
    ]

    initial = True

    dependencies = [
        ("customers", "0001_squashed_0006_import_revenue_kinds"),
        ("revenue", "0001_squashed_0008_renewal_asked"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        CreateTables(
            [
                migrations.CreateModel(
                    name="ChurnModel",
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
                            "event",
                            models.CharField(
                                choices=[
                                    ("non_renewal", "Not renewed"),
                                    ("silent", "Falls silent"),
                                ],
                                max_length=12,
                            ),
                        ),
                        ("rung", models.CharField(max_length=2)),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("champion", "In use"),
                                    ("challenger", "Challenger"),
                                    ("retired", "Retired"),
                                ],
                                default="challenger",
                                max_length=10,
                            ),
                        ),
                        ("content", models.JSONField()),
                        ("feature_set", models.CharField(blank=True, default="", max_length=40)),
                        ("feature_hash", models.CharField(blank=True, default="", max_length=64)),
                        ("trained_at", models.DateTimeField()),
                        ("cutoff", models.DateField()),
                        ("rows", models.PositiveIntegerField(default=0)),
                        ("events", models.PositiveIntegerField(default=0)),
                        ("outcomes", models.PositiveIntegerField(default=0)),
                        ("span_from", models.DateField(blank=True, null=True)),
                        ("span_to", models.DateField(blank=True, null=True)),
                        ("settings", models.JSONField(default=dict)),
                        ("race", models.JSONField(default=dict)),
                        ("metrics", models.JSONField(default=dict)),
                        ("intercept_shift", models.FloatField(default=0.0)),
                        ("promoted_at", models.DateTimeField(blank=True, null=True)),
                        ("retired_at", models.DateTimeField(blank=True, null=True)),
                        ("note", models.CharField(blank=True, default="", max_length=300)),
                        (
                            "previous",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="followers",
                                to="churn.churnmodel",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-pk"],
                        "indexes": [
                            models.Index(fields=["event", "state"], name="churn_model_state")
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("state", "champion")),
                                fields=("event",),
                                name="churn_one_champion",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ChurnForecast",
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
                        ("as_of", models.DateField()),
                        (
                            "event",
                            models.CharField(
                                choices=[
                                    ("non_renewal", "Not renewed"),
                                    ("silent", "Falls silent"),
                                ],
                                max_length=12,
                            ),
                        ),
                        ("due_on", models.DateField(blank=True, null=True)),
                        ("lag_days", models.IntegerField(blank=True, null=True)),
                        ("probability", models.FloatField(blank=True, null=True)),
                        ("low", models.FloatField(blank=True, null=True)),
                        ("high", models.FloatField(blank=True, null=True)),
                        ("p30", models.FloatField(blank=True, null=True)),
                        ("p90", models.FloatField(blank=True, null=True)),
                        ("p180", models.FloatField(blank=True, null=True)),
                        ("grade", models.CharField(blank=True, default="", max_length=1)),
                        ("refused", models.CharField(blank=True, default="", max_length=40)),
                        ("drivers", models.JSONField(default=list)),
                        ("missing", models.JSONField(default=list)),
                        ("counterfactuals", models.JSONField(default=list)),
                        ("feature_hash", models.CharField(blank=True, default="", max_length=64)),
                        ("amount_minor", models.BigIntegerField(blank=True, null=True)),
                        ("currency", models.CharField(blank=True, default="", max_length=3)),
                        ("computed_at", models.DateTimeField()),
                        (
                            "customer",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="churn_forecasts",
                                to="customers.customer",
                            ),
                        ),
                        (
                            "renewal",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="churn_forecasts",
                                to="revenue.renewal",
                            ),
                        ),
                        (
                            "tier",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to="customers.tier",
                            ),
                        ),
                        (
                            "model",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="churn.churnmodel",
                            ),
                        ),
                        ("history", models.JSONField(default=list)),
                        ("base", models.FloatField(blank=True, null=True)),
                    ],
                    options={
                        "ordering": ["customer", "due_on", "pk"],
                        "indexes": [
                            models.Index(fields=["customer", "due_on"], name="churn_forecast_due")
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("renewal__isnull", False)),
                                fields=("renewal",),
                                name="churn_once_renewal",
                            ),
                            models.UniqueConstraint(
                                condition=models.Q(("renewal__isnull", True)),
                                fields=("customer",),
                                name="churn_once_customer",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Backtest",
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
                        ("created_at", models.DateTimeField()),
                        ("finished_at", models.DateTimeField(blank=True, null=True)),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("running", "Running"),
                                    ("done", "Done"),
                                    ("failed", "Failed"),
                                ],
                                default="running",
                                max_length=8,
                            ),
                        ),
                        (
                            "event",
                            models.CharField(
                                choices=[
                                    ("non_renewal", "Not renewed"),
                                    ("silent", "Falls silent"),
                                ],
                                max_length=12,
                            ),
                        ),
                        ("settings", models.JSONField(default=dict)),
                        ("result", models.JSONField(null=True)),
                        ("error", models.CharField(blank=True, default="", max_length=300)),
                        (
                            "requested_by",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "model",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="backtests",
                                to="churn.churnmodel",
                            ),
                        ),
                        ("rows", models.JSONField(null=True)),
                    ],
                    options={
                        "ordering": ["-pk"],
                    },
                ),
                migrations.CreateModel(
                    name="ChurnSettings",
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
                            "event",
                            models.CharField(
                                choices=[
                                    ("auto", "By what there is"),
                                    ("non_renewal", "Not renewed"),
                                    ("silent", "Falls silent"),
                                ],
                                default="auto",
                                max_length=12,
                            ),
                        ),
                        ("grace_days", models.PositiveSmallIntegerField(default=60)),
                        ("silent_days", models.PositiveSmallIntegerField(default=180)),
                        ("weights", models.JSONField(blank=True, default=dict)),
                        ("base_rates", models.JSONField(blank=True, default=dict)),
                        ("thresholds", models.JSONField(blank=True, default=dict)),
                        ("version", models.PositiveIntegerField(default=1)),
                        ("updated_at", models.DateTimeField(blank=True, null=True)),
                        (
                            "updated_by",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                    ],
                    options={
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(("pk", 1)), name="churn_settings_one_row"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="DriftCheck",
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
                        ("as_of", models.DateField()),
                        ("psi", models.JSONField(default=dict)),
                        ("cusum", models.FloatField(blank=True, null=True)),
                        ("decided", models.PositiveIntegerField(default=0)),
                        (
                            "action",
                            models.CharField(
                                choices=[
                                    ("none", "None"),
                                    ("recalibrate", "Recalibrate"),
                                    ("retrain", "Retrain"),
                                ],
                                default="none",
                                max_length=12,
                            ),
                        ),
                        ("told", models.JSONField(default=dict)),
                        (
                            "model",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="drift_checks",
                                to="churn.churnmodel",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-as_of", "-pk"],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("as_of", "model"), name="churn_drift_once"
                            )
                        ],
                    },
                ),
            ]
        ),
    ]
