"""Amounts of one currency in another, for whole columns, rounded as an invoice is."""

from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt

from gengyun.kernel.currencies import DECIMALS
from gengyun.revenue.calc.moves import I64


def converted(minor: I64, rate: Decimal, currency: str, base: str) -> I64:
    """Whole minor units of `base`, half away from zero, exactly (as `calc.fx.converted`)."""
    if currency == base and rate == 1:
        return minor
    shift = DECIMALS.get(base, 2) - DECIMALS.get(currency, 2)
    top, bottom = rate.scaleb(shift).as_integer_ratio()
    # each different amount once, in whole numbers of any size
    amounts, place = np.unique(minor, return_inverse=True)
    values = [_divided(int(amount) * top, bottom) for amount in amounts]
    found: I64 = np.array(values, np.int64)[place.ravel()]
    return found


def _divided(top: int, bottom: int) -> int:
    size = (2 * abs(top) + bottom) // (2 * bottom)
    return size if top >= 0 else -size


def converted_steps(
    unit: I64,
    day: I64,
    minor: I64,
    rate: Decimal,
    *,
    currency: str,
    base: str,
    rank: npt.NDArray[Any] | None = None,
) -> I64:
    """Movements at one rate so that they add up to the converted balance of each unit.

    Rounding each movement by itself would leave a cent standing when everything has ended. So the
    running balance of the unit is converted, and a movement is the difference it makes. `rank`: the
    order within a day; what a line takes over from another comes first, so that a pair of
    transfers is the same amount twice.
    """
    if currency == base and rate == 1:
        return minor
    order = np.lexsort((minor, day, unit) if rank is None else (minor, rank, day, unit))
    total = np.cumsum(minor[order])
    starts = np.ones(len(order), bool)
    starts[1:] = np.diff(unit[order]) != 0
    group = np.cumsum(starts) - 1
    running = total - (total - minor[order])[starts][group]
    after = converted(running, rate, currency, base)
    before = converted(running - minor[order], rate, currency, base)
    found = np.zeros(len(minor), np.int64)
    found[order] = after - before
    return found
