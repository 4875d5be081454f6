"""What a search compares: full width and half width, upper and lower case are the same."""

import unicodedata
from itertools import pairwise

CHARACTER_BITS = 21  # Unicode ends at 0x10FFFF


def search_key(*texts: str) -> str:
    """The texts as a search sees them, one a line: no search goes across two of them."""
    return "\n".join(unicodedata.normalize("NFKC", text).casefold().strip() for text in texts)


def inner_pairs(key: str) -> set[int]:
    """Pairs behind the beginning: what begins with a text is found along the sorted keys."""
    return pairs(key[1:])


def pairs(text: str) -> set[int]:
    """Neighbouring characters of a search key, two to a number, unless both are ASCII.

    Chinese has thousands of characters and a pair finds few names; the few hundred pairs of Latin
    letters would find many and be most of the index.
    """
    return {
        ord(left) << CHARACTER_BITS | ord(right)
        for left, right in pairwise(text)
        if not (left.isascii() and right.isascii())
    }
