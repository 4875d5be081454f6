"""Fields that a company adds to its customers, and the values they hold."""

from django.db import models
from django.db.models import Q

from gengyun.customers.calc.custom import LONGEST_TEXT, Definition, Option
from gengyun.customers.models.customer import Customer


class CustomFieldQuerySet(models.QuerySet["CustomField"]):
    def in_use(self) -> "CustomFieldQuerySet":
        return self.filter(retired_at__isnull=True)


class CustomField(models.Model):
    """A retired field is offered nowhere; its values stay and come back when it is restored."""

    class Kind(models.TextChoices):
        TEXT = "text"
        NUMBER = "number"
        MONEY = "money"  # minor units of the customer's currency
        DATE = "date"
        BOOL = "bool"
        CHOICE = "choice"
        MULTI = "multi"

    key = models.SlugField(max_length=40, unique=True)  # what imports and programs call it
    kind = models.CharField(max_length=6, choices=Kind)
    name_zh = models.CharField(max_length=40, default="", blank=True)
    name_en = models.CharField(max_length=40, default="", blank=True)
    help_zh = models.CharField(max_length=200, default="", blank=True)
    help_en = models.CharField(max_length=200, default="", blank=True)
    # of a choice: [{"key", "name_zh", "name_en", "is_retired"}], in the order of the list
    options = models.JSONField(default=list, blank=True)
    is_required = models.BooleanField(default=False)  # in forms; events and imports may lack it
    keeps_history = models.BooleanField(default=False)  # changes go into `FieldChange`
    position = models.PositiveSmallIntegerField(default=0)
    retired_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    objects = CustomFieldQuerySet.as_manager()

    class Meta:
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return self.name_zh or self.name_en

    @property
    def definition(self) -> Definition:
        return Definition(self.key, self.kind, tuple(Option(**one) for one in self.options))

    @property
    def name(self) -> str:
        """Among the built-in fields."""
        return self.definition.name


class FieldValue(models.Model):
    """One value; of a multiple choice one row per option. No row: unknown. See `calc.custom`."""

    # each key begins one of the indexes below
    field = models.ForeignKey(
        CustomField, on_delete=models.PROTECT, related_name="values", db_index=False
    )
    customer = models.ForeignKey(
        Customer, on_delete=models.CASCADE, related_name="field_values", db_index=False
    )
    place = models.PositiveSmallIntegerField(default=0)
    # null where there is none: what is null stays out of the index
    text = models.CharField(max_length=LONGEST_TEXT, null=True, blank=True)
    number = models.DecimalField(max_digits=20, decimal_places=4, null=True, blank=True)
    day = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ["field", "customer", "place"]
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "field", "place"], name="one_value_per_place"
            )
        ]
        # a filter and a sort each read one of these from the border on, and nothing else
        indexes = [
            models.Index(fields=["field", "customer"], name="value_customer"),
            models.Index(
                fields=["field", "number", "customer"],
                name="value_number",
                condition=Q(number__isnull=False),
            ),
            models.Index(
                fields=["field", "day", "customer"],
                name="value_day",
                condition=Q(day__isnull=False),
            ),
            models.Index(
                fields=["field", "text", "customer"],
                name="value_text",
                condition=Q(text__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id}.{self.field_id}"
