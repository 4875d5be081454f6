"""People at the customer."""

from django.db import models

from gengyun.customers.models.customer import Customer
from gengyun.team.models import User
from gengyun.team.queries.access import customer_scope


class ContactQuerySet(models.QuerySet["Contact"]):
    def visible_to(self, actor: User | None) -> "ContactQuerySet":
        return self.filter(customer_scope(actor, owner="customer__owner"))


class Contact(models.Model):
    class Part(models.TextChoices):
        """The part a person plays in the customer's decisions."""

        DECIDER = "decider"
        CHAMPION = "champion"
        USER = "user"
        PROCUREMENT = "procurement"
        OTHER = "other"

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="contacts")
    name = models.CharField(max_length=80)
    title = models.CharField(max_length=80, default="", blank=True)
    part = models.CharField(max_length=12, choices=Part, default=Part.OTHER)
    email = models.EmailField(default="", blank=True)
    phone = models.CharField(max_length=40, default="", blank=True)
    wecom_id = models.CharField(max_length=80, default="", blank=True)
    product_user_id = models.CharField(max_length=200, default="", blank=True)
    note = models.CharField(max_length=200, default="", blank=True)
    left_on = models.DateField(null=True, blank=True)  # no longer with the customer
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    objects = ContactQuerySet.as_manager()

    class Meta:
        ordering = ["left_on", "name", "pk"]
        indexes = [
            # the palette looks for a part of a name: it reads this and not the rows
            models.Index(
                fields=["name", "customer"],
                name="contact_name",
                condition=models.Q(left_on__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return self.name
