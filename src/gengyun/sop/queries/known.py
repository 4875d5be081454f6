"""What there is today that an SOP may speak of: `sop.calc.check` refuses everything else."""

from collections.abc import Mapping

from gengyun.alerts.models import RiskCause
from gengyun.customers.models import Stage, Tier
from gengyun.customers.queries.custom_fields import fields_in_use
from gengyun.engagement.calc.templates import check_template
from gengyun.engagement.models import Channel, Survey
from gengyun.engagement.models.touch import Category
from gengyun.portfolio.models import Segment
from gengyun.sop.calc.check import Known
from gengyun.sop.calc.effects import kinds
from gengyun.sop.models import Sop
from gengyun.team.models import User
from gengyun.usage.queries.metrics import active_metrics

ROBOTS = (
    Channel.Kind.WEBHOOK,
    Channel.Kind.FEISHU,
    Channel.Kind.DINGTALK,
    Channel.Kind.WECOM_ROBOT,
)


def known() -> Known:
    channels = list(Channel.objects.filter(is_active=True).values_list("kind", "serves", "name"))
    ours = [row for row in channels if row[1] == Channel.Serves.TEAM]
    return Known(
        effects=kinds(),
        custom={field.name: field.definition for field in fields_in_use()},
        ids={
            "tier": set(Tier.objects.values_list("pk", flat=True)),
            "stage": set(Stage.objects.values_list("pk", flat=True)),
            "owner": set(User.objects.values_list("pk", flat=True)),
            "segment": set(
                Segment.objects.filter(of=Segment.Of.CUSTOMER, retired_at=None).values_list(
                    "pk", flat=True
                )
            ),
        },
        sops=set(Sop.objects.values_list("key", flat=True)),
        metrics={metric.key for metric in active_metrics()},
        # without a mailbox of our own, mail is kept back with that reason
        channels={
            str(Channel.Kind.EMAIL),
            *(kind for kind, serves, _ in channels if serves == Channel.Serves.CUSTOMERS),
        },
        webhooks={name for kind, _, name in ours if kind in ROBOTS},
        categories=set(Category.values),
        surveys=set(Survey.objects.filter(retired_at=None).values_list("key", flat=True)),
        causes=set(
            RiskCause.objects.filter(retired_at=None, parent__isnull=False).values_list(
                "key", flat=True
            )
        ),
        check_text=_check_text,
    )


def _check_text(text: str) -> list[tuple[str, Mapping[str, str]]]:
    return [(found.message, found.params) for found in check_template(text)]
