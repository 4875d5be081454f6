"""The sentences behind the codes of rows of revenue files; each names the rule it stands for."""

from django.utils.translation import gettext_noop as _

from gengyun.customers.actions.import_messages import add_messages
from gengyun.kernel.errors import Refusal
from gengyun.revenue.actions import refusals
from gengyun.revenue.calc.rules import RULES

MESSAGES: dict[str, str] = {
    # of a cell
    "below_zero": _("the amount is below zero"),
    "amount_zero": _("the amount is zero: there is nothing to write"),
    "share_unclear": _("a bare 1 may be 1 %% or 100 %%; write 1%% or 100%%"),
    "not_a_share": _("not a share between 0 and 100 %%; write 6%%, 0.06 or 85折"),
    "not_a_term": _("not a length of time; write 12, 12 months or 1 year"),
    "not_an_interval": _("not a billing interval; write monthly, quarterly, yearly or 12"),
    "not_a_month": _("not a month; write 2026-03"),
    "not_a_year": _("not a year; write 2026"),
    "not_a_rate": _("not an exchange rate: it is a number above zero"),
    "contract_kind_unknown": _("not a kind of contract; write fixed, open or perpetual"),
    "line_kind_unknown": _(
        "not a kind of line; write subscription, maintenance, licence, one-off or usage"
    ),
    "spend_kind_unknown": _(
        "not a kind of spend; write sales and marketing, customer success, salary or delivery"
    ),
    "status_unknown": _("not a state of an invoice; write open or void"),
    "opportunity_kind_unknown": _(
        "not a kind of opportunity; write new, upsell, cross-sell or service"
    ),
    # of a row
    "currency_differs": _("two currencies in one row: %(currencies)s"),
    "currency_missing": _("the currency is missing"),
    "amount_missing": _("the amount is missing"),
    "number_missing": _("the number is missing"),
    "number_of_other": _("this number belongs to another customer"),
    "number_repeated": _("row %(row)s has the same number, but says something else"),
    "day_missing": _("the date is missing"),
    "due_before_issue": _("due before it was issued"),
    "tax_above_amount": _("the tax is more than the amount that holds it"),
    "contract_unknown": _("there is no such contract of this customer"),
    "invoice_unknown": _("there is no such invoice of this customer"),
    "invoice_currency": _("the invoice is in %(currency)s"),
    "payment_differs": _("this payment is there already with other values; write the difference"),
    "spend_differs": _("this voucher is there already for another kind, month or person"),
    "salary_of_nobody": _("a salary belongs to a person"),
    "paid_above_invoice": _("with this more is paid than the invoice asks for"),
    "refund_and_amount": _("a payment and a refund in one row; give them a row each"),
    "currency_of_itself": _("a rate of a currency against itself"),
    "month_missing": _("the month is missing"),
    "kind_missing": _("the kind is missing"),
    "exchange_rate_missing": _("the rate is missing"),
    "category_missing": _("the category is missing"),
    "year_missing": _("the year is missing"),
    "stage_missing": _("the stage is missing"),
    "opportunity_stage_unknown": _("there is no such stage; write one of: %(stages)s"),
    "opportunity_stage_taken": _("the stage “%(written)s” counts as “%(stage)s” here"),
    "closed_before_opened": _("closed before it was opened"),
    "owner_left_out": _(
        "there is no user with this name or address; the owner of the customer gets it"
    ),
    "product_missing": _("the product is missing; one for the whole file can be set"),
    "product_unknown": _("there is no product %(name)s; make it, or let the import make it"),
    "edition_unknown": _("%(product)s has no such edition; make it, or let the import make it"),
    "contract_differs": _("row %(row)s says something else of this contract: %(fields)s"),
    "line_differs": _("this line is there with other values (%(fields)s): it will be corrected"),
    "renews_unknown": _("the customer has no such line that it could renew"),
    "renews_answered": _("the line that it renews has been renewed already"),
    "loss_cause_unknown": _(
        "not among the causes of a loss, so the row goes in without one; write one of: %(causes)s"
    ),
    "ended_without_day": _("it has ended, but the last day is missing"),
    "arr_differs": _("the file says %(stated)s a year, the rule gives %(arr)s"),
    "product_left_out": _("there is no such product; it goes in without one"),
    "edition_made": _("the edition %(name)s of %(product)s is new; the import makes it"),
    "product_made": _("the product %(name)s is new; the import makes it"),
}

# rules of the ledger say themselves what they refuse or flag
add_messages(MESSAGES | {rule: sentence for rule, (_refused, sentence) in RULES.items()})
# actions say no after the plan, where somebody changed the ledger in between
add_messages(
    {
        refusal.code: refusal.message
        for refusal in vars(refusals).values()
        if isinstance(refusal, type)
        and issubclass(refusal, Refusal)
        and refusal not in (Refusal, refusals.RuleBroken)  # a broken rule is named above
    }
)
