"""Activities, risks, touches and surveys go with the customer that became part of another, and come
back with it."""

from gengyun.customers.actions.merging import register, rows_part
from gengyun.engagement.models import Activity, Answer, Invitation, Risk, Touch

PART = rows_part("activities", Activity)
register(PART)
register(rows_part("risks", Risk))
register(rows_part("touches", Touch))
register(rows_part("invitations", Invitation))
register(rows_part("answers", Answer))
