"""Where events come from, the keys that let them in, and what became of them."""

from django.db import models

from gengyun.customers.models import Customer


class Source(models.Model):
    class UnknownCustomer(models.TextChoices):
        QUARANTINE = "quarantine"  # wait until the customer exists, then replay
        CREATE = "create"  # make a customer of it

    key = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=80)
    unknown_customer = models.CharField(
        max_length=10, choices=UnknownCustomer, default=UnknownCustomer.QUARANTINE
    )
    # history: events count as known when they happened, so that past days can be judged;
    # only right where the past was recorded at the time
    is_history = models.BooleanField(default=False)
    is_browser = models.BooleanField(default=False)  # clocks of browsers are corrected
    # of a browser source: events of known robots are counted and left out
    drops_bots = models.BooleanField(default=False)
    # of a browser source: the sites that may send, as https://app.example.cn; empty: any
    origins = models.JSONField(default=list, blank=True)
    # which of PostHog's group types names the customer
    group_type = models.CharField(max_length=40, default="company")
    is_active = models.BooleanField(default=True)
    accepted_count = models.PositiveBigIntegerField(default=0)
    duplicate_count = models.PositiveBigIntegerField(default=0)
    quarantined_count = models.PositiveBigIntegerField(default=0)
    bot_count = models.PositiveBigIntegerField(default=0)  # events of robots, left out
    # events that say nothing of use (a client's own housekeeping), left out
    ignored_count = models.PositiveBigIntegerField(default=0)
    last_event_at = models.DateTimeField(null=True)  # newest received_at
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name


class WriteKey(models.Model):
    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="keys")
    key = models.CharField(max_length=80, unique=True)
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.key[:6]}…"


class QuarantinedEvent(models.Model):
    """An acknowledged event that could not go to the lake yet, with the reason. Replayable."""

    class Reason(models.TextChoices):
        UNKNOWN_CUSTOMER = "unknown_customer"
        NO_CUSTOMER = "no_customer"  # nothing says which customer
        NO_USER = "no_user"  # neither userId nor anonymousId
        NO_EVENT_NAME = "no_event_name"
        BAD_TYPE = "bad_type"
        BAD_TIME = "bad_time"
        TOO_LARGE = "too_large"
        BAD_SHAPE = "bad_shape"

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="quarantine")
    # place in the inbox: makes a repeated drain harmless
    inbox_id = models.BigIntegerField()
    position = models.PositiveIntegerField()
    path = models.CharField(max_length=10, default="batch")  # of the request: batch, track, …
    reason = models.CharField(max_length=20, choices=Reason)
    detail = models.CharField(max_length=300, default="", blank=True)
    group_id = models.CharField(max_length=200, default="", blank=True)
    user_id = models.CharField(max_length=200, default="", blank=True)
    received_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    body = models.TextField()  # the event's JSON as it came
    replayed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-received_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["inbox_id", "position"], name="quarantine_place")
        ]
        indexes = [
            models.Index(fields=["source", "reason", "group_id"], name="quarantine_reason"),
            # what may be replayed when a customer or a user's customer becomes known
            models.Index(
                fields=["group_id"],
                name="quarantine_group",
                condition=models.Q(replayed_at__isnull=True),
            ),
            models.Index(
                fields=["user_id"],
                name="quarantine_user",
                condition=models.Q(replayed_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reason} {self.group_id}"


class Arrival(models.Model):
    """A sample of the latest events of a source, for the live list; the oldest rows are dropped."""

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="arrivals")
    received_at = models.DateTimeField()
    happened_at = models.DateTimeField(null=True)
    kind = models.CharField(max_length=12)
    event = models.CharField(max_length=200, default="", blank=True)
    user_id = models.CharField(max_length=200, default="", blank=True)
    group_id = models.CharField(max_length=200, default="", blank=True)
    customer = models.ForeignKey(Customer, null=True, on_delete=models.SET_NULL)
    outcome = models.CharField(max_length=20)  # accepted, duplicate, or a quarantine reason
    body = models.TextField(default="", blank=True)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.kind} {self.event} {self.outcome}"


class DrainState(models.Model):
    """The drain's notes, one row: what it will count once the lake has committed `through_id`.

    Written before the rows go to the lake, counted after; a drain that was killed in between is
    settled by the next one, which asks the lake whether the commit happened.
    """

    through_id = models.BigIntegerField(default=0)  # last inbox id of the pending turn
    pending = models.JSONField(null=True)  # see usage.actions.counting; None: all is counted

    def __str__(self) -> str:
        return f"drained through {self.through_id}"


class LiveState(models.Model):
    """Up to which version of the events table the customers that it touches were measured again."""

    events_version = models.BigIntegerField(default=-1)
    measured_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"measured through version {self.events_version}"
