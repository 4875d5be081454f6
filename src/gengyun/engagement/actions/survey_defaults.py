"""The surveys that a deployment starts with. Content, as data in both languages."""

from datetime import datetime
from typing import Any

from django.db import transaction

from gengyun.engagement.actions.survey_forms import create_survey
from gengyun.engagement.models import Survey

# key (and kind), names, texts; the questions are those of the kind
SURVEYS: list[tuple[str, str, str, dict[str, dict[str, str]]]] = [
    (
        "nps",
        "NPS 推荐意愿",
        "NPS: would you recommend us",
        {
            "zh": {
                "intro": "只有一个问题，一分钟以内。您的回答由客户成功经理亲自看。",
                "thanks": "谢谢！您的客户成功经理会看到您的回答。",
                "subject": "{{ contact.name }}，您会向同行推荐我们吗？一个问题",
                "body": (
                    "{{ contact.name }}，您好：\n\n"
                    "想请您回答一个问题，不到一分钟：\n"
                    "{{ survey.link }}\n\n"
                    "您的回答会由您的客户成功经理亲自看。谢谢！"
                ),
            },
            "en": {
                "intro": "One question, less than a minute. Your CSM reads what you say.",
                "thanks": "Thank you! Your CSM will see your answer.",
                "subject": "{{ contact.name }}, would you recommend us? One question",
                "body": (
                    "Dear {{ contact.name }},\n\n"
                    "may we ask you one question? It takes less than a minute:\n"
                    "{{ survey.link }}\n\n"
                    "Your CSM reads what you say. Thank you!"
                ),
            },
        },
    ),
    (
        "csat",
        "服务满意度",
        "CSAT: satisfaction with a service",
        {
            "zh": {
                "intro": "请给这次服务打个分。",
                "thanks": "谢谢您的评价！",
                "subject": "{{ contact.name }}，请给这次服务打个分",
                "body": (
                    "{{ contact.name }}，您好：\n\n"
                    "请给这次服务打个分，点一下就好：\n"
                    "{{ survey.link }}\n\n"
                    "谢谢！"
                ),
            },
            "en": {
                "intro": "Please rate this service.",
                "thanks": "Thank you for your rating!",
                "subject": "{{ contact.name }}, how was our service?",
                "body": (
                    "Dear {{ contact.name }},\n\n"
                    "please rate this service; one tap is enough:\n"
                    "{{ survey.link }}\n\n"
                    "Thank you!"
                ),
            },
        },
    ),
    (
        "ces",
        "办事容易程度",
        "CES: how easy it was",
        {
            "zh": {
                "intro": "想知道您办成这件事费不费劲。",
                "thanks": "谢谢！我们会把费劲的地方改好。",
                "subject": "{{ contact.name }}，这件事办起来容易吗？",
                "body": (
                    "{{ contact.name }}，您好：\n\n"
                    "想知道您办成这件事费不费劲，点一下就好：\n"
                    "{{ survey.link }}\n\n"
                    "谢谢！"
                ),
            },
            "en": {
                "intro": "We would like to know how much effort it took.",
                "thanks": "Thank you! We will make the hard parts easier.",
                "subject": "{{ contact.name }}, how easy was it?",
                "body": (
                    "Dear {{ contact.name }},\n\n"
                    "how much effort did it take to get this done? One tap is enough:\n"
                    "{{ survey.link }}\n\n"
                    "Thank you!"
                ),
            },
        },
    ),
]


@transaction.atomic
def install_defaults(*, now: datetime) -> int:
    """Those of `SURVEYS` that the deployment never had; returns how many are new."""
    known = set(Survey.objects.values_list("key", flat=True))
    count = 0
    for key, name_zh, name_en, texts in SURVEYS:
        if key in known:
            continue
        values: dict[str, Any] = {"name_zh": name_zh, "name_en": name_en, "texts": texts}
        create_survey(actor=None, now=now, kind=key, key=key, **values)
        count += 1
    return count
