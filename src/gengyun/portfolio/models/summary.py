"""One row per customer holding everything a list sorts and filters by. Derived, rebuildable."""

from django.db import models

from gengyun.customers.models import Customer, Stage, Tier
from gengyun.team.models import User
from gengyun.team.queries.access import customer_scope


class SummaryQuerySet(models.QuerySet["CustomerSummary"]):
    def visible_to(self, actor: User | None) -> "SummaryQuerySet":
        return self.filter(customer_scope(actor))


class CustomerSummary(models.Model):
    customer = models.OneToOneField(Customer, primary_key=True, on_delete=models.CASCADE)
    name = models.CharField(max_length=200)
    # what a search looks into: name and external id, see portfolio.calc.search
    search_key = models.CharField(max_length=420, default="", blank=True)
    industry = models.CharField(max_length=60, default="", blank=True)
    region = models.CharField(max_length=60, default="", blank=True)
    owner = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    tier = models.ForeignKey(Tier, null=True, on_delete=models.PROTECT, related_name="+")
    stage = models.ForeignKey(Stage, null=True, on_delete=models.PROTECT, related_name="+")
    stage_since = models.DateField(null=True)
    pace = models.CharField(max_length=8, default="", blank=True)  # on_track, behind, stuck
    tag_names = models.JSONField(default=list)
    arr_minor = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3, default="CNY")
    seats = models.PositiveIntegerField(null=True)
    renews_on = models.DateField(null=True)
    # health of the newest judged day
    as_of = models.DateField(null=True)
    score = models.FloatField(null=True)
    band = models.CharField(max_length=1, default="N")
    coverage = models.FloatField(null=True)
    trend = models.CharField(max_length=4, default="", blank=True)
    change_week = models.FloatField(null=True)  # score minus the score a week before
    line = models.JSONField(default=list)  # 12 weekly scores, oldest first, null where unknown
    # why the score moved in the week: [{"name_zh", "name_en", "points"}], biggest first
    movers = models.JSONField(default=list)
    active_users_7d = models.PositiveIntegerField(null=True)
    # of them, in percent of what they were four weeks before; null: not known, or they were none
    active_change = models.FloatField(null=True)
    last_event_on = models.DateField(null=True)
    last_touch_at = models.DateTimeField(null=True)  # last meaningful activity
    last_touch_kind = models.CharField(max_length=8, default="", blank=True)
    next_step = models.CharField(max_length=200, default="", blank=True)
    next_step_on = models.DateField(null=True)
    # churn probability of what comes due next, see portfolio.queries.churn; null: not said
    churn = models.FloatField(null=True)
    churn_low = models.FloatField(null=True)  # 80% interval
    churn_high = models.FloatField(null=True)
    churn_on = models.DateField(null=True)  # the due day that it is about
    churn_as_of = models.DateField(null=True)
    churn_grade = models.CharField(max_length=1, default="", blank=True)  # A B C, "" not said
    churn_refused = models.CharField(max_length=40, default="", blank=True)  # why it is not said
    churn_is_estimate = models.BooleanField(default=False)  # from experience, no model has learned
    churn_change = models.FloatField(null=True)  # against 30 days before, for the same due day
    # what the customer is worth in the coming three years; null: cannot be said
    ltv_minor = models.BigIntegerField(null=True)
    ltv_low_minor = models.BigIntegerField(null=True)  # 80% interval
    ltv_high_minor = models.BigIntegerField(null=True)
    # what needs a person: [{"code", "severity", "since", "facts": {...}}], worst first
    needs = models.JSONField(default=list)
    need_rank = models.IntegerField(default=0)  # 0: nothing; larger is more urgent
    need_codes = models.CharField(max_length=200, default="", blank=True)  # ",silent,band_d,"
    updated_at = models.DateTimeField()

    objects = SummaryQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]
        # every sort has an index that ends in the key, so that equal values need no sorting
        indexes = [
            models.Index(fields=["search_key", "customer"], name="summary_search"),
            models.Index(fields=["score", "customer"], name="summary_score"),
            models.Index(fields=["change_week", "customer"], name="summary_change"),
            models.Index(fields=["arr_minor", "customer"], name="summary_arr"),
            models.Index(fields=["renews_on", "customer"], name="summary_renews"),
            models.Index(fields=["last_touch_at", "customer"], name="summary_touch"),
            models.Index(fields=["need_rank", "customer"], name="summary_rank"),
            models.Index(fields=["next_step_on", "customer"], name="summary_step"),
            models.Index(fields=["active_users_7d", "customer"], name="summary_active"),
            models.Index(fields=["churn", "customer"], name="summary_churn"),
            models.Index(fields=["ltv_minor", "customer"], name="summary_ltv"),
            models.Index(fields=["industry", "customer"], name="summary_industry"),
            models.Index(fields=["region", "customer"], name="summary_region"),
            models.Index(fields=["pace", "customer"], name="summary_pace"),
            models.Index(fields=["owner", "-need_rank"], name="summary_need"),
            models.Index(fields=["owner", "name"], name="summary_owner_name"),
            models.Index(fields=["band", "tier"], name="summary_band_tier"),
            models.Index(fields=["tier", "score"], name="summary_tier_score"),
            # all that filters, counts and totals read: a narrow copy of the table, a tenth of its
            # size, for questions that no other index answers
            models.Index(
                fields=[
                    "customer",
                    "owner",
                    "tier",
                    "stage",
                    "band",
                    "trend",
                    "industry",
                    "region",
                    "arr_minor",
                    "seats",
                    "renews_on",
                    "score",
                    "change_week",
                    "active_users_7d",
                    "last_event_on",
                    "last_touch_at",
                    "next_step_on",
                    "churn",
                    "need_rank",
                    "need_codes",
                    "search_key",
                ],
                name="summary_narrow",
            ),
        ]

    def __str__(self) -> str:
        return self.name
