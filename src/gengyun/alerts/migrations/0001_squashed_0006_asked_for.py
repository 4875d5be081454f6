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
        ("alerts", "0001_initial"),
        ("alerts", "0002_budget_and_assignment"),
        ("alerts", "0003_commercial_rules"),
        ("alerts", "0004_churn_rules"),
        ("alerts", "0005_survey_answers"),
        ("alerts", "0006_asked_for"),
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
                    name="AlertDay",
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
                        ("as_of", models.DateField(unique=True)),
                        ("judged_at", models.DateTimeField()),
                        ("seconds", models.FloatField(default=0)),
                        ("counts", models.JSONField(default=dict)),
                        ("notes", models.JSONField(default=list)),
                    ],
                    options={
                        "ordering": ["-as_of"],
                    },
                ),
                migrations.CreateModel(
                    name="AlertPolicy",
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
                        ("daily_budget", models.PositiveSmallIntegerField(default=3)),
                        ("parent_days", models.PositiveSmallIntegerField(default=3)),
                        ("raise_gap_days", models.PositiveSmallIntegerField(default=7)),
                        ("reopen_days", models.PositiveSmallIntegerField(default=30)),
                        ("snooze_days", models.PositiveSmallIntegerField(default=30)),
                        ("day_starts_hour", models.PositiveSmallIntegerField(default=9)),
                        ("day_ends_hour", models.PositiveSmallIntegerField(default=18)),
                        ("updated_at", models.DateTimeField(null=True)),
                        ("churn_monthly_per_hundred", models.PositiveSmallIntegerField(default=4)),
                        ("churn_weekly", models.PositiveSmallIntegerField(default=3)),
                    ],
                    options={
                        "ordering": ["pk"],
                    },
                ),
                migrations.CreateModel(
                    name="RiskCause",
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
                        ("name_zh", models.CharField(max_length=60)),
                        ("name_en", models.CharField(max_length=60)),
                        (
                            "grade",
                            models.CharField(
                                choices=[("high", "High"), ("medium", "Medium"), ("low", "Light")],
                                default="medium",
                                max_length=6,
                            ),
                        ),
                        ("position", models.PositiveSmallIntegerField(default=0)),
                        ("created_at", models.DateTimeField()),
                        ("retired_at", models.DateTimeField(blank=True, null=True)),
                        (
                            "parent",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="children",
                                to="alerts.riskcause",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["position", "pk"],
                    },
                ),
                migrations.CreateModel(
                    name="AlertRule",
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
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("usage_drop", "Usage drop"),
                                    ("dormant", "Dormant"),
                                    ("slow_slide", "Slow slide"),
                                    ("activation_low", "Activation low"),
                                    ("stage_late", "Stage late"),
                                    ("source_silent", "Data source silent"),
                                    ("outage", "Product-wide outage"),
                                    ("band_change", "Health band fell"),
                                    ("score_drop", "Health score fell"),
                                    ("contact_left", "Contact left"),
                                    ("renewal_window", "Renewal window"),
                                    ("payment_overdue", "Payment overdue"),
                                    ("seats_reduced", "Seats reduced"),
                                    ("churn_jump", "Churn probability rose"),
                                    ("risk_noted", "Risk noted"),
                                    ("sentiment_drop", "Sentiment fell"),
                                    ("seats_full", "Seats full"),
                                    ("survey_low", "Low survey answer"),
                                    ("asked_for", "Asked for by an SOP"),
                                    ("metric", "Metric"),
                                ],
                                max_length=16,
                            ),
                        ),
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
                        ("severity", models.PositiveSmallIntegerField(default=2)),
                        ("params", models.JSONField(blank=True, default=dict)),
                        ("scope", models.JSONField(blank=True, default=dict)),
                        ("is_active", models.BooleanField(default=True)),
                        ("cool_down_days", models.PositiveSmallIntegerField(default=14)),
                        (
                            "first_response_hours",
                            models.PositiveSmallIntegerField(blank=True, default=9, null=True),
                        ),
                        (
                            "resolve_days",
                            models.PositiveSmallIntegerField(blank=True, default=10, null=True),
                        ),
                        ("routes", models.JSONField(blank=True, default=list)),
                        ("position", models.PositiveSmallIntegerField(default=0)),
                        ("version", models.PositiveIntegerField(default=1)),
                        ("created_at", models.DateTimeField()),
                        ("updated_at", models.DateTimeField()),
                        ("retired_at", models.DateTimeField(blank=True, null=True)),
                        (
                            "cause",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="rules",
                                to="alerts.riskcause",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["position", "pk"],
                    },
                ),
                migrations.CreateModel(
                    name="Alert",
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
                        ("key", models.CharField(max_length=120)),
                        ("family", models.SlugField(max_length=40)),
                        ("severity", models.PositiveSmallIntegerField()),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("open", "Open"),
                                    ("snoozed", "Snoozed"),
                                    ("closed", "Closed"),
                                ],
                                default="open",
                                max_length=8,
                            ),
                        ),
                        ("opened_on", models.DateField()),
                        ("opened_at", models.DateTimeField()),
                        ("in_digest", models.BooleanField(default=False)),
                        ("severity_raised_on", models.DateField(null=True)),
                        ("last_seen_on", models.DateField()),
                        ("response_due_at", models.DateTimeField(null=True)),
                        ("resolve_due_at", models.DateTimeField(null=True)),
                        ("responded_at", models.DateTimeField(null=True)),
                        ("escalated_at", models.DateTimeField(null=True)),
                        ("escalation_level", models.PositiveSmallIntegerField(default=0)),
                        ("snoozed_until", models.DateField(null=True)),
                        ("snooze_reason", models.CharField(blank=True, default="", max_length=200)),
                        ("closed_at", models.DateTimeField(null=True)),
                        (
                            "close_reason",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("manual", "Closed by a person"),
                                    ("cleared", "The condition is gone"),
                                    ("rule", "The rule was changed"),
                                    ("gone", "The customer is archived"),
                                ],
                                default="",
                                max_length=8,
                            ),
                        ),
                        (
                            "verdict",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("true", "True"),
                                    ("false", "False alarm"),
                                    ("known", "Known"),
                                ],
                                default="",
                                max_length=5,
                            ),
                        ),
                        ("was_it_us", models.BooleanField(null=True)),
                        ("note", models.TextField(blank=True, default="")),
                        ("updated_at", models.DateTimeField()),
                        (
                            "closed_by",
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
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="alerts",
                                to="customers.customer",
                            ),
                        ),
                        (
                            "escalated_to",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "owner",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="alerts",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "parent",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="parts",
                                to="alerts.alert",
                            ),
                        ),
                        (
                            "previous",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to="alerts.alert",
                            ),
                        ),
                        (
                            "responded_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "rule",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="alerts",
                                to="alerts.alertrule",
                            ),
                        ),
                        (
                            "cause",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="alerts",
                                to="alerts.riskcause",
                            ),
                        ),
                        ("is_assigned", models.BooleanField(default=False)),
                        ("ticket_on", models.DateField(null=True)),
                    ],
                    options={
                        "ordering": ["severity", "opened_at", "pk"],
                        "indexes": [
                            models.Index(fields=["owner", "state", "severity"], name="alert_queue"),
                            models.Index(fields=["customer", "-opened_at"], name="alert_customer"),
                            models.Index(fields=["state", "severity"], name="alert_state"),
                            models.Index(fields=["rule", "-closed_at"], name="alert_rule_closed"),
                            models.Index(fields=["key", "-opened_at"], name="alert_key"),
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("state", "closed"), _negated=True),
                                fields=("key",),
                                name="one_open_alert",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Suppression",
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
                        ("key", models.CharField(max_length=160, unique=True)),
                        ("as_of", models.DateField()),
                        (
                            "reason",
                            models.CharField(
                                choices=[
                                    ("outage", "Outage"),
                                    ("source", "Source"),
                                    ("calendar", "Calendar"),
                                    ("cool_down", "Cool Down"),
                                    ("not_worse", "Not Worse"),
                                    ("snooze", "Snooze"),
                                    ("budget", "Budget"),
                                ],
                                max_length=10,
                            ),
                        ),
                        ("count", models.PositiveIntegerField(default=1)),
                        ("detail", models.JSONField(default=dict)),
                        ("created_at", models.DateTimeField()),
                        (
                            "customer",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                to="customers.customer",
                            ),
                        ),
                        (
                            "rule",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                to="alerts.alertrule",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-as_of", "-pk"],
                        "indexes": [
                            models.Index(
                                fields=["customer", "-as_of"], name="suppression_customer"
                            ),
                            models.Index(fields=["-as_of", "reason"], name="suppression_day"),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="AlertEvent",
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
                        ("at", models.DateTimeField()),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("opened", "Opened"),
                                    ("evidence", "Evidence"),
                                    ("raised", "Raised"),
                                    ("joined", "Joined"),
                                    ("to_digest", "To Digest"),
                                    ("from_digest", "From Digest"),
                                    ("responded", "Responded"),
                                    ("assigned", "Assigned"),
                                    ("snoozed", "Snoozed"),
                                    ("woken", "Woken"),
                                    ("escalated", "Escalated"),
                                    ("closed", "Closed"),
                                    ("cleared", "Cleared"),
                                    ("reopened", "Reopened"),
                                    ("judged", "Judged"),
                                    ("answered", "Answered"),
                                    ("undone", "Undone"),
                                ],
                                max_length=12,
                            ),
                        ),
                        ("detail", models.JSONField(default=dict)),
                        (
                            "batch",
                            models.CharField(blank=True, db_index=True, default="", max_length=32),
                        ),
                        ("before", models.JSONField(null=True)),
                        ("undone_at", models.DateTimeField(null=True)),
                        (
                            "actor",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "alert",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="events",
                                to="alerts.alert",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["at", "pk"],
                        "indexes": [models.Index(fields=["alert", "at"], name="alert_event_log")],
                    },
                ),
                migrations.CreateModel(
                    name="Episode",
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
                        ("rule_version", models.PositiveIntegerField(default=1)),
                        ("dedupe_key", models.CharField(max_length=120)),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("watching", "Watching"),
                                    ("open", "Open"),
                                    ("closed", "Closed"),
                                ],
                                max_length=8,
                            ),
                        ),
                        ("opened_on", models.DateField()),
                        ("last_seen_on", models.DateField()),
                        ("judged_on", models.DateField()),
                        ("closed_on", models.DateField(null=True)),
                        ("cleared_on", models.DateField(null=True)),
                        (
                            "end",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("cleared", "Cleared"),
                                    ("manual", "Manual"),
                                    ("rule", "Rule"),
                                    ("gone", "Gone"),
                                ],
                                default="",
                                max_length=8,
                            ),
                        ),
                        ("severity", models.PositiveSmallIntegerField()),
                        ("value", models.FloatField(null=True)),
                        ("worst", models.FloatField(null=True)),
                        ("reference", models.FloatField(null=True)),
                        ("close_severity", models.PositiveSmallIntegerField(null=True)),
                        ("close_value", models.FloatField(null=True)),
                        ("enter_count", models.PositiveSmallIntegerField(default=1)),
                        ("exit_count", models.PositiveSmallIntegerField(default=0)),
                        ("evidence", models.JSONField(default=list)),
                        ("created_at", models.DateTimeField()),
                        ("updated_at", models.DateTimeField()),
                        (
                            "alert",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="episodes",
                                to="alerts.alert",
                            ),
                        ),
                        (
                            "customer",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="episodes",
                                to="customers.customer",
                            ),
                        ),
                        (
                            "rule",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="episodes",
                                to="alerts.alertrule",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-opened_on", "-pk"],
                        "indexes": [
                            models.Index(fields=["customer", "-opened_on"], name="episode_customer")
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("closed_on__isnull", True)),
                                fields=("rule", "dedupe_key"),
                                name="one_open_episode",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ChurnMark",
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
                        ("value", models.FloatField()),
                        ("monthly", models.FloatField()),
                        ("customers", models.PositiveIntegerField()),
                        (
                            "basis",
                            models.CharField(
                                choices=[
                                    ("history", "History"),
                                    ("stock", "Stock"),
                                    ("floor", "Floor"),
                                ],
                                max_length=8,
                            ),
                        ),
                        ("set_on", models.DateField()),
                        (
                            "tier",
                            models.OneToOneField(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to="customers.tier",
                            ),
                        ),
                    ],
                    options={
                        "ordering": [
                            models.OrderBy(models.F("tier__position"), nulls_last=True),
                            "pk",
                        ],
                    },
                ),
            ]
        ),
    ]
