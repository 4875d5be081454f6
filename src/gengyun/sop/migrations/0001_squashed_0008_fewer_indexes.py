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
        ("sop", "0001_initial"),
        ("sop", "0002_goals"),
        ("sop", "0003_event_hits"),
        ("sop", "0004_effects"),
        ("sop", "0005_started_on"),
        ("sop", "0006_event_people"),
        ("sop", "0007_run_leases"),
        ("sop", "0008_fewer_indexes"),
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
                    name="Sop",
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
                        ("name", models.CharField(max_length=80)),
                        ("touch_model", models.CharField(blank=True, default="", max_length=4)),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("draft", "Draft"),
                                    ("live", "Running"),
                                    ("paused", "Paused"),
                                    ("stopped", "Stopped"),
                                ],
                                default="draft",
                                max_length=7,
                            ),
                        ),
                        ("library_key", models.CharField(blank=True, default="", max_length=60)),
                        ("created_at", models.DateTimeField()),
                        ("changed_at", models.DateTimeField()),
                        ("started_at", models.DateTimeField(null=True)),
                        (
                            "owner",
                            models.ForeignKey(
                                null=True,
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
                    name="SopVersion",
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
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("draft", "Draft"),
                                    ("published", "Published"),
                                    ("retired", "Retired"),
                                ],
                                default="draft",
                                max_length=9,
                            ),
                        ),
                        ("form", models.JSONField(default=dict)),
                        ("note", models.CharField(blank=True, default="", max_length=200)),
                        ("created_at", models.DateTimeField()),
                        ("changed_at", models.DateTimeField()),
                        ("published_at", models.DateTimeField(null=True)),
                        ("evaluated_on", models.DateField(null=True)),
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
                            "published_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "sop",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="versions",
                                to="sop.sop",
                            ),
                        ),
                        ("started_on", models.DateField(null=True)),
                    ],
                    options={
                        "ordering": ["sop", "-number"],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("sop", "number"), name="sop_version_number"
                            ),
                            models.UniqueConstraint(
                                condition=models.Q(("state", "draft")),
                                fields=("sop",),
                                name="one_sop_draft",
                            ),
                            models.UniqueConstraint(
                                condition=models.Q(("state", "published")),
                                fields=("sop",),
                                name="one_published_sop_version",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Run",
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
                        ("identity_key", models.CharField(max_length=90)),
                        ("entry_key", models.CharField(max_length=200)),
                        (
                            "arm",
                            models.CharField(
                                choices=[("treat", "Carried out"), ("holdout", "Hold-out")],
                                default="treat",
                                max_length=7,
                            ),
                        ),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("running", "Running"),
                                    ("waiting", "Waiting"),
                                    ("done", "Done"),
                                    ("exited", "Left early"),
                                    ("stopped", "Stopped"),
                                    ("failed", "Failed"),
                                ],
                                default="running",
                                max_length=7,
                            ),
                        ),
                        ("entered_at", models.DateTimeField()),
                        ("entered_on", models.DateField()),
                        ("entry_facts", models.JSONField(default=dict)),
                        ("stratum", models.CharField(blank=True, default="", max_length=60)),
                        ("step_key", models.CharField(blank=True, default="", max_length=40)),
                        ("step_count", models.PositiveIntegerField(default=0)),
                        ("step_since", models.DateTimeField(null=True)),
                        ("wait_until", models.DateTimeField(null=True)),
                        ("due_at", models.DateTimeField(null=True)),
                        ("ended_at", models.DateTimeField(null=True)),
                        ("end_reason", models.CharField(blank=True, default="", max_length=20)),
                        (
                            "contact",
                            models.ForeignKey(
                                db_index=False,
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to="customers.contact",
                            ),
                        ),
                        (
                            "customer",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="sop_runs",
                                to="customers.customer",
                            ),
                        ),
                        (
                            "entered_by",
                            models.ForeignKey(
                                db_index=False,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "sop",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="runs",
                                to="sop.sop",
                            ),
                        ),
                        (
                            "version",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="runs",
                                to="sop.sopversion",
                            ),
                        ),
                        ("goal_on", models.DateField(null=True)),
                    ],
                    options={
                        "ordering": ["-entered_at", "-pk"],
                        "indexes": [
                            models.Index(
                                condition=models.Q(("state__in", ["running", "waiting"])),
                                fields=["due_at", "id"],
                                name="run_due",
                            ),
                            models.Index(
                                fields=["sop", "identity_key", "-ended_at"], name="run_identity"
                            ),
                            models.Index(fields=["sop", "state", "-entered_at"], name="run_state"),
                            models.Index(fields=["sop", "-entered_at"], name="run_entered"),
                            models.Index(
                                condition=models.Q(("contact__isnull", False)),
                                fields=["contact"],
                                name="run_contact",
                            ),
                            models.Index(
                                condition=models.Q(("entered_by__isnull", False)),
                                fields=["entered_by"],
                                name="run_entered_by",
                            ),
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("state__in", ["running", "waiting"])),
                                fields=("sop", "identity_key"),
                                name="one_active_run",
                            ),
                            models.UniqueConstraint(fields=("entry_key",), name="run_entry_key"),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Decision",
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
                        ("identity_key", models.CharField(max_length=90)),
                        ("on", models.DateField()),
                        ("outcome", models.CharField(max_length=12)),
                        ("reason", models.CharField(max_length=40)),
                        ("told", models.JSONField(default=dict)),
                        (
                            "customer",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to="customers.customer",
                            ),
                        ),
                        (
                            "version",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="decisions",
                                to="sop.sopversion",
                            ),
                        ),
                        ("retry_on", models.DateField(null=True)),
                    ],
                    options={
                        "ordering": ["-on", "-pk"],
                        "indexes": [
                            models.Index(
                                condition=models.Q(("retry_on__isnull", False)),
                                fields=["version", "retry_on"],
                                name="decision_retry",
                            ),
                            models.Index(fields=["customer", "-on"], name="decision_customer"),
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("version", "identity_key", "on"), name="one_decision_a_day"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="StepRun",
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
                        ("step_key", models.CharField(max_length=40)),
                        ("ordinal", models.PositiveIntegerField()),
                        ("kind", models.CharField(max_length=10)),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("done", "Done"),
                                    ("skipped", "Skipped"),
                                    ("suppressed", "Not sent"),
                                    ("failed", "Failed"),
                                ],
                                max_length=10,
                            ),
                        ),
                        ("at", models.DateTimeField()),
                        ("reason", models.CharField(blank=True, default="", max_length=40)),
                        ("told", models.JSONField(default=dict)),
                        ("ref", models.CharField(blank=True, default="", max_length=40)),
                        (
                            "run",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="steps",
                                to="sop.run",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["run", "ordinal"],
                        "indexes": [
                            models.Index(
                                condition=models.Q(("ref", ""), _negated=True),
                                fields=["ref"],
                                name="step_ref",
                            )
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("run", "ordinal"), name="one_line_of_a_step"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="EventHit",
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
                        ("name", models.CharField(max_length=200)),
                        ("customer_id", models.BigIntegerField()),
                        ("happened_at", models.DateTimeField()),
                        ("created_at", models.DateTimeField()),
                        ("contact_id", models.BigIntegerField(null=True)),
                        ("user_id", models.CharField(blank=True, default="", max_length=200)),
                    ],
                    options={
                        "ordering": ["pk"],
                    },
                ),
                migrations.CreateModel(
                    name="Effect",
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
                        ("first_number", models.PositiveIntegerField()),
                        ("verdict", models.CharField(max_length=14)),
                        ("told", models.JSONField(default=dict)),
                        ("beside", models.JSONField(default=dict)),
                        ("observed", models.JSONField(default=dict)),
                        ("computed_at", models.DateTimeField()),
                        (
                            "version",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="effects",
                                to="sop.sopversion",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["version", "-as_of"],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("version", "as_of"), name="one_effect_a_day"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="RunOutcome",
                    fields=[
                        (
                            "run",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.CASCADE,
                                primary_key=True,
                                related_name="outcome",
                                serialize=False,
                                to="sop.run",
                            ),
                        ),
                        ("is_treated", models.BooleanField()),
                        ("entered_on", models.DateField()),
                        ("mature_on", models.DateField()),
                        ("churn", models.FloatField(null=True)),
                        ("before", models.FloatField(null=True)),
                        ("renewal_id", models.BigIntegerField(null=True)),
                        ("amount_minor", models.BigIntegerField(null=True)),
                        ("currency", models.CharField(blank=True, default="", max_length=3)),
                        (
                            "reason",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("", "Counts"),
                                    ("again", "Entered before in this version"),
                                    ("not_random", "Not placed by chance"),
                                    ("no_renewal", "Nothing came due"),
                                    ("unknown", "Nothing was known on its day"),
                                ],
                                default="",
                                max_length=10,
                            ),
                        ),
                        ("value", models.FloatField(null=True)),
                        ("read_on", models.DateField(null=True)),
                        (
                            "version",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="outcomes",
                                to="sop.sopversion",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["run"],
                        "indexes": [
                            models.Index(
                                condition=models.Q(("read_on__isnull", True)),
                                fields=["version", "mature_on"],
                                name="outcome_to_read",
                            ),
                            models.Index(fields=["version", "entered_on"], name="outcome_entered"),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="RunLease",
                    fields=[
                        ("run_id", models.BigIntegerField(primary_key=True, serialize=False)),
                        ("until", models.DateTimeField()),
                        ("by", models.CharField(max_length=80)),
                    ],
                    options={
                        "ordering": ["run_id"],
                    },
                ),
            ]
        ),
    ]
