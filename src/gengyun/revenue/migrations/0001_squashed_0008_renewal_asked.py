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
        ("revenue", "0001_initial"),
        ("revenue", "0002_renewal_signal"),
        ("revenue", "0003_forecast_runs"),
        ("revenue", "0004_transfers"),
        ("revenue", "0005_opportunity_external_id"),
        ("revenue", "0006_renewal_indexes"),
        ("revenue", "0007_renewal_churn_probability"),
        ("revenue", "0008_renewal_asked"),
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
                    name="OpportunityStage",
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
                        ("position", models.PositiveSmallIntegerField()),
                        ("probability_bp", models.PositiveIntegerField(default=0)),
                        ("is_won", models.BooleanField(default=False)),
                        ("is_lost", models.BooleanField(default=False)),
                    ],
                    options={
                        "ordering": ["position", "pk"],
                    },
                ),
                migrations.CreateModel(
                    name="Product",
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
                        ("name_zh", models.CharField(max_length=80)),
                        ("name_en", models.CharField(max_length=80)),
                        ("family", models.CharField(blank=True, default="", max_length=60)),
                        ("is_active", models.BooleanField(default=True)),
                        ("position", models.PositiveSmallIntegerField(default=0)),
                    ],
                    options={
                        "ordering": ["position", "key"],
                    },
                ),
                migrations.CreateModel(
                    name="Edition",
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
                        ("key", models.SlugField(max_length=60)),
                        ("name_zh", models.CharField(max_length=80)),
                        ("name_en", models.CharField(max_length=80)),
                        ("rank", models.PositiveSmallIntegerField(default=0)),
                        (
                            "product",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="editions",
                                to="revenue.product",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["product", "rank", "pk"],
                        "constraints": [
                            models.UniqueConstraint(fields=("product", "key"), name="edition_once"),
                            models.CheckConstraint(
                                condition=models.Q(("key", ""), _negated=True),
                                name="edition_has_key",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Contract",
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
                        ("number", models.CharField(max_length=80, unique=True)),
                        ("name", models.CharField(blank=True, default="", max_length=200)),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("fixed", "Fixed term"),
                                    ("open", "Open-ended"),
                                    ("perpetual", "Bought out"),
                                ],
                                default="fixed",
                                max_length=10,
                            ),
                        ),
                        ("signed_on", models.DateField(blank=True, null=True)),
                        ("starts_on", models.DateField()),
                        ("ends_on", models.DateField(blank=True, null=True)),
                        ("auto_renew", models.BooleanField(default=False)),
                        ("notice_days", models.PositiveSmallIntegerField(blank=True, null=True)),
                        ("currency", models.CharField(default="CNY", max_length=3)),
                        (
                            "billing_interval_months",
                            models.PositiveSmallIntegerField(blank=True, null=True),
                        ),
                        ("is_prepaid", models.BooleanField(default=True)),
                        ("ended_on", models.DateField(blank=True, null=True)),
                        ("end_reason", models.CharField(blank=True, default="", max_length=200)),
                        ("note", models.CharField(blank=True, default="", max_length=1000)),
                        ("source", models.CharField(blank=True, default="", max_length=40)),
                        ("external_id", models.CharField(blank=True, default="", max_length=200)),
                        ("known_at", models.DateTimeField()),
                        ("created_at", models.DateTimeField()),
                        (
                            "created_by",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "customer",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="contracts",
                                to="customers.customer",
                            ),
                        ),
                        (
                            "previous",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="next_contracts",
                                to="revenue.contract",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-starts_on", "-pk"],
                        "indexes": [
                            models.Index(
                                fields=["customer", "starts_on"], name="contract_customer"
                            ),
                            models.Index(
                                condition=models.Q(("external_id", ""), _negated=True),
                                fields=["external_id"],
                                name="contract_external",
                            ),
                        ],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(("number", ""), _negated=True),
                                name="contract_has_number",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("ends_on__isnull", True),
                                    ("ends_on__gte", models.F("starts_on")),
                                    _connector="OR",
                                ),
                                name="contract_ends_after_start",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ExchangeRate",
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
                        ("currency", models.CharField(max_length=3)),
                        ("base", models.CharField(max_length=3)),
                        ("on", models.DateField()),
                        ("rate", models.DecimalField(decimal_places=8, max_digits=18)),
                        ("source", models.CharField(blank=True, default="", max_length=80)),
                        ("known_at", models.DateTimeField()),
                    ],
                    options={
                        "ordering": ["currency", "base", "on", "pk"],
                        "indexes": [
                            models.Index(fields=["base", "currency", "on"], name="rate_pair_day")
                        ],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(("rate__gt", 0)), name="rate_positive"
                            ),
                            models.UniqueConstraint(
                                fields=("currency", "base", "on", "known_at"),
                                name="rate_known_once",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Invoice",
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
                        ("number", models.CharField(max_length=80, unique=True)),
                        ("issued_on", models.DateField()),
                        ("due_on", models.DateField(blank=True, null=True)),
                        ("amount_minor", models.BigIntegerField()),
                        ("tax_minor", models.BigIntegerField(blank=True, null=True)),
                        ("currency", models.CharField(default="CNY", max_length=3)),
                        (
                            "status",
                            models.CharField(
                                choices=[("open", "Open"), ("void", "Void")],
                                default="open",
                                max_length=4,
                            ),
                        ),
                        ("disputed_since", models.DateField(blank=True, null=True)),
                        ("note", models.CharField(blank=True, default="", max_length=500)),
                        ("external_id", models.CharField(blank=True, default="", max_length=200)),
                        ("known_at", models.DateTimeField()),
                        (
                            "contract",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="invoices",
                                to="revenue.contract",
                            ),
                        ),
                        (
                            "customer",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="invoices",
                                to="customers.customer",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-issued_on", "-pk"],
                        "indexes": [
                            models.Index(
                                fields=["customer", "due_on"], name="invoice_customer_due"
                            ),
                            models.Index(
                                condition=models.Q(("status", "open")),
                                fields=["due_on"],
                                name="invoice_open_due",
                            ),
                        ],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(("number", ""), _negated=True),
                                name="invoice_has_number",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Line",
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
                        ("group", models.CharField(max_length=80)),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("subscription", "Subscription"),
                                    ("maintenance", "Maintenance"),
                                    ("licence", "Licence"),
                                    ("one_off", "One-off"),
                                    ("usage", "Usage-based"),
                                ],
                                default="subscription",
                                max_length=12,
                            ),
                        ),
                        ("seats", models.PositiveIntegerField(blank=True, null=True)),
                        ("amount_minor", models.BigIntegerField()),
                        ("tax_included", models.BooleanField(default=False)),
                        ("tax_rate_bp", models.PositiveIntegerField(blank=True, null=True)),
                        ("list_minor", models.BigIntegerField(blank=True, null=True)),
                        ("discount_bp", models.PositiveIntegerField(blank=True, null=True)),
                        ("discount_is_forever", models.BooleanField(default=True)),
                        ("currency", models.CharField(default="CNY", max_length=3)),
                        ("starts_on", models.DateField()),
                        ("ends_on", models.DateField(blank=True, null=True)),
                        (
                            "paid_months",
                            models.DecimalField(
                                blank=True, decimal_places=4, max_digits=8, null=True
                            ),
                        ),
                        ("gift_days", models.PositiveIntegerField(default=0)),
                        ("is_trial", models.BooleanField(default=False)),
                        ("committed_minor", models.BigIntegerField(blank=True, null=True)),
                        ("maintenance_base_minor", models.BigIntegerField(blank=True, null=True)),
                        ("rule", models.CharField(max_length=40)),
                        ("arr_minor", models.BigIntegerField()),
                        ("voided_at", models.DateTimeField(blank=True, null=True)),
                        ("note", models.CharField(blank=True, default="", max_length=500)),
                        ("external_id", models.CharField(blank=True, default="", max_length=200)),
                        ("known_at", models.DateTimeField()),
                        ("created_at", models.DateTimeField()),
                        (
                            "contract",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="lines",
                                to="revenue.contract",
                            ),
                        ),
                        (
                            "corrects",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="corrections",
                                to="revenue.line",
                            ),
                        ),
                        (
                            "created_by",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "customer",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="lines",
                                to="customers.customer",
                            ),
                        ),
                        (
                            "edition",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="revenue.edition",
                            ),
                        ),
                        (
                            "previous",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="successors",
                                to="revenue.line",
                            ),
                        ),
                        (
                            "product",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="revenue.product",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["starts_on", "pk"],
                        "indexes": [
                            models.Index(
                                fields=["customer", "group", "starts_on"],
                                name="line_customer_group",
                            ),
                            models.Index(fields=["ends_on"], name="line_ends"),
                            models.Index(
                                condition=models.Q(("external_id", ""), _negated=True),
                                fields=["external_id"],
                                name="line_external",
                            ),
                        ],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("ends_on__isnull", True),
                                    ("ends_on__gte", models.F("starts_on")),
                                    _connector="OR",
                                ),
                                name="line_ends_after_start",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("group", ""), _negated=True),
                                name="line_has_group",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Opportunity",
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
                                    ("new", "New business"),
                                    ("upsell", "Upsell"),
                                    ("cross_sell", "Cross-sell"),
                                    ("service", "Service"),
                                ],
                                max_length=10,
                            ),
                        ),
                        ("name", models.CharField(max_length=200)),
                        ("amount_minor", models.BigIntegerField(blank=True, null=True)),
                        ("currency", models.CharField(default="CNY", max_length=3)),
                        ("expected_on", models.DateField(blank=True, null=True)),
                        ("next_step", models.CharField(blank=True, default="", max_length=200)),
                        ("next_step_on", models.DateField(blank=True, null=True)),
                        ("source", models.CharField(blank=True, default="", max_length=60)),
                        ("closed_on", models.DateField(blank=True, null=True)),
                        ("loss_reason", models.CharField(blank=True, default="", max_length=200)),
                        ("note", models.CharField(blank=True, default="", max_length=1000)),
                        ("created_at", models.DateTimeField()),
                        ("updated_at", models.DateTimeField()),
                        (
                            "created_by",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "customer",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="opportunities",
                                to="customers.customer",
                            ),
                        ),
                        (
                            "owner",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="opportunities",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "won_line",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="revenue.line",
                            ),
                        ),
                        (
                            "stage",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="revenue.opportunitystage",
                            ),
                        ),
                        (
                            "product",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="revenue.product",
                            ),
                        ),
                        ("external_id", models.CharField(blank=True, default="", max_length=200)),
                    ],
                    options={
                        "ordering": ["expected_on", "pk"],
                        "indexes": [
                            models.Index(fields=["stage", "expected_on"], name="opportunity_stage"),
                            models.Index(
                                fields=["customer", "expected_on"], name="opportunity_customer"
                            ),
                            models.Index(
                                condition=models.Q(("external_id", ""), _negated=True),
                                fields=["external_id"],
                                name="opportunity_external",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="OpportunityChange",
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
                        ("field", models.CharField(max_length=40)),
                        ("old", models.JSONField(null=True)),
                        ("new", models.JSONField(null=True)),
                        ("why", models.CharField(blank=True, default="", max_length=500)),
                        (
                            "actor",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "opportunity",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="changes",
                                to="revenue.opportunity",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["at", "pk"],
                        "indexes": [
                            models.Index(fields=["opportunity", "at"], name="opportunity_change")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Payment",
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
                        ("received_on", models.DateField()),
                        ("amount_minor", models.BigIntegerField()),
                        ("currency", models.CharField(default="CNY", max_length=3)),
                        ("number", models.CharField(blank=True, default="", max_length=80)),
                        ("note", models.CharField(blank=True, default="", max_length=500)),
                        ("external_id", models.CharField(blank=True, default="", max_length=200)),
                        ("known_at", models.DateTimeField()),
                        (
                            "customer",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="payments",
                                to="customers.customer",
                            ),
                        ),
                        (
                            "invoice",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="payments",
                                to="revenue.invoice",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-received_on", "-pk"],
                        "indexes": [
                            models.Index(
                                fields=["customer", "received_on"], name="payment_customer"
                            )
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("number", ""), _negated=True),
                                fields=("number",),
                                name="payment_number_once",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Movement",
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
                        ("group", models.CharField(blank=True, default="", max_length=80)),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("new", "New"),
                                    ("renew", "Renewal"),
                                    ("upsell", "Upsell"),
                                    ("cross_sell", "Cross-sell"),
                                    ("price_change", "Price change"),
                                    ("downsell", "Downsell"),
                                    ("pause", "Pause"),
                                    ("resume", "Resumed"),
                                    ("churn", "Churn"),
                                    ("win_back", "Win-back"),
                                    ("correction", "Correction"),
                                    ("transfer", "Carried over"),
                                ],
                                max_length=12,
                            ),
                        ),
                        ("effective_on", models.DateField()),
                        ("arr_minor", models.BigIntegerField()),
                        ("currency", models.CharField(max_length=3)),
                        ("seats_delta", models.IntegerField(blank=True, null=True)),
                        ("due_on", models.DateField(blank=True, null=True)),
                        ("due_minor", models.BigIntegerField(blank=True, null=True)),
                        ("signed_on", models.DateField(blank=True, null=True)),
                        ("cause", models.CharField(blank=True, default="", max_length=60)),
                        ("involuntary", models.BooleanField(default=False)),
                        ("note", models.CharField(blank=True, default="", max_length=500)),
                        ("known_at", models.DateTimeField()),
                        ("created_at", models.DateTimeField()),
                        (
                            "actor",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "contract",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="movements",
                                to="revenue.contract",
                            ),
                        ),
                        (
                            "corrects",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="corrections",
                                to="revenue.movement",
                            ),
                        ),
                        (
                            "customer",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="movements",
                                to="customers.customer",
                            ),
                        ),
                        (
                            "line",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="movements",
                                to="revenue.line",
                            ),
                        ),
                        (
                            "product",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="revenue.product",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["effective_on", "pk"],
                        "indexes": [
                            models.Index(
                                fields=["customer", "effective_on"], name="movement_customer"
                            ),
                            models.Index(fields=["effective_on", "kind"], name="movement_day"),
                            models.Index(fields=["known_at"], name="movement_known"),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Renewal",
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
                        ("group", models.CharField(max_length=80)),
                        ("due_on", models.DateField()),
                        ("due_minor", models.BigIntegerField()),
                        ("currency", models.CharField(default="CNY", max_length=3)),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("open", "Open"),
                                    ("renewed", "Renewed"),
                                    ("lost", "Lost"),
                                    ("merged", "Part of another renewal"),
                                ],
                                default="open",
                                max_length=8,
                            ),
                        ),
                        (
                            "category",
                            models.CharField(
                                choices=[
                                    ("signed", "Signed"),
                                    ("commit", "Commit"),
                                    ("expected", "Expected"),
                                    ("at_risk", "At risk"),
                                    ("lost", "Lost"),
                                    ("unjudged", "Not judged"),
                                ],
                                default="unjudged",
                                max_length=8,
                            ),
                        ),
                        ("forecast_minor", models.BigIntegerField(blank=True, null=True)),
                        ("outcome_minor", models.BigIntegerField(blank=True, null=True)),
                        ("decided_on", models.DateField(blank=True, null=True)),
                        ("cause", models.CharField(blank=True, default="", max_length=60)),
                        ("involuntary", models.BooleanField(default=False)),
                        ("note", models.CharField(blank=True, default="", max_length=1000)),
                        ("amount_updated_at", models.DateTimeField(blank=True, null=True)),
                        ("created_at", models.DateTimeField()),
                        (
                            "customer",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="renewals",
                                to="customers.customer",
                            ),
                        ),
                        (
                            "merged_into",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="absorbed",
                                to="revenue.renewal",
                            ),
                        ),
                        (
                            "owner",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="renewals",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "product",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="revenue.product",
                            ),
                        ),
                        (
                            "successor",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="revenue.line",
                            ),
                        ),
                        (
                            "lines",
                            models.ManyToManyField(
                                related_name="renewals",
                                through="revenue.RenewalLine",
                                to="revenue.line",
                            ),
                        ),
                        ("gap", models.PositiveSmallIntegerField(default=0)),
                        ("signal", models.CharField(blank=True, default="", max_length=8)),
                        ("signal_on", models.DateField(blank=True, null=True)),
                        ("signal_why", models.JSONField(blank=True, default=list)),
                        ("churn_probability", models.FloatField(blank=True, null=True)),
                        ("churn_on", models.DateField(blank=True, null=True)),
                        ("asked_minor", models.BigIntegerField(blank=True, null=True)),
                    ],
                    options={
                        "ordering": ["due_on", "pk"],
                        "indexes": [
                            models.Index(fields=["due_on", "state"], name="renewal_due"),
                            models.Index(fields=["owner", "due_on"], name="renewal_owner_due"),
                            models.Index(
                                fields=["customer", "due_on"], name="renewal_customer_due"
                            ),
                            models.Index(
                                fields=[
                                    "due_on",
                                    "currency",
                                    "category",
                                    "state",
                                    "gap",
                                    "due_minor",
                                    "forecast_minor",
                                    "churn_probability",
                                    "customer",
                                ],
                                name="renewal_totals",
                            ),
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("state", "merged"), _negated=True),
                                fields=("customer", "group", "due_on", "currency"),
                                name="renewal_once",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Checkpoint",
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
                        ("days", models.PositiveSmallIntegerField()),
                        ("due_on", models.DateField()),
                        ("signal", models.CharField(blank=True, default="", max_length=8)),
                        ("signal_why", models.JSONField(default=list)),
                        ("view", models.CharField(blank=True, default="", max_length=8)),
                        ("view_at", models.DateTimeField(blank=True, null=True)),
                        ("view_why", models.CharField(blank=True, default="", max_length=500)),
                        ("decided", models.CharField(blank=True, default="", max_length=8)),
                        ("decided_at", models.DateTimeField(blank=True, null=True)),
                        ("decided_why", models.CharField(blank=True, default="", max_length=500)),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("waiting", "Waiting for the CSM"),
                                    ("agreed", "Agreed"),
                                    ("disputed", "For a leader to decide"),
                                    ("decided", "Decided"),
                                    ("closed", "Closed"),
                                ],
                                default="waiting",
                                max_length=8,
                            ),
                        ),
                        ("opened_at", models.DateTimeField()),
                        (
                            "decided_by",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "view_by",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "renewal",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="checkpoints",
                                to="revenue.renewal",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["due_on", "pk"],
                        "indexes": [
                            models.Index(fields=["state", "due_on"], name="checkpoint_state")
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("renewal", "days"), name="checkpoint_once"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="RenewalChange",
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
                        ("field", models.CharField(max_length=40)),
                        ("old", models.JSONField(null=True)),
                        ("new", models.JSONField(null=True)),
                        ("why", models.CharField(blank=True, default="", max_length=500)),
                        (
                            "actor",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "renewal",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="changes",
                                to="revenue.renewal",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["at", "pk"],
                        "indexes": [
                            models.Index(
                                fields=["renewal", "field", "at"], name="renewal_change_as_of"
                            ),
                            models.Index(fields=["at", "field"], name="renewal_change_week"),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="RenewalLine",
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
                        ("due_minor", models.BigIntegerField()),
                        (
                            "line",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="renewal_lines",
                                to="revenue.line",
                            ),
                        ),
                        (
                            "renewal",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="renewal_lines",
                                to="revenue.renewal",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["pk"],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("renewal", "line"), name="renewal_line_once"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="RenewalSnapshot",
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
                            "category",
                            models.CharField(
                                choices=[
                                    ("signed", "Signed"),
                                    ("commit", "Commit"),
                                    ("expected", "Expected"),
                                    ("at_risk", "At risk"),
                                    ("lost", "Lost"),
                                    ("unjudged", "Not judged"),
                                ],
                                max_length=8,
                            ),
                        ),
                        ("forecast_minor", models.BigIntegerField(blank=True, null=True)),
                        ("due_minor", models.BigIntegerField()),
                        ("probability", models.FloatField(blank=True, null=True)),
                        (
                            "owner",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "renewal",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="snapshots",
                                to="revenue.renewal",
                            ),
                        ),
                        (
                            "tier",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="customers.tier",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["as_of", "pk"],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("as_of", "renewal"), name="renewal_snapshot_once"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="RevenueSettings",
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
                        ("base_currency", models.CharField(default="CNY", max_length=3)),
                        ("policies", models.JSONField(blank=True, default=dict)),
                        ("loss_grace_days", models.PositiveSmallIntegerField(default=30)),
                        (
                            "capacity_low",
                            models.DecimalField(decimal_places=2, default=20, max_digits=6),
                        ),
                        (
                            "capacity_high",
                            models.DecimalField(decimal_places=2, default=30, max_digits=6),
                        ),
                        ("gross_margin_bp", models.PositiveIntegerField(blank=True, null=True)),
                        ("tier_weights", models.JSONField(blank=True, default=dict)),
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
                        ("stated_renewal_bp", models.PositiveIntegerField(blank=True, null=True)),
                    ],
                    options={
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(("pk", 1)), name="revenue_settings_one_row"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="SelfCheck",
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
                        ("question", models.PositiveSmallIntegerField()),
                        ("auto_answer", models.CharField(blank=True, default="", max_length=8)),
                        ("evidence", models.JSONField(default=list)),
                        ("answer", models.CharField(blank=True, default="", max_length=8)),
                        ("note", models.CharField(blank=True, default="", max_length=500)),
                        ("at", models.DateTimeField(blank=True, null=True)),
                        (
                            "by",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "renewal",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="self_checks",
                                to="revenue.renewal",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["renewal", "question"],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("renewal", "question"), name="self_check_once"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("question__gte", 1), ("question__lte", 4)),
                                name="self_check_of_four",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Spend",
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
                                    ("sales_marketing", "Sales and marketing"),
                                    ("cs", "Customer success"),
                                    ("salary", "Salary"),
                                    ("cogs", "Cost of delivery"),
                                ],
                                max_length=16,
                            ),
                        ),
                        ("month", models.DateField()),
                        ("amount_minor", models.BigIntegerField()),
                        ("currency", models.CharField(default="CNY", max_length=3)),
                        ("note", models.CharField(blank=True, default="", max_length=200)),
                        ("external_id", models.CharField(blank=True, default="", max_length=200)),
                        ("known_at", models.DateTimeField()),
                        (
                            "user",
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
                        "ordering": ["month", "kind", "pk"],
                        "indexes": [models.Index(fields=["kind", "month"], name="spend_month")],
                    },
                ),
                migrations.CreateModel(
                    name="WalletBudget",
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
                        ("category", models.CharField(max_length=80)),
                        ("year", models.PositiveSmallIntegerField()),
                        ("amount_minor", models.BigIntegerField()),
                        ("currency", models.CharField(default="CNY", max_length=3)),
                        ("said_by", models.CharField(blank=True, default="", max_length=120)),
                        ("said_on", models.DateField(blank=True, null=True)),
                        ("known_at", models.DateTimeField()),
                        (
                            "author",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "customer",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="budgets",
                                to="customers.customer",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["customer", "-year", "category", "-known_at", "-pk"],
                        "indexes": [
                            models.Index(fields=["customer", "year"], name="budget_customer_year")
                        ],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(("amount_minor__gte", 0)),
                                name="budget_not_negative",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ForecastRun",
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
                        ("made_at", models.DateTimeField()),
                        ("currency", models.CharField(max_length=3)),
                        ("odds", models.JSONField()),
                        ("draws", models.PositiveIntegerField()),
                    ],
                    options={
                        "ordering": ["as_of"],
                    },
                ),
                migrations.CreateModel(
                    name="ForecastFigure",
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
                            "scope",
                            models.CharField(
                                choices=[
                                    ("all", "All"),
                                    ("owner", "Owner"),
                                    ("team", "Team"),
                                    ("tier", "Tier"),
                                ],
                                max_length=5,
                            ),
                        ),
                        ("key", models.PositiveBigIntegerField(default=0)),
                        (
                            "span",
                            models.CharField(
                                choices=[("month", "Month"), ("quarter", "Quarter")], max_length=7
                            ),
                        ),
                        ("period_on", models.DateField()),
                        ("count", models.PositiveIntegerField()),
                        ("open_count", models.PositiveIntegerField()),
                        ("due_minor", models.BigIntegerField()),
                        ("settled_minor", models.BigIntegerField()),
                        ("expected_minor", models.BigIntegerField()),
                        ("p10_minor", models.BigIntegerField()),
                        ("p50_minor", models.BigIntegerField()),
                        ("p90_minor", models.BigIntegerField()),
                        ("said_minor", models.BigIntegerField()),
                        ("unjudged_count", models.PositiveIntegerField()),
                        (
                            "run",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="figures",
                                to="revenue.forecastrun",
                            ),
                        ),
                        ("gross_expected_minor", models.BigIntegerField(blank=True, null=True)),
                        ("gross_p10_minor", models.BigIntegerField(blank=True, null=True)),
                        ("gross_p50_minor", models.BigIntegerField(blank=True, null=True)),
                        ("gross_p90_minor", models.BigIntegerField(blank=True, null=True)),
                    ],
                    options={
                        "ordering": ["run", "scope", "key", "span", "period_on"],
                        "indexes": [
                            models.Index(
                                fields=["scope", "key", "span", "period_on"],
                                name="forecast_figure_of",
                            )
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("run", "scope", "key", "span", "period_on"),
                                name="forecast_figure_once",
                            )
                        ],
                    },
                ),
            ]
        ),
    ]
