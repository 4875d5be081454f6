"""What can be wrong with a scorecard, marked for the catalogue.

`health.calc.config` is pure and says these as English msgids; a test keeps the two lists equal.
"""

from django.utils.translation import gettext_noop as _

FAULTS = (
    _("A cap needs a condition."),
    _("A curve needs at least two points."),
    _("A group needs at least one factor."),
    _("A list is needed here."),
    _("A number is needed here."),
    _("A point is a value and a score."),
    _("A scorecard needs at least one group."),
    _("A scorecard needs groups of factors."),
    _("A text is needed here."),
    _("A weight must be greater than 0."),
    _("At most %(most)s entries are allowed."),
    _("Bands need the lower bounds of A, B and C."),
    _("The key %(key)s is used twice."),
    _("The lower bounds must fall from A to C, above 0."),
    _("The margin leaves no room for A or for D."),
    _("The number must lie between %(low)s and %(high)s."),
    _("The scores of a curve must all rise or all fall."),
    _("The values of a curve must rise from point to point."),
    _("There is no metric %(metric)s."),
    _("This comparison is not known."),
    _("This is not a group of similar customers."),
    _("This is not a rule for missing data."),
)
