"""What a simulated company consists of: what its systems hold, and the truth behind it.

`Company.tables` and `Company.use` are all that the product may see; each row says on which day it
happened and on which day it was known. `Company.truth` is what it may not.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from gengyun.demo.simulator.company_config import CompanyConfig
from gengyun.demo.simulator.deals import DealWorld
from gengyun.demo.simulator.shapes import Shock

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Counts = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]
Columns = dict[str, npt.NDArray[Any]]  # days are datetime64[D]; NaT and nan: not known, none

NEVER = np.datetime64("NaT", "D")


@dataclass(frozen=True)
class Use:
    """What tracking delivered, [account, day]."""

    active: Counts  # users who did something
    events: Counts
    modules: npt.NDArray[np.int16]  # modules touched, a bit each


@dataclass(frozen=True)
class CompanyTruth:
    not_renewing: dict[tuple[int, int], float]  # (account, nth) -> probability, playbook included
    playbook: dict[tuple[int, int], float]  # what it took off the logit
    value: Singles  # [account, day], latent
    engagement: Singles
    fit: Floats
    is_missold: Flags
    shocks: tuple[Shock, ...]
    calendar: Floats  # [season, day]
    outages: tuple[tuple[int, int], ...]
    collapsed: dict[tuple[int, int], int]  # (account, nth) -> day index of the collapse of use


@dataclass(frozen=True)
class Company:
    seed: int
    config: CompanyConfig
    tier: Ints  # index into config.TIERS
    season: Ints
    bought: npt.NDArray[np.int16]  # modules, a bit each
    seats: Counts  # [account, day], 0: no contract
    activated: Counts  # [account, day], users there can be by then
    deals: DealWorld
    use: Use
    tables: dict[str, Columns]
    truth: CompanyTruth

    @property
    def start(self) -> date:
        return self.config.world.start

    @property
    def days(self) -> int:
        return self.config.world.days

    @property
    def end(self) -> date:
        """The first day of which nothing is known."""
        return self.start + timedelta(days=self.days)

    def day(self, index: int | Ints) -> Any:
        return np.datetime64(self.start, "D") + index


def rows(given: list[tuple[Any, ...]], **types: Any) -> Columns:
    """Columns of named types from rows."""
    made = zip(*given, strict=True) if given else ([] for _ in types)
    return {
        name: np.array(list(values), dtype=kind)
        for (name, kind), values in zip(types.items(), made, strict=True)
    }


def taken(columns: Columns, which: Any) -> Columns:
    return {name: values[which] for name, values in columns.items()}
