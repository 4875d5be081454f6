"""What contracts and lines refuse."""

from collections.abc import Iterable

from gengyun.kernel.errors import Refusal
from gengyun.revenue.calc.rules import Fault


class RuleBroken(Refusal):
    """`rule` names the rule of `calc.rules`; `code` is the same, so that faces show it."""

    code = "rule_broken"

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message, **fault.params)
        self.code = fault.rule
        self.rule = fault.rule


class LineAnswered(Refusal):
    code = "line_answered"
    status = 409
    message = "This line has been renewed or ended already."


class LineTakenOver(LineAnswered):
    code = "line_taken_over"
    message = (
        "From %(day)s on contract %(number)s goes on with this line. Correct or void that line "
        "first, then this one."
    )


class LineEnded(LineAnswered):
    code = "line_ended"
    message = (
        "This line ended on %(day)s. Take its end back first (on the renewal: not lost after all), "
        "then correct it."
    )


class LinePausedSince(LineAnswered):
    code = "line_paused_since"
    message = (
        "This line was paused on %(day)s, and the ledger keeps that. End it and write what is "
        "right as a new line."
    )


class LineAdjusted(LineAnswered):
    code = "line_adjusted"
    message = (
        "The ARR of this line was corrected by an amount on %(day)s. Correct it by an amount "
        "again, or end it and write a new line."
    )


class LineNotInForce(Refusal):
    code = "line_not_in_force"
    status = 409
    message = "This line has no ARR on %(day)s."


class LinePaused(Refusal):
    code = "line_paused"
    status = 409
    message = "This line is paused already."


class LineNotPaused(Refusal):
    code = "line_not_paused"
    status = 409
    message = "This line is not paused."


class LineWithoutEnd(Refusal):
    code = "line_without_end"
    message = "This line has no last day."


class DayOutsideLine(Refusal):
    code = "day_outside_line"
    message = "%(day)s is not inside the line, %(start)s to %(end)s."


class RateMissing(Refusal):
    code = "rate_missing"
    message = "There is no exchange rate from %(currency)s to %(base)s for %(day)s."


class ReasonNeeded(Refusal):
    code = "reason_needed"
    message = "Say why."


class KnownLater(Refusal):
    code = "known_later"
    message = "What is known from a later moment cannot be written now."


def refuse(faults: Iterable[Fault]) -> list[Fault]:
    """Refuse the first fault that is refused; the others are returned as flags."""
    flags = []
    for fault in faults:
        if fault.is_refused:
            raise RuleBroken(fault)
        flags.append(fault)
    return flags
