"""Who of those who enter an SOP is held out: by hash, and evenly within strata (science.md 7).

Nobody chooses, and nobody can ask for another draw: the same version, stratum, place and identity
give the same arm on every machine, so that a dry run shows what will happen and a repeated
evaluation changes nothing.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

TREAT, HOLDOUT = "treat", "holdout"
# Stratum of a run that chance did not place: started by hand, or spared from the hold-out by rule.
# It is no part of the measured effect.
NOT_RANDOMISED = ""
BLOCK = 10  # places of one stratum among which the hold-outs are shuffled
UNKNOWN = "-"
BITS = 64


@dataclass(frozen=True, slots=True)
class Entrant:
    key: str  # identity: customer, contact or customer x product
    stratum: str


def assign(
    entrants: Sequence[Entrant],
    *,
    salt: str,
    share: float,
    placed: Mapping[str, int] | None = None,
    before: Mapping[str, str] | None = None,
) -> list[str]:
    """The arm of each entrant, in their order.

    `salt`: the SOP and its version, such as "12:3": another version draws anew. `placed`: by
    stratum, how many identities chance has placed so far in this version. `before`: the arms of
    identities that entered this version before; they keep them, or a hold-out would be worked on
    at its second entry.

    Permuted blocks: of each `BLOCK` places of a stratum the share is held out (rounded so that it
    comes out over the blocks); which places is a hash of the stratum and the block, and who of a
    day's entrants gets which place is a hash of the identity. Every place has exactly the chance
    `share`, and no stratum is further than one block from it.
    """
    if not 0 <= share < 1:
        raise ValueError(f"no such share: {share}")
    held = dict(before or {})
    for stratum, keys in _new(entrants, held, salt).items():
        first = (placed or {}).get(stratum, 0)
        for place, (_, key) in enumerate(sorted(keys), first):
            held[key] = HOLDOUT if is_held(salt, stratum, place, share) else TREAT
    return [held.get(entrant.key, TREAT) for entrant in entrants]


def _new(
    entrants: Sequence[Entrant], before: Mapping[str, str], salt: str
) -> dict[str, list[tuple[int, str]]]:
    """By stratum, those whom chance places now, each identity once, with its place in the order."""
    found: dict[str, list[tuple[int, str]]] = {}
    seen = set(before)
    for entrant in entrants:
        if entrant.stratum != NOT_RANDOMISED and entrant.key not in seen:
            seen.add(entrant.key)
            order = number(salt, "who", entrant.key)
            found.setdefault(entrant.stratum, []).append((order, entrant.key))
    return found


def is_held(salt: str, stratum: str, place: int, share: float) -> bool:
    """Whether the n-th identity of a stratum is held out."""
    block, within = divmod(place, BLOCK)
    return within in _held_places(salt, stratum, block, share)


@lru_cache(maxsize=4_096)
def _held_places(salt: str, stratum: str, block: int, share: float) -> frozenset[int]:
    offset = number(salt, "share", stratum) / 2**BITS
    many = BLOCK * share
    count = math.floor(many * (block + 1) + offset) - math.floor(many * block + offset)
    order = sorted(range(BLOCK), key=lambda place: number(salt, "block", stratum, block, place))
    return frozenset(order[:count])


def number(*parts: str | int) -> int:
    """A whole number below 2**64, the same on every machine and in every process."""
    text = "\x1f".join(map(str, parts)).encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(text, digest_size=BITS // 8).digest(), "big")


def terciles(probabilities: Iterable[float | None]) -> tuple[float, float] | None:
    """Where the lower and the middle third of the known churn probabilities end; None: fewer than
    three are known."""
    known = sorted(p for p in probabilities if p is not None and not math.isnan(p))
    if len(known) < 3:
        return None
    lower, upper = tercile_places(len(known))
    return known[lower], known[upper]


def tercile_places(many: int) -> tuple[int, int]:
    """Places, from 0, of the last of the lower and of the middle third of `many` in order."""
    return many // 3 - 1 + many % 3 // 2, many * 2 // 3 - 1


def stratum_of(
    probability: float | None, *, cuts: tuple[float, float] | None, tier: str | int | None
) -> str:
    """Third of the churn probability x tier, such as "3:ka"; "-" where one is not known."""
    third = UNKNOWN
    if probability is not None and cuts is not None and not math.isnan(probability):
        third = "1" if probability <= cuts[0] else "2" if probability <= cuts[1] else "3"
    return f"{third}:{UNKNOWN if tier is None or tier == '' else tier}"
