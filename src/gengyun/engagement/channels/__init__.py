"""Ways out of the product: one folder per service, each with the same questions.

`clean(config, secrets)` says what is wrong with a configuration, `send(...)` posts one notice to
our own people, `write(...)` one letter to a customer; both tell what became of it. `LIMITS`: how
fast the service takes them. Nothing here reads or writes the database; a network call never happens
inside a transaction. A folder holds three implementations: `real`, `null` (sends nothing) and
`recorded` (keeps what would have gone, answers as the service answers); the setting
GENGYUN_SENDING chooses for the whole deployment.
"""

from django.conf import settings

from gengyun.engagement.channels import dingtalk, email, feishu, nowhere, webhook, wecom_robot
from gengyun.engagement.channels.base import ChannelKind, LetterBox, Limits, Outcome, Target

KINDS: dict[str, ChannelKind] = {
    "feishu": feishu,
    "dingtalk": dingtalk,
    "wecom_robot": wecom_robot,
    "email": email,
    "webhook": webhook,
    "nowhere": nowhere,
}
MODES = ("real", "null", "recorded")
_BOXES: dict[str, dict[str, LetterBox]] = {
    "feishu": {"real": feishu, "null": feishu.null, "recorded": feishu.recorded},
    "dingtalk": {"real": dingtalk, "null": dingtalk.null, "recorded": dingtalk.recorded},
    "wecom_robot": {
        "real": wecom_robot,
        "null": wecom_robot.null,
        "recorded": wecom_robot.recorded,
    },
    "email": {"real": email, "null": email.null, "recorded": email.recorded},
    "webhook": {"real": webhook, "null": webhook.null, "recorded": webhook.recorded},
    "nowhere": dict.fromkeys(MODES, nowhere),
}


def box(kind: str) -> LetterBox:
    """The implementation that this deployment uses for what goes out."""
    return _BOXES[kind][settings.SENDING]


__all__ = ["KINDS", "MODES", "ChannelKind", "LetterBox", "Limits", "Outcome", "Target", "box"]
