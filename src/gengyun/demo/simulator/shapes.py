"""What a world consists of: what the product sees, and the truth."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Shock:
    account: int
    kind: str
    day: int  # when it happened
    use: float  # jump of engagement
    risk: float
    shows_from: int | None  # day from which use changes; None: it never shows
    half_life: float


@dataclass(frozen=True)
class Seen:
    """What tracking would have delivered."""

    start: date
    seats: npt.NDArray[np.int64]
    tier: npt.NDArray[np.int64]  # index into config.TIERS
    season: npt.NDArray[np.int64]  # index into `seasons`
    seasons: tuple[str, ...]
    first_day: npt.NDArray[np.int64]  # of use
    active_users: npt.NDArray[np.int32]  # [account, day]
    events: npt.NDArray[np.int32]  # [account, day]

    def day(self, index: int) -> date:
        return self.start + timedelta(days=index)


@dataclass(frozen=True)
class Truth:
    shocks: tuple[Shock, ...]
    calendar: npt.NDArray[np.float64]  # [season, day]: share of an ordinary working day
    outages: tuple[tuple[int, int], ...]  # (first day, days)
    engagement: npt.NDArray[np.float32]  # [account, day], latent


@dataclass(frozen=True)
class World:
    seed: int
    seen: Seen
    truth: Truth
