"""An index of search keys by two characters, which SQLite and PostgreSQL both lack for Chinese."""

from django.db import models

from gengyun.portfolio.models.summary import CustomerSummary


class NamePair(models.Model):
    """A search key that holds the pair behind its beginning, see portfolio.calc.search; derived."""

    pk = models.CompositePrimaryKey("pair", "customer")
    pair = models.BigIntegerField()
    customer = models.ForeignKey(CustomerSummary, on_delete=models.CASCADE, related_name="+")

    def __str__(self) -> str:
        return f"{self.pair} {self.customer_id}"
