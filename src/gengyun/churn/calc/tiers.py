"""Tiers as inputs: an intercept of their own, drawn to the common one like any coefficient."""

import numpy as np

from gengyun.churn.calc.table import NO_TIER, Feature, Table

PREFIX = "tier:"


def tiers_of(table: Table) -> tuple[int, ...]:
    places = tuple(int(tier) for tier in np.unique(table.tier) if tier != NO_TIER)
    return places if len(places) > 1 else ()


def flagged(table: Table, places: tuple[int, ...]) -> Table:
    """With the flags that a model knows, after the features."""
    if not places:
        return table
    flags = np.column_stack([(table.tier == place).astype(np.float64) for place in places])
    features = tuple(Feature(f"{PREFIX}{place}", group="tier", kind="flag") for place in places)
    return Table(
        (*table.features, *features),
        np.column_stack([table.x, flags]),
        table.y,
        table.account,
        table.at,
        table.due,
        table.known,
        table.tier,
        table.lag,
        table.amount_minor,
    )
