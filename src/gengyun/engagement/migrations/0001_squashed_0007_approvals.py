"""The short way for a new database: one table, one step. Databases with some of the migrations
named in `replaces` go on with those.

Nothing but tables, as the old ones.
"""

import datetime
import django.db.models.deletion
import gengyun.engagement.models.touch
from django.conf import settings
from django.db import migrations, models

from gengyun.kernel.tables import CreateTables


class Migration(migrations.Migration):
    replaces = [
        ("engagement", "0001_initial"),
        ("engagement", "0002_channels"),
        ("engagement", "0003_risks"),
        ("engagement", "0004_surveys"),
        ("engagement", "0005_touches"),
        ("engagement", "0006_fewer_indexes"),
        ("engagement", "0007_approvals"),
    ]

    initial = True

    dependencies = [
        ("customers", "0001_squashed_0006_import_revenue_kinds"),
        ("team", "0001_squashed_0004_fewer_indexes"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        CreateTables(
            [
                migrations.CreateModel(
                    name="Activity",
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
                                    ("call", "Call"),
                                    ("meeting", "Meeting"),
                                    ("wecom", "WeCom"),
                                    ("email", "Email"),
                                    ("visit", "Visit"),
                                    ("note", "Note"),
                                    ("system", "System"),
                                ],
                                max_length=8,
                            ),
                        ),
                        ("body", models.TextField()),
                        ("happened_at", models.DateTimeField()),
                        (
                            "outcome",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("solved", "Solved"),
                                    ("partly", "Partly solved"),
                                    ("not", "Not solved"),
                                ],
                                default="",
                                max_length=6,
                            ),
                        ),
                        ("recorded_at", models.DateTimeField()),
                        ("edited_at", models.DateTimeField(null=True)),
                        ("deleted_at", models.DateTimeField(null=True)),
                        ("import_key", models.CharField(max_length=64, null=True)),
                        (
                            "author",
                            models.ForeignKey(
                                db_index=False,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("contacts", models.ManyToManyField(blank=True, to="customers.contact")),
                        (
                            "customer",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="activities",
                                to="customers.customer",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-happened_at", "-pk"],
                        "indexes": [
                            models.Index(
                                fields=["customer", "-happened_at"], name="activity_timeline"
                            ),
                            models.Index(
                                condition=models.Q(("author__isnull", False)),
                                fields=["author"],
                                name="activity_author",
                            ),
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("import_key",), name="activity_import_key"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Channel",
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
                        ("name", models.CharField(max_length=60, unique=True)),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("feishu", "Feishu robot"),
                                    ("dingtalk", "DingTalk robot"),
                                    ("wecom_robot", "WeCom robot"),
                                    ("email", "Mail"),
                                    ("webhook", "Webhook"),
                                    ("nowhere", "Record only"),
                                ],
                                max_length=12,
                            ),
                        ),
                        ("config", models.JSONField(default=dict)),
                        ("secrets", models.JSONField(default=dict)),
                        ("language", models.CharField(default="zh-hans", max_length=10)),
                        ("at_once", models.PositiveSmallIntegerField(default=2)),
                        ("digest", models.PositiveSmallIntegerField(default=4)),
                        ("digest_at", models.TimeField(default=datetime.time(9, 0))),
                        ("quiet_from", models.TimeField(default=datetime.time(21, 0))),
                        ("quiet_to", models.TimeField(default=datetime.time(8, 30))),
                        ("is_active", models.BooleanField(default=True)),
                        ("paused_until", models.DateTimeField(null=True)),
                        ("created_at", models.DateTimeField()),
                        ("last_sent_at", models.DateTimeField(null=True)),
                        ("failed_at", models.DateTimeField(null=True)),
                        ("error_code", models.CharField(blank=True, default="", max_length=40)),
                        ("error_text", models.CharField(blank=True, default="", max_length=200)),
                        ("error_said", models.CharField(blank=True, default="", max_length=200)),
                        (
                            "team",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                to="team.team",
                            ),
                        ),
                        (
                            "customer",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="customers.customer",
                            ),
                        ),
                        (
                            "serves",
                            models.CharField(
                                choices=[
                                    ("team", "Us: notices of alerts"),
                                    ("customers", "Customers: messages to them"),
                                ],
                                default="team",
                                max_length=9,
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["name", "pk"],
                    },
                ),
                migrations.CreateModel(
                    name="Delivery",
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
                        ("key", models.CharField(max_length=160)),
                        ("recipient", models.CharField(blank=True, default="", max_length=254)),
                        ("about", models.CharField(blank=True, default="", max_length=40)),
                        ("severity", models.PositiveSmallIntegerField(default=4)),
                        ("item", models.JSONField(default=dict)),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("waiting", "Waiting"),
                                    ("taken", "Waiting"),
                                    ("posting", "On its way"),
                                    ("sent", "Sent"),
                                    ("failed", "Failed"),
                                    ("unsure", "Perhaps sent"),
                                    ("dropped", "Not sent"),
                                ],
                                default="waiting",
                                max_length=8,
                            ),
                        ),
                        ("due_at", models.DateTimeField()),
                        (
                            "batch",
                            models.CharField(blank=True, db_index=True, default="", max_length=32),
                        ),
                        ("lease_until", models.DateTimeField(null=True)),
                        ("attempts", models.PositiveSmallIntegerField(default=0)),
                        ("created_at", models.DateTimeField()),
                        ("sent_at", models.DateTimeField(null=True)),
                        ("provider_id", models.CharField(blank=True, default="", max_length=200)),
                        ("error_code", models.CharField(blank=True, default="", max_length=40)),
                        ("error_text", models.CharField(blank=True, default="", max_length=200)),
                        ("error_said", models.CharField(blank=True, default="", max_length=200)),
                        (
                            "channel",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="deliveries",
                                to="engagement.channel",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-created_at", "-pk"],
                        "indexes": [
                            models.Index(fields=["state", "due_at"], name="delivery_due"),
                            models.Index(
                                fields=["channel", "-created_at"], name="delivery_channel"
                            ),
                            models.Index(fields=["about"], name="delivery_about"),
                        ],
                        "constraints": [
                            models.UniqueConstraint(fields=("key",), name="delivery_key")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Risk",
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
                        ("cause", models.SlugField(max_length=40)),
                        ("happened_on", models.DateField()),
                        ("note", models.CharField(blank=True, default="", max_length=300)),
                        ("known_at", models.DateTimeField()),
                        ("ended_at", models.DateTimeField(blank=True, null=True)),
                        (
                            "end",
                            models.CharField(
                                blank=True,
                                choices=[("settled", "Settled"), ("mistaken", "Mistaken")],
                                default="",
                                max_length=8,
                            ),
                        ),
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
                                related_name="risks",
                                to="customers.customer",
                            ),
                        ),
                        (
                            "ended_by",
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
                        "ordering": ["-happened_on", "-pk"],
                        "indexes": [
                            models.Index(fields=["customer", "-happened_on"], name="risk_customer")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Survey",
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
                                    ("nps", "NPS"),
                                    ("csat", "CSAT"),
                                    ("ces", "CES"),
                                    ("form", "Short form"),
                                ],
                                max_length=4,
                            ),
                        ),
                        ("name_zh", models.CharField(max_length=60)),
                        ("name_en", models.CharField(blank=True, default="", max_length=60)),
                        ("questions", models.JSONField(default=list)),
                        ("texts", models.JSONField(default=dict)),
                        ("languages", models.JSONField(default=list)),
                        ("valid_days", models.PositiveSmallIntegerField(default=30)),
                        ("reminder_days", models.JSONField(default=list)),
                        ("window_days", models.PositiveSmallIntegerField(default=180)),
                        ("created_at", models.DateTimeField()),
                        ("updated_at", models.DateTimeField()),
                        ("retired_at", models.DateTimeField(blank=True, null=True)),
                        (
                            "channel",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="engagement.channel",
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
                    ],
                    options={
                        "ordering": ["retired_at", "name_zh", "pk"],
                    },
                ),
                migrations.CreateModel(
                    name="Wave",
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
                        ("key", models.CharField(max_length=60)),
                        ("name", models.CharField(blank=True, default="", max_length=80)),
                        ("opened_at", models.DateTimeField()),
                        ("closed_at", models.DateTimeField(blank=True, null=True)),
                        (
                            "survey",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="waves",
                                to="engagement.survey",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-opened_at", "-pk"],
                        "constraints": [
                            models.UniqueConstraint(fields=("survey", "key"), name="wave_key")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Invitation",
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
                        ("nonce", models.CharField(max_length=24, unique=True)),
                        ("language", models.CharField(max_length=10)),
                        ("source", models.CharField(blank=True, default="", max_length=120)),
                        ("created_at", models.DateTimeField()),
                        ("expires_at", models.DateTimeField()),
                        ("sent_at", models.DateTimeField(blank=True, null=True)),
                        ("sent_by_hand", models.BooleanField(default=False)),
                        ("unsent_reason", models.CharField(blank=True, default="", max_length=40)),
                        ("reminded_count", models.PositiveSmallIntegerField(default=0)),
                        ("reminded_at", models.DateTimeField(blank=True, null=True)),
                        ("opened_at", models.DateTimeField(blank=True, null=True)),
                        ("answered_at", models.DateTimeField(blank=True, null=True)),
                        (
                            "contact",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="invitations",
                                to="customers.contact",
                            ),
                        ),
                        (
                            "customer",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="invitations",
                                to="customers.customer",
                            ),
                        ),
                        (
                            "survey",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="invitations",
                                to="engagement.survey",
                            ),
                        ),
                        (
                            "wave",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="invitations",
                                to="engagement.wave",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-created_at", "-pk"],
                        "indexes": [
                            models.Index(
                                fields=["customer", "-created_at"], name="invitation_customer"
                            ),
                            models.Index(
                                fields=["survey", "-created_at"], name="invitation_survey"
                            ),
                            models.Index(
                                condition=models.Q(("answered_at__isnull", True)),
                                fields=["sent_at"],
                                name="invitation_silent",
                            ),
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("wave", "contact"), name="invitation_once"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Answer",
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
                        ("part", models.CharField(max_length=12)),
                        ("score", models.SmallIntegerField(null=True)),
                        ("values", models.JSONField(default=dict)),
                        ("comment", models.TextField(blank=True, default="")),
                        ("language", models.CharField(max_length=10)),
                        ("answered_at", models.DateTimeField()),
                        ("changed_at", models.DateTimeField(blank=True, null=True)),
                        (
                            "contact",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="answers",
                                to="customers.contact",
                            ),
                        ),
                        (
                            "customer",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="answers",
                                to="customers.customer",
                            ),
                        ),
                        (
                            "invitation",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="answer",
                                to="engagement.invitation",
                            ),
                        ),
                        (
                            "survey",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="answers",
                                to="engagement.survey",
                            ),
                        ),
                        (
                            "wave",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="answers",
                                to="engagement.wave",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-answered_at", "-pk"],
                        "indexes": [
                            models.Index(
                                fields=["customer", "-answered_at"], name="answer_customer"
                            ),
                            models.Index(fields=["survey", "-answered_at"], name="answer_survey"),
                            models.Index(fields=["contact", "-answered_at"], name="answer_contact"),
                        ],
                        "constraints": [
                            models.UniqueConstraint(fields=("wave", "contact"), name="answer_once")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="MailAddress",
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
                        ("address", models.CharField(max_length=254, unique=True)),
                        ("hard_bounced_at", models.DateTimeField(blank=True, null=True)),
                        ("soft_bounces", models.JSONField(default=list)),
                        ("said", models.CharField(blank=True, default="", max_length=200)),
                        ("cleared_at", models.DateTimeField(blank=True, null=True)),
                    ],
                    options={
                        "ordering": ["address"],
                    },
                ),
                migrations.CreateModel(
                    name="TouchPolicy",
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
                            "caps",
                            models.JSONField(default=gengyun.engagement.models.touch.default_caps),
                        ),
                        ("quiet_from", models.TimeField(default=datetime.time(20, 0))),
                        ("quiet_to", models.TimeField(default=datetime.time(9, 0))),
                        ("working_days_only", models.BooleanField(default=True)),
                        ("updated_at", models.DateTimeField(null=True)),
                    ],
                    options={
                        "ordering": ["pk"],
                    },
                ),
                migrations.CreateModel(
                    name="TouchTemplate",
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
                        (
                            "category",
                            models.CharField(
                                choices=[
                                    ("service", "Service"),
                                    ("education", "Training and tips"),
                                    ("marketing", "Offers and news"),
                                    ("survey", "Surveys"),
                                    ("relation", "Personal contact"),
                                ],
                                max_length=12,
                            ),
                        ),
                        ("texts", models.JSONField(default=dict)),
                        ("updated_at", models.DateTimeField()),
                        ("retired_at", models.DateTimeField(blank=True, null=True)),
                    ],
                    options={
                        "ordering": ["name", "pk"],
                    },
                ),
                migrations.CreateModel(
                    name="Touch",
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
                        ("key", models.CharField(max_length=200)),
                        ("person", models.CharField(max_length=260)),
                        ("recipient", models.CharField(blank=True, default="", max_length=254)),
                        (
                            "channel_kind",
                            models.CharField(
                                choices=[
                                    ("feishu", "Feishu robot"),
                                    ("dingtalk", "DingTalk robot"),
                                    ("wecom_robot", "WeCom robot"),
                                    ("email", "Mail"),
                                    ("webhook", "Webhook"),
                                    ("nowhere", "Record only"),
                                ],
                                max_length=12,
                            ),
                        ),
                        (
                            "category",
                            models.CharField(
                                choices=[
                                    ("service", "Service"),
                                    ("education", "Training and tips"),
                                    ("marketing", "Offers and news"),
                                    ("survey", "Surveys"),
                                    ("relation", "Personal contact"),
                                ],
                                max_length=12,
                            ),
                        ),
                        ("budget_class", models.CharField(max_length=12)),
                        ("language", models.CharField(default="zh-hans", max_length=10)),
                        ("subject", models.CharField(blank=True, default="", max_length=300)),
                        ("body", models.TextField(blank=True, default="")),
                        ("template", models.CharField(blank=True, default="", max_length=80)),
                        ("source", models.CharField(blank=True, default="", max_length=120)),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("draft", "Draft"),
                                    ("approval", "Awaiting approval"),
                                    ("queued", "Planned"),
                                    ("sent", "Sent"),
                                    ("suppressed", "Not sent"),
                                    ("failed", "Failed"),
                                    ("bounced", "Bounced"),
                                    ("unsure", "Perhaps sent"),
                                ],
                                max_length=10,
                            ),
                        ),
                        ("reason", models.CharField(blank=True, default="", max_length=24)),
                        ("told", models.JSONField(default=dict)),
                        ("asked_at", models.DateTimeField()),
                        ("decided_at", models.DateTimeField(blank=True, null=True)),
                        ("due_at", models.DateTimeField(blank=True, null=True)),
                        ("sent_at", models.DateTimeField(blank=True, null=True)),
                        ("bounced_at", models.DateTimeField(blank=True, null=True)),
                        ("token", models.CharField(max_length=32)),
                        (
                            "asked_by",
                            models.ForeignKey(
                                blank=True,
                                db_index=False,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "channel",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="touches",
                                to="engagement.channel",
                            ),
                        ),
                        (
                            "contact",
                            models.ForeignKey(
                                blank=True,
                                db_index=False,
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="touches",
                                to="customers.contact",
                            ),
                        ),
                        (
                            "customer",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="touches",
                                to="customers.customer",
                            ),
                        ),
                        (
                            "decided_by",
                            models.ForeignKey(
                                blank=True,
                                db_index=False,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("answer_by", models.DateTimeField(blank=True, null=True)),
                        ("approver", models.CharField(blank=True, default="", max_length=8)),
                    ],
                    options={
                        "ordering": ["-asked_at", "-pk"],
                        "indexes": [
                            models.Index(fields=["customer", "-asked_at"], name="touch_customer"),
                            models.Index(fields=["contact", "due_at"], name="touch_contact"),
                            models.Index(fields=["person", "due_at"], name="touch_person"),
                            models.Index(fields=["state", "due_at"], name="touch_state"),
                            models.Index(
                                condition=models.Q(("source", ""), _negated=True),
                                fields=["source"],
                                name="touch_source",
                            ),
                            models.Index(
                                condition=models.Q(("asked_by__isnull", False)),
                                fields=["asked_by"],
                                name="touch_asked_by",
                            ),
                            models.Index(
                                condition=models.Q(("decided_by__isnull", False)),
                                fields=["decided_by"],
                                name="touch_decided_by",
                            ),
                            models.Index(
                                condition=models.Q(("state", "approval")),
                                fields=["answer_by"],
                                name="touch_answer_by",
                            ),
                        ],
                        "constraints": [
                            models.UniqueConstraint(fields=("key",), name="touch_key"),
                            models.UniqueConstraint(fields=("token",), name="touch_token"),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="OptOut",
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
                            "address",
                            models.CharField(blank=True, db_index=True, default="", max_length=254),
                        ),
                        ("category", models.CharField(max_length=12)),
                        (
                            "source",
                            models.CharField(
                                choices=[
                                    ("link", "By the link in a message"),
                                    ("one_click", "By their mail program"),
                                    ("person", "Noted by a colleague"),
                                    ("complaint", "Reported as unwanted"),
                                ],
                                max_length=10,
                            ),
                        ),
                        ("at", models.DateTimeField()),
                        ("ended_at", models.DateTimeField(blank=True, null=True)),
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
                            "contact",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="opt_outs",
                                to="customers.contact",
                            ),
                        ),
                        (
                            "ended_by",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "touch",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to="engagement.touch",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-at", "-pk"],
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("ended_at__isnull", True)),
                                fields=("contact", "address", "category"),
                                name="opt_out_once",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="TouchPreference",
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
                        ("time_zone", models.CharField(blank=True, default="", max_length=40)),
                        ("language", models.CharField(blank=True, default="", max_length=10)),
                        ("updated_at", models.DateTimeField()),
                        (
                            "contact",
                            models.OneToOneField(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="touch_preference",
                                to="customers.contact",
                            ),
                        ),
                        (
                            "customer",
                            models.OneToOneField(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="touch_preference",
                                to="customers.customer",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["pk"],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("customer__isnull", True),
                                    ("contact__isnull", True),
                                    _connector="XOR",
                                ),
                                name="touch_preference_of_one",
                            )
                        ],
                    },
                ),
            ]
        ),
    ]
