"""What people said of a customer's health goes with it into another, and comes back with it."""

from gengyun.customers.actions.merging import register, rows_part
from gengyun.health.models import Sentiment

PART = rows_part("sentiments", Sentiment)
register(PART)
