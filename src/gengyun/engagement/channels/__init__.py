"""Ways out of the product: one module per service, all with the same three questions.

`clean(config, secrets)` says what is wrong with a configuration, `send(...)` posts one message and
tells what became of it, `LIMITS` how fast the service takes them. Nothing here reads or writes the
database; a network call never happens inside a transaction.
"""

from gengyun.engagement.channels import dingtalk, email, feishu, nowhere, webhook, wecom_robot
from gengyun.engagement.channels.base import ChannelKind, Limits, Outcome, Target

KINDS: dict[str, ChannelKind] = {
    "feishu": feishu,
    "dingtalk": dingtalk,
    "wecom_robot": wecom_robot,
    "email": email,
    "webhook": webhook,
    "nowhere": nowhere,
}

__all__ = ["KINDS", "ChannelKind", "Limits", "Outcome", "Target"]
