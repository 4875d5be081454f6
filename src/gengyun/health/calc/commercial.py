"""Inputs of a score that come from contracts, payments and surveys; a factor names them like a
metric."""

from gengyun.engagement.calc import survey_inputs

# key -> Chinese, English, unit
INPUTS: dict[str, tuple[str, str, str]] = {
    "days_overdue": ("回款逾期天数", "Days overdue", "days"),
    "overdue_share": ("逾期金额占 ARR", "Overdue as a share of ARR", "ratio"),
    "discount_share": ("折扣率", "Discount", "ratio"),
    "arr_change_12m": ("ARR 变化，12 个月", "Change of ARR, 12 months", "change"),
    "seat_change_12m": ("席位变化，12 个月", "Change of seats, 12 months", "change"),
    "ending_share": ("已知将终止的 ARR", "ARR known to end", "ratio"),
    **survey_inputs.INPUTS,
}
KEYS = frozenset(INPUTS)
# how each is worked out: Chinese, English
DEFINITIONS: dict[str, tuple[str, str]] = {
    "days_overdue": (
        (
            "最早一张未付清发票超过应付日的天数；有发票且都按时付清为 0，有争议的发票不算，"
            "没有发票则没有数据。"
        ),
        (
            "Days since the due day of the oldest unpaid invoice; 0 where invoices are paid in "
            "time, disputed ones left out, no data where there are no invoices."
        ),
    ),
    "overdue_share": (
        "逾期未付的金额除以生效中的 ARR；币种不同则没有数据。",
        "What is overdue divided by ARR in force; no data where their currencies differ.",
    ),
    "discount_share": (
        "生效中各订阅行相对标价的折扣，按 ARR 加权；没有标价的行不算。",
        (
            "Discount against list price of the lines in force, weighted by ARR; lines without a "
            "list price left out."
        ),
    ),
    "arr_change_12m": (
        "（现在的 ARR − 12 个月前的 ARR）/ 12 个月前的 ARR；12 个月前没有 ARR 则没有数据。",
        "(ARR now - ARR 12 months before) / ARR 12 months before; no data where there was none.",
    ),
    "seat_change_12m": (
        "（现在的席位 − 12 个月前的席位）/ 12 个月前的席位。",
        "(Seats now - seats 12 months before) / seats 12 months before.",
    ),
    "ending_share": (
        "已登记将终止（以后的断约变动）的 ARR 除以生效中的 ARR。",
        "ARR that churn movements already in the ledger will take away, divided by ARR in force.",
    ),
    **survey_inputs.DEFINITIONS,
}
