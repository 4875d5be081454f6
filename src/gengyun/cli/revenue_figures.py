"""Figures of revenue for programs: numbers, and a reason where there is none."""

from decimal import Decimal


def plain(value):
    """A share as a fraction, money in minor units; a figure with what it was divided by."""
    from gengyun.revenue.calc.figure import Figure

    if not isinstance(value, Figure):
        return value
    found = {"value": number(value.value), "unit": value.unit}
    if value.numerator is not None:
        found |= {
            "numerator": number(value.numerator),
            "denominator": number(value.denominator),
        }
    if value.reason:
        found["reason"] = value.reason % value.params if value.params else value.reason
    return found


def number(value: Decimal | None):
    if value is None:
        return None
    return int(value) if value == value.to_integral_value() else round(float(value), 10)
