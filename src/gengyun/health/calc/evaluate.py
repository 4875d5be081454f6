"""How well a score ranks what happened later: AUC with ties, and the outcome per band. Pure."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby


@dataclass(frozen=True, slots=True)
class BandOutcome:
    band: str
    customers: int  # customer-days
    happened: int

    @property
    def rate(self) -> float:
        return self.happened / self.customers


def auc(risk: Sequence[float], happened: Sequence[bool]) -> float | None:
    """The chance that a case that happened had a higher risk than one that did not; ties count
    half (Mann-Whitney). None when only one of the two kinds is there."""
    cases = sorted(zip(risk, happened, strict=True), key=lambda case: case[0])
    yes = sum(happened)
    no = len(cases) - yes
    if not yes or not no:
        return None
    ranks = 0.0
    place = 0
    for _, same in groupby(cases, key=lambda case: case[0]):
        tied = list(same)
        middle = place + (len(tied) + 1) / 2
        ranks += middle * sum(label for _, label in tied)
        place += len(tied)
    return (ranks - yes * (yes + 1) / 2) / (yes * no)


def by_band(bands: Sequence[str], happened: Sequence[bool]) -> list[BandOutcome]:
    """What happened in each band, in the order A B C D N."""
    counted: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for band, label in zip(bands, happened, strict=True):
        counted[band][0] += 1
        counted[band][1] += int(label)
    return [BandOutcome(band, *counted[band]) for band in sorted(counted)]
