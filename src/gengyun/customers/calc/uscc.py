"""统一社会信用代码 (unified social credit code), GB 32100-2015.

Eighteen characters: authority, kind, six digits of the region, nine of the organisation code, one
check character. The letters I, O, S, V and Z are never used, so that nobody reads them as digits.
"""

import re
import unicodedata
from typing import Literal

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
LENGTH = 18
_VALUE = {character: value for value, character in enumerate(ALPHABET)}
_SHAPE = re.compile(r"[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}")

Fault = Literal["uscc_length", "uscc_characters", "uscc_check"]


def normal_form(written: str) -> str:
    """Half-width capitals without blanks and hyphens; nothing is guessed."""
    folded = unicodedata.normalize("NFKC", written).upper()
    return re.sub(r"[\s\-\u2010-\u2015_]", "", folded)


def check_character(first17: str) -> str:
    """(31 - sum(value * weight) mod 31) mod 31, as a character of the alphabet (GB 32100, 5.5)."""
    total = sum(
        _VALUE[character] * weight for character, weight in zip(first17, WEIGHTS, strict=True)
    )
    return ALPHABET[(31 - total % 31) % 31]


def fault(code: str) -> Fault | None:
    """What is wrong with a code in its normal form; None when it is a valid one."""
    if len(code) != LENGTH:
        return "uscc_length"
    if not _SHAPE.fullmatch(code):
        return "uscc_characters"
    if check_character(code[:17]) != code[17]:
        return "uscc_check"
    return None


def is_valid(written: str) -> bool:
    return fault(normal_form(written)) is None
