"""How often a rule is right, from what people said at the close; when to propose less of it.

With t right and f wrong, precision has the posterior Beta(1 + t, 1 + f) (flat prior). A rule is
proposed for demotion when P(precision < 0.3) > 0.9 after at least 20 verdicts (science.md 5.3).
"""

from dataclasses import dataclass
from math import comb

WANTED = 0.3
SURE = 0.9
FEWEST = 20


@dataclass(frozen=True)
class Precision:
    """`true` and `known` count as right (the condition was there), `false` as wrong."""

    true: int
    false: int
    known: int

    @property
    def right(self) -> int:
        return self.true + self.known

    @property
    def judged(self) -> int:
        return self.right + self.false

    @property
    def share(self) -> float | None:
        """Right over judged; None before the first verdict."""
        return self.right / self.judged if self.judged else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The middle 95 % of the posterior."""
        if not self.judged:
            return None
        a, b = 1 + self.right, 1 + self.false
        return quantile(0.025, a, b), quantile(0.975, a, b)

    @property
    def chance_too_low(self) -> float:
        """P(precision < 0.3)."""
        return beta_cdf(WANTED, 1 + self.right, 1 + self.false)

    @property
    def is_demotion_due(self) -> bool:
        return self.judged >= FEWEST and self.chance_too_low > SURE


def beta_cdf(x: float, a: int, b: int) -> float:
    """Regularised incomplete beta function for whole a, b >= 1: a binomial tail, exactly.

    I_x(a, b) = P(Binomial(a + b - 1, x) >= a) (Abramowitz & Stegun 26.5.24).
    """
    if x <= 0:
        return 0.0
    if x >= 1:
        return 1.0
    n = a + b - 1
    if a <= b:  # the shorter tail
        return 1.0 - sum(_term(n, j, x) for j in range(a))
    return sum(_term(n, j, x) for j in range(a, n + 1))


def _term(n: int, j: int, x: float) -> float:
    """C(n, j) x^j (1 - x)^(n - j); 0 where it is too small for a float."""
    try:
        return comb(n, j) * x**j * (1 - x) ** (n - j)
    except OverflowError:  # C(n, j) is beyond floats: n over 1,000
        from math import exp, lgamma, log

        size = lgamma(n + 1) - lgamma(j + 1) - lgamma(n - j + 1)
        return exp(size + j * log(x) + (n - j) * log(1 - x))


def quantile(p: float, a: int, b: int) -> float:
    """The x with beta_cdf(x) = p, by halving: to a millionth."""
    low, high = 0.0, 1.0
    while high - low > 1e-6:
        middle = (low + high) / 2
        if beta_cdf(middle, a, b) < p:
            low = middle
        else:
            high = middle
    return (low + high) / 2
