"""The short way for a new database: one table, one step. Databases with some of the migrations
named in `replaces` go on with those.

Left out: 0004 filled `name_key` of customers there were; a new database has none.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from gengyun.kernel.tables import CreateTables


class Migration(migrations.Migration):
    replaces = [
        ("customers", "0001_initial"),
        ("customers", "0002_custom_fields"),
        ("customers", "0003_names_journeys_merges"),
        ("customers", "0004_fill_name_keys"),
        ("customers", "0005_import_periods"),
        ("customers", "0006_import_revenue_kinds"),
    ]

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        CreateTables(
            [
                migrations.CreateModel(
                    name="Tag",
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
                        ("name", models.CharField(max_length=40, unique=True)),
                    ],
                    options={
                        "ordering": ["name", "pk"],
                    },
                ),
                migrations.CreateModel(
                    name="Tier",
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
                        ("name_zh", models.CharField(max_length=40)),
                        ("name_en", models.CharField(max_length=40)),
                        (
                            "touch_model",
                            models.CharField(
                                choices=[
                                    ("tech", "Tech-touch"),
                                    ("low", "Low-touch"),
                                    ("high", "High-touch"),
                                ],
                                max_length=4,
                            ),
                        ),
                        ("position", models.PositiveSmallIntegerField()),
                    ],
                    options={
                        "ordering": ["position", "pk"],
                    },
                ),
                migrations.CreateModel(
                    name="ImportRun",
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
                            "kind",
                            models.CharField(
                                choices=[
                                    ("customers", "Customers"),
                                    ("contacts", "Contacts"),
                                    ("activities", "Activities"),
                                    ("periods", "Periods"),
                                    ("contracts", "Contracts"),
                                    ("invoices", "Invoices"),
                                    ("payments", "Payments"),
                                    ("spend", "Spend"),
                                    ("budgets", "Budgets"),
                                    ("rates", "Rates"),
                                    ("opportunities", "Opportunities"),
                                ],
                                max_length=20,
                            ),
                        ),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("uploaded", "Uploaded"),
                                    ("checked", "Checked"),
                                    ("running", "Running"),
                                    ("done", "Done"),
                                    ("failed", "Failed"),
                                ],
                                default="uploaded",
                                max_length=10,
                            ),
                        ),
                        ("file_name", models.CharField(max_length=200)),
                        ("stored_path", models.CharField(max_length=400)),
                        ("encoding", models.CharField(blank=True, default="", max_length=20)),
                        ("columns", models.JSONField(default=list)),
                        ("mapping", models.JSONField(default=dict)),
                        ("options", models.JSONField(default=dict)),
                        ("outcome", models.JSONField(default=dict)),
                        ("row_count", models.PositiveIntegerField(default=0)),
                        ("done_count", models.PositiveIntegerField(default=0)),
                        ("created_count", models.PositiveIntegerField(default=0)),
                        ("changed_count", models.PositiveIntegerField(default=0)),
                        ("same_count", models.PositiveIntegerField(default=0)),
                        ("error_count", models.PositiveIntegerField(default=0)),
                        ("error_path", models.CharField(blank=True, default="", max_length=400)),
                        ("error", models.TextField(blank=True, default="")),
                        ("created_at", models.DateTimeField()),
                        ("finished_at", models.DateTimeField(null=True)),
                        (
                            "created_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("rows_path", models.CharField(blank=True, default="", max_length=400)),
                    ],
                    options={
                        "ordering": ["-created_at", "-pk"],
                    },
                ),
                migrations.CreateModel(
                    name="Stage",
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
                        ("key", models.SlugField(max_length=40)),
                        (
                            "touch_model",
                            models.CharField(
                                choices=[
                                    ("tech", "Tech-touch"),
                                    ("low", "Low-touch"),
                                    ("high", "High-touch"),
                                ],
                                max_length=4,
                            ),
                        ),
                        ("name_zh", models.CharField(max_length=40)),
                        ("name_en", models.CharField(max_length=40)),
                        ("position", models.PositiveSmallIntegerField()),
                        ("expectation_zh", models.TextField(blank=True, default="")),
                        ("expectation_en", models.TextField(blank=True, default="")),
                        ("expected_days", models.PositiveSmallIntegerField(blank=True, null=True)),
                        ("longest_days", models.PositiveSmallIntegerField(blank=True, null=True)),
                        ("entry", models.JSONField(blank=True, default=list)),
                        ("exit", models.JSONField(blank=True, default=list)),
                        ("exit_to", models.SlugField(blank=True, default="", max_length=40)),
                        ("is_entered_by_rule", models.BooleanField(default=False)),
                        ("is_left_by_rule", models.BooleanField(default=False)),
                        ("is_tuned", models.BooleanField(default=False)),
                        ("outcome_kpi", models.JSONField(blank=True, default=list)),
                        ("process_kpi", models.JSONField(blank=True, default=list)),
                        ("work_en", models.TextField(blank=True, default="")),
                        ("work_zh", models.TextField(blank=True, default="")),
                    ],
                    options={
                        "ordering": ["touch_model", "position", "pk"],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("touch_model", "key"), name="stage_key_per_touch"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Customer",
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
                        ("name", models.CharField(max_length=200)),
                        ("industry", models.CharField(blank=True, default="", max_length=60)),
                        ("region", models.CharField(blank=True, default="", max_length=60)),
                        ("tier_reason", models.CharField(blank=True, default="", max_length=200)),
                        ("tier_until", models.DateField(blank=True, null=True)),
                        ("stage_since", models.DateField(blank=True, null=True)),
                        ("arr_minor", models.BigIntegerField(blank=True, null=True)),
                        ("currency", models.CharField(default="CNY", max_length=3)),
                        ("seats", models.PositiveIntegerField(blank=True, null=True)),
                        ("edition", models.CharField(blank=True, default="", max_length=60)),
                        ("started_on", models.DateField(blank=True, null=True)),
                        ("renews_on", models.DateField(blank=True, null=True)),
                        ("next_step", models.CharField(blank=True, default="", max_length=200)),
                        ("next_step_on", models.DateField(blank=True, null=True)),
                        ("known_at", models.DateTimeField()),
                        ("created_at", models.DateTimeField()),
                        ("updated_at", models.DateTimeField()),
                        ("archived_at", models.DateTimeField(blank=True, null=True)),
                        (
                            "owner",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="book",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "parent",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                to="customers.customer",
                            ),
                        ),
                        (
                            "tier_set_by",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "stage",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                to="customers.stage",
                            ),
                        ),
                        ("tags", models.ManyToManyField(blank=True, to="customers.tag")),
                        (
                            "tier",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                to="customers.tier",
                            ),
                        ),
                        ("name_key", models.CharField(blank=True, default="", max_length=200)),
                        ("uscc", models.CharField(blank=True, default="", max_length=18)),
                    ],
                    options={
                        "ordering": ["name", "pk"],
                        "indexes": [
                            models.Index(fields=["owner", "name"], name="customer_owner_name"),
                            models.Index(
                                condition=models.Q(
                                    ("archived_at__isnull", True),
                                    models.Q(("name_key", ""), _negated=True),
                                ),
                                fields=["name_key"],
                                name="customer_name_key",
                            ),
                            models.Index(
                                condition=models.Q(("uscc", ""), _negated=True),
                                fields=["uscc"],
                                name="customer_uscc",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Contact",
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
                        ("name", models.CharField(max_length=80)),
                        ("title", models.CharField(blank=True, default="", max_length=80)),
                        (
                            "part",
                            models.CharField(
                                choices=[
                                    ("decider", "Decider"),
                                    ("champion", "Champion"),
                                    ("user", "User"),
                                    ("procurement", "Procurement"),
                                    ("other", "Other"),
                                ],
                                default="other",
                                max_length=12,
                            ),
                        ),
                        ("email", models.EmailField(blank=True, default="", max_length=254)),
                        ("phone", models.CharField(blank=True, default="", max_length=40)),
                        ("wecom_id", models.CharField(blank=True, default="", max_length=80)),
                        (
                            "product_user_id",
                            models.CharField(blank=True, default="", max_length=200),
                        ),
                        ("note", models.CharField(blank=True, default="", max_length=200)),
                        ("left_on", models.DateField(blank=True, null=True)),
                        ("created_at", models.DateTimeField()),
                        ("updated_at", models.DateTimeField()),
                        (
                            "customer",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="contacts",
                                to="customers.customer",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["left_on", "name", "pk"],
                        "indexes": [
                            models.Index(
                                condition=models.Q(("left_on__isnull", True)),
                                fields=["name", "customer"],
                                name="contact_name",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="TierRule",
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
                        ("position", models.PositiveSmallIntegerField(unique=True)),
                        ("conditions", models.JSONField(blank=True, default=list)),
                        (
                            "tier",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="rules",
                                to="customers.tier",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["position"],
                    },
                ),
                migrations.CreateModel(
                    name="FieldChange",
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
                        ("value", models.JSONField(null=True)),
                        ("known_at", models.DateTimeField()),
                        (
                            "customer",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="field_changes",
                                to="customers.customer",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["known_at", "pk"],
                        "indexes": [
                            models.Index(
                                fields=["field", "customer", "known_at"], name="field_change_as_of"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="StageStay",
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
                        ("entered_on", models.DateField()),
                        ("left_on", models.DateField(null=True)),
                        (
                            "customer",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="stays",
                                to="customers.customer",
                            ),
                        ),
                        (
                            "stage",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT, to="customers.stage"
                            ),
                        ),
                        ("checked", models.JSONField(blank=True, default=dict)),
                        ("evidence", models.JSONField(blank=True, default=list)),
                        (
                            "how",
                            models.CharField(
                                choices=[("hand", "Hand"), ("rule", "Rule"), ("start", "Start")],
                                default="hand",
                                max_length=5,
                            ),
                        ),
                        (
                            "moved_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("reason", models.CharField(blank=True, default="", max_length=200)),
                    ],
                    options={
                        "ordering": ["-entered_on", "-pk"],
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("left_on__isnull", True)),
                                fields=("customer",),
                                name="one_open_stay",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="CustomField",
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
                                    ("text", "Text"),
                                    ("number", "Number"),
                                    ("money", "Money"),
                                    ("date", "Date"),
                                    ("bool", "Bool"),
                                    ("choice", "Choice"),
                                    ("multi", "Multi"),
                                ],
                                max_length=6,
                            ),
                        ),
                        ("name_zh", models.CharField(blank=True, default="", max_length=40)),
                        ("name_en", models.CharField(blank=True, default="", max_length=40)),
                        ("help_zh", models.CharField(blank=True, default="", max_length=200)),
                        ("help_en", models.CharField(blank=True, default="", max_length=200)),
                        ("options", models.JSONField(blank=True, default=list)),
                        ("is_required", models.BooleanField(default=False)),
                        ("keeps_history", models.BooleanField(default=False)),
                        ("position", models.PositiveSmallIntegerField(default=0)),
                        ("retired_at", models.DateTimeField(blank=True, null=True)),
                        ("created_at", models.DateTimeField()),
                        ("updated_at", models.DateTimeField()),
                    ],
                    options={
                        "ordering": ["position", "pk"],
                    },
                ),
                migrations.CreateModel(
                    name="ExportRun",
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
                        ("listing", models.CharField(max_length=40)),
                        (
                            "form",
                            models.CharField(
                                choices=[("csv", "Csv"), ("xlsx", "Xlsx")], max_length=4
                            ),
                        ),
                        ("query", models.JSONField(default=dict)),
                        ("language", models.CharField(max_length=10)),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("waiting", "Waiting"),
                                    ("running", "Running"),
                                    ("done", "Done"),
                                    ("failed", "Failed"),
                                ],
                                default="waiting",
                                max_length=8,
                            ),
                        ),
                        ("file_name", models.CharField(max_length=120)),
                        ("stored_path", models.CharField(blank=True, default="", max_length=400)),
                        ("row_count", models.PositiveIntegerField(null=True)),
                        ("done_count", models.PositiveIntegerField(default=0)),
                        ("byte_count", models.PositiveBigIntegerField(default=0)),
                        ("error", models.TextField(blank=True, default="")),
                        ("created_at", models.DateTimeField()),
                        ("finished_at", models.DateTimeField(null=True)),
                        (
                            "created_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-created_at", "-pk"],
                    },
                ),
                migrations.CreateModel(
                    name="FieldValue",
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
                        ("place", models.PositiveSmallIntegerField(default=0)),
                        ("text", models.CharField(blank=True, max_length=500, null=True)),
                        (
                            "number",
                            models.DecimalField(
                                blank=True, decimal_places=4, max_digits=20, null=True
                            ),
                        ),
                        ("day", models.DateField(blank=True, null=True)),
                        (
                            "customer",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="field_values",
                                to="customers.customer",
                            ),
                        ),
                        (
                            "field",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="values",
                                to="customers.customfield",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["field", "customer", "place"],
                        "indexes": [
                            models.Index(fields=["field", "customer"], name="value_customer"),
                            models.Index(
                                condition=models.Q(("number__isnull", False)),
                                fields=["field", "number", "customer"],
                                name="value_number",
                            ),
                            models.Index(
                                condition=models.Q(("day__isnull", False)),
                                fields=["field", "day", "customer"],
                                name="value_day",
                            ),
                            models.Index(
                                condition=models.Q(("text__isnull", False)),
                                fields=["field", "text", "customer"],
                                name="value_text",
                            ),
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("customer", "field", "place"), name="one_value_per_place"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="CustomerMerge",
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
                        ("merged_at", models.DateTimeField()),
                        ("undone_at", models.DateTimeField(null=True)),
                        ("before", models.JSONField(default=dict)),
                        ("moved", models.JSONField(default=dict)),
                        (
                            "gone",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="merges_away",
                                to="customers.customer",
                            ),
                        ),
                        (
                            "kept",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="merges_in",
                                to="customers.customer",
                            ),
                        ),
                        (
                            "merged_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "undone_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-merged_at", "-pk"],
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("undone_at__isnull", True)),
                                fields=("gone",),
                                name="merged_once",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("gone", models.F("kept")), _negated=True),
                                name="merge_of_two",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="NotDuplicate",
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
                        ("said_at", models.DateTimeField()),
                        (
                            "first",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to="customers.customer",
                            ),
                        ),
                        (
                            "said_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "second",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to="customers.customer",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["pk"],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("first", "second"), name="not_duplicate_once"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("first__lt", models.F("second"))),
                                name="pair_in_order",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="StageProgress",
                    fields=[
                        (
                            "customer",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.CASCADE,
                                primary_key=True,
                                related_name="progress",
                                serialize=False,
                                to="customers.customer",
                            ),
                        ),
                        ("as_of", models.DateField()),
                        ("facts", models.JSONField(default=dict)),
                        ("is_ready", models.BooleanField(default=False)),
                        ("suggested", models.CharField(blank=True, default="", max_length=40)),
                        (
                            "stage",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to="customers.stage",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["pk"],
                    },
                ),
            ]
        ),
    ]
