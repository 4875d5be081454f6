"""The published working calendar, which lies in the kernel."""

from gengyun.kernel.calc.workdays import (
    HOLIDAY,
    MAKE_UP_DAY,
    WEEKEND,
    WORKDAY,
    Workdays,
    workdays,
)

__all__ = ["HOLIDAY", "MAKE_UP_DAY", "WEEKEND", "WORKDAY", "Workdays", "workdays"]
