"""Numbers of surveys: NPS, CSAT, CES and how many answered. Pure; `None` is "cannot be said".

One definition each, printed beside the number (domain.md): NPS is the share of 9-10 minus the share
of 0-6, of the latest answer per contact in the window; below five answers there is no number, the
answers themselves are shown.
"""

from collections.abc import Collection, Hashable, Iterable
from dataclasses import dataclass
from datetime import datetime
from math import sqrt
from statistics import fmean, stdev

LEAST_ANSWERS = 5  # below: no number
Z95 = 1.959964
SCALES = {"nps": (0, 10), "csat": (1, 5), "ces": (1, 7)}  # kind -> lowest and highest score
PROMOTER_FROM, DETRACTOR_TO = 9, 6
SATISFIED_FROM = 4  # of CSAT
EASY_FROM = 5  # of CES
# at or below: somebody should call; the detractor of each scale
LOW_TO = {"nps": DETRACTOR_TO, "csat": 2, "ces": 3}
PROMOTER, PASSIVE, DETRACTOR = "promoter", "passive", "detractor"
SETTLED_STEPS = 60  # halvings of an interval: beyond the digits of a float


@dataclass(frozen=True)
class Given:
    """One answer with a score."""

    customer: Hashable
    contact: Hashable
    at: datetime
    score: int
    part: str = ""


@dataclass(frozen=True)
class Nps:
    """-100 .. 100. `value` is there from the first answer on; whether to print it: `is_enough`."""

    promoters: int
    passives: int
    detractors: int
    value: float
    low: float
    high: float

    @property
    def count(self) -> int:
        return self.promoters + self.passives + self.detractors

    @property
    def is_enough(self) -> bool:
        return self.count >= LEAST_ANSWERS


@dataclass(frozen=True)
class Share:
    """A share with its 95 % interval, and the mean of the scores with its own (None below two)."""

    count: int
    hits: int
    value: float
    low: float
    high: float
    mean: float
    mean_low: float | None
    mean_high: float | None

    @property
    def is_enough(self) -> bool:
        return self.count >= LEAST_ANSWERS


def group_of(score: float) -> str:
    """9-10 promoter, 0-6 detractor, else passive (Reichheld 2003). Means of several people are
    sorted in by the same limits: 7.33 is passive (oracle S06)."""
    if score >= PROMOTER_FROM:
        return PROMOTER
    return DETRACTOR if score <= DETRACTOR_TO else PASSIVE


def is_low(kind: str, score: int | None) -> bool:
    """Somebody should call: a detractor, on the scale of the survey."""
    return score is not None and kind in LOW_TO and score <= LOW_TO[kind]


def nps(scores: Iterable[float]) -> Nps | None:
    """Share of promoters minus share of detractors, times 100; None without an answer."""
    groups = [group_of(score) for score in scores]
    return nps_of_counts(groups.count(PROMOTER), groups.count(PASSIVE), groups.count(DETRACTOR))


def nps_of_counts(promoters: int, passives: int, detractors: int) -> Nps | None:
    count = promoters + passives + detractors
    if not count:
        return None
    low, high = nps_interval(promoters, detractors, count)
    value = 100 * (promoters - detractors) / count
    return Nps(promoters, passives, detractors, value, low, high)


def nps_interval(promoters: int, detractors: int, count: int) -> tuple[float, float]:
    """95 % score interval of the difference of two shares of one sample, times 100.

    Promoters and detractors are the two discordant cells of a trinomial, so that the interval is
    that of Tango (1998, Statistics in Medicine 17, 891-908): all differences which a score test
    with the variance under that difference does not refuse. Unlike the plain normal interval it
    does not shrink to a point where everybody agrees, and it stays within -100 .. 100.
    """
    value = (promoters - detractors) / count
    cells = (promoters, detractors, count)
    low = _crossing(cells, (-1.0, value), Z95)
    high = _crossing(cells, (value, 1.0), -Z95)
    return 100 * low, 100 * high


def _crossing(cells: tuple[int, int, int], between: tuple[float, float], z: float) -> float:
    """Where the score statistic, falling in the difference, takes the value z."""
    low, high = between
    for _ in range(SETTLED_STEPS):
        middle = (low + high) / 2
        if _tango(*cells, middle) > z:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _tango(b: int, c: int, n: int, difference: float) -> float:
    """(b - c - n d) / sqrt(n (2 q + d (1 - d))), q: the likeliest share of c where b - c is d."""
    first = 2 * n
    second = -b - c + (2 * n - b + c) * difference
    third = -c * difference * (1 - difference)
    q = (sqrt(max(second * second - 4 * first * third, 0.0)) - second) / (2 * first)
    gap = b - c - n * difference
    variance = n * (2 * q + difference * (1 - difference))
    if variance <= 0:
        return 0.0 if gap == 0 else float("inf") * (1 if gap > 0 else -1)
    return gap / sqrt(variance)


def csat(scores: Collection[int]) -> Share | None:
    """Share of 4-5 on 1-5 (top two boxes); None without an answer."""
    return _share(scores, SATISFIED_FROM)


def ces(scores: Collection[int]) -> Share | None:
    """CES on 1-7, 7 very easy: the mean, and the share of 5-7; None without an answer."""
    return _share(scores, EASY_FROM)


def _share(scores: Collection[int], least: int) -> Share | None:
    count = len(scores)
    if not count:
        return None
    hits = sum(score >= least for score in scores)
    low, high = wilson(hits, count)
    mean = fmean(scores)
    margin = _margin(scores)
    return Share(
        count,
        hits,
        hits / count,
        low,
        high,
        mean,
        None if margin is None else mean - margin,
        None if margin is None else mean + margin,
    )


def _margin(scores: Collection[int]) -> float | None:
    """Half the 95 % interval of a mean: Student's t; None below two answers."""
    count = len(scores)
    if count < 2:
        return None
    return t95(count - 1) * stdev(scores) / sqrt(count)


def t95(freedom: int) -> float:
    """The 97.5 % point of Student's t (Cornish-Fisher; Abramowitz and Stegun 26.7.5), exact at 1
    and 2, where the series is poor; elsewhere within 0.005."""
    exact = {1: 12.706205, 2: 4.302653, 3: 3.182446, 4: 2.776445}
    if freedom in exact:
        return exact[freedom]
    z, n = Z95, freedom
    return (
        z
        + (z**3 + z) / (4 * n)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * n**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * n**3)
    )


def wilson(hits: int, count: int, z: float = Z95) -> tuple[float, float]:
    """Wilson's score interval of a share; (0, 1) where nobody was counted."""
    if not count:
        return 0.0, 1.0
    share = hits / count
    scale = 1 + z * z / count
    middle = (share + z * z / (2 * count)) / scale
    half = z * sqrt(share * (1 - share) / count + z * z / (4 * count * count)) / scale
    return max(0.0, middle - half), min(1.0, middle + half)


def mean_score(scores: Collection[float]) -> float | None:
    """The plain mean, for a health score; never called NPS (oracle S12)."""
    return fmean(scores) if scores else None


def latest_per_contact(answers: Iterable[Given]) -> list[Given]:
    """One answer per contact: the newest; of two at one instant the later in the list."""
    newest: dict[Hashable, Given] = {}
    for answer in answers:
        known = newest.get(answer.contact)
        if known is None or answer.at >= known.at:
            newest[answer.contact] = answer
    return list(newest.values())


def mean_per_customer(answers: Iterable[Given]) -> dict[Hashable, float]:
    """Mean of the latest answers of each customer's contacts: one vote per customer, whatever its
    size; `nps` sorts the means in (oracle S06)."""
    scores: dict[Hashable, list[int]] = {}
    for answer in latest_per_contact(answers):
        scores.setdefault(answer.customer, []).append(answer.score)
    return {customer: fmean(given) for customer, given in scores.items()}


@dataclass(frozen=True)
class Response:
    """How many of those who got the link answered."""

    sent: int
    answered: int
    value: float | None
    low: float | None
    high: float | None


def response(sent: int, answered: int) -> Response:
    """Answered of sent; unknown where nobody got a link."""
    if not sent:
        return Response(0, answered, None, None, None)
    low, high = wilson(answered, sent)
    return Response(sent, answered, answered / sent, low, high)


def spread(scores: Iterable[int], kind: str) -> list[tuple[int, int]]:
    """How often each score of the scale was given, lowest first."""
    counts: dict[int, int] = {}
    for score in scores:
        counts[score] = counts.get(score, 0) + 1
    least, most = SCALES[kind]
    return [(score, counts.get(score, 0)) for score in range(least, most + 1)]
