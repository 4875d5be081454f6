"""The definitions of the numbers that the pages show, in plain words. Pure.

The anchor is what links on other pages point to; keep it.
"""

from typing import Any

from django.utils.translation import gettext as _

from gengyun.portfolio.calc import needs
from gengyun.revenue.calc import (
    cohorts,
    customer_value,
    ltv,
    renewal_rates,
    retention,
    unit_economics,
    waterfall,
)

Entry = tuple[str, Any, Any]  # anchor, name, definition


def chapters() -> list[tuple[Any, list[Entry]]]:
    return [
        (_("Health"), _health()),
        (_("Customers and money"), _customers()),
        (_("Revenue"), _revenue()),
        (_("Time and data"), _time()),
        (_("What needs me"), _needs()),
        (_("Sources"), _sources()),
    ]


def _health() -> list[Entry]:
    return [
        (
            "score",
            _("Health score"),
            _(
                "Each factor turns one metric into 0 to 100 by its curve; a group is the weighted "
                "mean of its factors, the score the weighted mean of its groups, then limited by "
                "caps. The scorecards below are the ones in force."
            ),
        ),
        (
            "band",
            _("Band A, B, C, D"),
            _(
                "A healthy, B steady, C watch, D at risk, by the bounds of the scorecard. A "
                "customer keeps its band until the score is past the bound by the margin, so that "
                "it does not flicker."
            ),
        ),
        (
            "coverage",
            _("Coverage"),
            _("The share of the weight for which there is data. Below the limit of the scorecard "
              "there is no number but “not enough data”."),
        ),
        (
            "missing",
            _("Weight of missing data"),
            _("A factor without data gives its weight to the other factors of its group, a group "
              "without data to the other groups. The page shows where it went."),
        ),
        (
            "change",
            _("Change against last week"),
            _("The score minus the score of the judged day a week before. The causes are the "
              "differences of the factors' points; they add up to the change exactly."),
        ),
        (
            "trend",
            _("Trend"),
            _("Median of the slopes between the weekly scores of the last 8 weeks (Theil-Sen): "
              "one odd week does not turn it."),
        ),
        (
            "line",
            _("12-week line"),
            _("One point a week, scale 30 to 100, with a line at 65."),
        ),
    ]  # fmt: skip


def _customers() -> list[Entry]:
    return [
        (
            "arr",
            "ARR",
            _("Annual recurring revenue: the sum of the movements of the customer's contracts. A "
              "customer without contracts keeps what was imported or typed in; unknown is shown as "
              "a dash and never counted as 0."),
        ),
        (
            "tier",
            _("Tier"),
            _("The first tier rule that fits; a tier set by hand stays until it expires."),
        ),
        (
            "touch",
            _("Last meaningful touch"),
            _("The latest call, meeting, visit or message that somebody wrote down; notes to "
              "oneself do not count."),
        ),
        (
            "churn",
            _("Churn probability"),
            _("The chance that what comes due next is not renewed by the end of the days of grace, "
              "weighed by amount where several things come due on one day. From a model that has "
              "learned from the company's own decided renewals; before there are enough of them an "
              "experience-based estimate from the rate of the tier. The interval holds the "
              "probability in eight of ten cases; confidence falls with few outcomes, missing "
              "inputs and old data."),
        ),
        ("renewal", _("Days to renewal"), _("Renewal date minus today, in calendar days.")),
        (
            "stage",
            _("Stage"),
            _("Where in the journey of its touch model the customer is; behind after the expected "
              "days, stuck after the longest."),
        ),
    ]  # fmt: skip


def _revenue() -> list[Entry]:
    """The sentences are those of the formulas themselves."""
    found: list[tuple[str, Any, str]] = [
        ("arr-movements", _("ARR movements"), waterfall.DEFINITION),
        ("nrr", "NRR", retention.NRR),
        ("grr", "GRR", retention.GRR),
        ("customer-retention", _("Customer retention"), retention.LOGO),
        ("renewal-rate", _("Renewal rate by amount"), renewal_rates.NET),
        ("renewal-rate-gross", _("Gross renewal rate by amount"), renewal_rates.GROSS),
        ("renewal-rate-count", _("Renewal rate by count"), renewal_rates.COUNT),
        ("cohorts", _("Cohorts"), cohorts.DEFINITION),
        ("arpa", "ARPA", unit_economics.ARPA),
        ("quick-ratio", _("Quick ratio"), unit_economics.QUICK_RATIO),
        ("cac", "CAC", unit_economics.CAC),
        ("payback", _("CAC payback"), unit_economics.PAYBACK),
        ("ltv", _("Simple LTV"), unit_economics.LTV),
        ("ltv-curve", _("LTV by the curve"), ltv.DEFINITION),
        ("ltv-customer", _("LTV of a customer"), customer_value.DEFINITION),
        ("ltv-cac", "LTV:CAC", unit_economics.LTV_CAC),
        ("concentration", _("Concentration"), unit_economics.TOP_SHARE),
        ("wallet", _("Share of wallet"), unit_economics.WALLET),
        ("capacity", _("Capacity"), unit_economics.CAPACITY),
    ]
    return [(anchor, name, _(text)) for anchor, name, text in found]


def _time() -> list[Entry]:
    return [
        (
            "as-of",
            _("As of a day"),
            _("Everything that had happened, and was known, before that day began. Late events "
              "never change a day that was judged."),
        ),
        (
            "window",
            _("The last n days"),
            _("The n days before the judged day; the judged day itself does not count."),
        ),
        (
            "day",
            _("Day"),
            _("A day in the company's time zone. A week begins on Monday."),
        ),
        (
            "unknown",
            _("— unknown"),
            _("We do not know it. It is not 0: 0 is shown only where data says so."),
        ),
    ]  # fmt: skip


def _needs() -> list[Entry]:
    """With the limits that the code uses."""
    return [
        (
            "health_drop",
            _("Health fell"),
            _("%(points)s points or more within a week.") % {"points": f"{needs.DROP_POINTS:g}"},
        ),
        ("band_d", _("At risk"), _("The score is in band D.")),
        (
            "silent",
            _("Silent"),
            _(
                "The customer used the product and has not for %(days)s days or more "
                "(tech-touch: %(tech)s)."
            )
            % {"days": needs.SILENT_DAYS["high"], "tech": needs.SILENT_DAYS["tech"]},
        ),
        (
            "no_contact",
            _("No contact"),
            _(
                "No meaningful touch for %(high)s days in high-touch, %(low)s in low-touch, "
                "%(tech)s in tech-touch."
            )
            % needs.CONTACT_DAYS,
        ),
        (
            "renewal_near",
            _("Renewal near"),
            _("%(days)s days or less to the renewal date while health is C or D.")
            % {"days": needs.RENEWAL_DAYS},
        ),
        (
            "renewal_unjudged",
            _("Renewal not judged"),
            _(
                "A renewal is due within %(days)s days and nobody has put it into a category of "
                "the forecast."
            )
            % {"days": needs.RENEWAL_DAYS},
        ),
        (
            "renewal_late",
            _("Renewal past due"),
            _("The due day of a renewal has passed and nobody has said what came of it."),
        ),
        (
            "payment_overdue",
            _("Payment overdue"),
            _(
                "An invoice that nobody disputes is unpaid %(days)s days after its due day; more "
                "urgent from %(soon)s and from %(long)s days on. Payments without an invoice pay "
                "the oldest first."
            )
            % {
                "days": needs.OVERDUE_DAYS,
                "soon": needs.OVERDUE_SOON_DAYS,
                "long": needs.OVERDUE_LONG_DAYS,
            },
        ),
        (
            "next_step",
            _("Next step due"),
            _("The date of the next step is today or has passed."),
        ),
        (
            "data_missing",
            _("Data missing"),
            _("Judged without enough data although we have had the customer for %(days)s days.")
            % {"days": needs.NEW_CUSTOMER_DAYS},
        ),
        (
            "sentiment_due",
            _("Sentiment ran out"),
            _(
                "What the CSM said of the customer's health has run out (after 30 days, 14 when "
                "worried or alarmed) and counts no more."
            ),
        ),
        ("order", _("Order of the list"), _("By severity, then by ARR.")),
    ]


def _sources() -> list[Entry]:
    return [
        (
            "accepted",
            _("Accepted events"),
            _("Events written to the lake, each once, however often it was sent."),
        ),
        (
            "waiting",
            _("Waiting events"),
            _("Acknowledged and kept, not counted yet, because something is missing; the source's "
              "page says what."),
        ),
    ]  # fmt: skip
