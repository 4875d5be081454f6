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
        ("tasks", "0001_initial"),
        ("tasks", "0002_is_new"),
        ("tasks", "0003_fewer_indexes"),
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
                    name="Task",
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
                        ("title", models.CharField(max_length=200)),
                        ("body", models.TextField(blank=True, default="")),
                        ("role", models.CharField(blank=True, default="", max_length=12)),
                        ("is_assigned", models.BooleanField(default=False)),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("open", "Open"),
                                    ("done", "Done"),
                                    ("dropped", "Dropped"),
                                ],
                                default="open",
                                max_length=8,
                            ),
                        ),
                        (
                            "priority",
                            models.PositiveSmallIntegerField(
                                choices=[(1, "High"), (2, "Normal"), (3, "Low")], default=2
                            ),
                        ),
                        ("due_on", models.DateField(blank=True, null=True)),
                        ("started_at", models.DateTimeField(blank=True, null=True)),
                        ("snoozed_until", models.DateField(blank=True, null=True)),
                        ("done_at", models.DateTimeField(blank=True, null=True)),
                        ("result", models.TextField(blank=True, default="")),
                        ("source", models.CharField(blank=True, default="", max_length=160)),
                        ("worth_minor", models.BigIntegerField(blank=True, null=True)),
                        ("stake_minor", models.BigIntegerField(blank=True, null=True)),
                        ("created_at", models.DateTimeField()),
                        ("updated_at", models.DateTimeField()),
                        (
                            "contact",
                            models.ForeignKey(
                                blank=True,
                                db_index=False,
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="tasks",
                                to="customers.contact",
                            ),
                        ),
                        (
                            "created_by",
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
                            "customer",
                            models.ForeignKey(
                                blank=True,
                                db_index=False,
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="tasks",
                                to="customers.customer",
                            ),
                        ),
                        (
                            "done_by",
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
                            "owner",
                            models.ForeignKey(
                                blank=True,
                                db_index=False,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="tasks",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("is_new", models.BooleanField(default=False)),
                    ],
                    options={
                        "ordering": ["due_on", "priority", "pk"],
                        "indexes": [
                            models.Index(fields=["owner", "state", "due_on"], name="task_of_owner"),
                            models.Index(
                                fields=["customer", "state", "due_on"], name="task_of_customer"
                            ),
                            models.Index(fields=["state", "due_on"], name="task_due"),
                            models.Index(fields=["state", "-done_at"], name="task_done"),
                            models.Index(fields=["created_by", "state"], name="task_of_maker"),
                            models.Index(
                                condition=models.Q(("contact__isnull", False)),
                                fields=["contact"],
                                name="task_of_contact",
                            ),
                            models.Index(
                                condition=models.Q(("done_by__isnull", False)),
                                fields=["done_by"],
                                name="task_done_by",
                            ),
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("source", ""), _negated=True),
                                fields=("source",),
                                name="one_task_per_source",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="TaskComment",
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
                        ("body", models.TextField()),
                        ("created_at", models.DateTimeField()),
                        ("edited_at", models.DateTimeField(null=True)),
                        ("deleted_at", models.DateTimeField(null=True)),
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
                            "task",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="comments",
                                to="tasks.task",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["created_at", "pk"],
                        "indexes": [
                            models.Index(fields=["task", "created_at"], name="task_comments")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="TaskEvent",
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
                                    ("created", "Created"),
                                    ("edited", "Edited"),
                                    ("assigned", "Assigned"),
                                    ("moved", "Moved"),
                                    ("started", "Started"),
                                    ("stopped", "Stopped"),
                                    ("snoozed", "Snoozed"),
                                    ("woken", "Woken"),
                                    ("done", "Done"),
                                    ("dropped", "Dropped"),
                                    ("reopened", "Reopened"),
                                    ("commented", "Commented"),
                                    ("filed", "Filed"),
                                    ("unfiled", "Unfiled"),
                                    ("undone", "Undone"),
                                ],
                                max_length=10,
                            ),
                        ),
                        ("detail", models.JSONField(default=dict)),
                        ("batch", models.CharField(blank=True, default="", max_length=32)),
                        ("before", models.JSONField(null=True)),
                        ("undone_at", models.DateTimeField(null=True)),
                        (
                            "actor",
                            models.ForeignKey(
                                db_index=False,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "task",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="events",
                                to="tasks.task",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["at", "pk"],
                        "indexes": [
                            models.Index(fields=["task", "at"], name="task_event_log"),
                            models.Index(
                                condition=models.Q(("actor__isnull", False)),
                                fields=["actor"],
                                name="task_event_actor",
                            ),
                            models.Index(
                                condition=models.Q(("batch", ""), _negated=True),
                                fields=["batch"],
                                name="task_event_batch",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="TaskFile",
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
                        ("name", models.CharField(max_length=200)),
                        ("stored_path", models.CharField(max_length=200)),
                        ("byte_count", models.PositiveBigIntegerField()),
                        ("sha256", models.CharField(max_length=64)),
                        ("added_at", models.DateTimeField()),
                        ("removed_at", models.DateTimeField(null=True)),
                        (
                            "added_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "task",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="files",
                                to="tasks.task",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["added_at", "pk"],
                        "indexes": [models.Index(fields=["task", "added_at"], name="task_files")],
                    },
                ),
            ]
        ),
    ]
