"""What surveys give a health score: named like metrics, with how each is worked out."""

# key -> Chinese, English, unit: inputs of a health score, named like metrics
INPUTS: dict[str, tuple[str, str, str]] = {
    "nps_score": ("NPS 打分", "NPS score", "count"),
    "silent_waves": ("连续没有回答的问卷轮次", "Survey waves without any answer", "count"),
}
DEFINITIONS: dict[str, tuple[str, str]] = {
    "nps_score": (
        "每位联系人 180 天内最近一次 NPS 打分（0–10）的平均；不是 NPS 值。没有人回答则没有数据。",
        (
            "Mean of each contact's latest NPS score (0-10) within 180 days; not the NPS itself. "
            "No data where nobody answered."
        ),
    ),
    "silent_waves": (
        "从最近一轮往前数，有几轮问卷没有任何人回答；发出 14 天以上才算。没有发过则没有数据。",
        (
            "How many of the newest waves in a row nobody answered; a wave counts 14 days after it "
            "went out. No data where nobody was asked."
        ),
    ),
}
