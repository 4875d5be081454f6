"""Users of the product go with the customer that became part of another; events stay."""

from gengyun.customers.actions.merging import register, rows_part
from gengyun.usage.models import ProductUser

PART = rows_part("product_users", ProductUser)
register(PART)
