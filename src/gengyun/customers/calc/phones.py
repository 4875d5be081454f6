"""Telephone numbers as people in China write them: checked, and in one form.

The tables of the world's numbering plans are those of libphonenumber (`phonenumbers`). Beyond them
we take what it refuses and every sales contact has: an extension written 转801 or -801, and service
short numbers (95588, 10086).
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

HOME = "CN"
EXTENSION = re.compile(
    r"(?:\s*(?:转|轉|分机|分機|ext\.?|x|#)\s*[:：]?\s*|-)(\d{1,6})$", re.IGNORECASE
)
SHORT = re.compile(r"9[56]\d{3,4}|100\d{2}|1[12]\d{1}|123\d{2}|12[0-9]{3}")
BETWEEN = re.compile(r"\s*[/、,，;；|\n]\s*|\s+或\s*")
_DIGITS = re.compile(r"\D")

Kind = Literal["mobile", "fixed", "shared_cost", "toll_free", "short", "other"]


@dataclass(frozen=True)
class Phone:
    """One number. `shown` is how we write it: national at home, international elsewhere."""

    e164: str  # "" for a short number, which cannot be dialled from abroad
    shown: str
    kind: Kind
    region: str
    extension: str = ""

    @property
    def key(self) -> str:
        """The same number written in another way has the same key."""
        return (
            f"{self.e164 or self.shown}#{self.extension}"
            if self.extension
            else (self.e164 or self.shown)
        )


def parse_phone(written: str) -> Phone | None:
    """The number, or None when it is none. A number without a country is one of China."""
    text = unicodedata.normalize("NFKC", written).strip()
    if text.startswith("00"):
        text = f"+{text[2:].lstrip()}"
    short = _DIGITS.sub("", text)
    if SHORT.fullmatch(short) and not text.startswith("+"):
        return Phone("", short, "short", HOME)
    if plain := _regular(text):
        return plain
    found = EXTENSION.search(text)
    if found is None:
        return None
    before = _regular(text[: found.start()])
    if before is None:
        return None
    return Phone(before.e164, f"{before.shown} 转 {found[1]}", before.kind, before.region, found[1])


def normal_form(written: str) -> str | None:
    """One or several numbers in the form we store ("138 0013 8000 / 010 6278 1234").

    None when any part of it is no number; "" for nothing written.
    """
    parts = [part for part in BETWEEN.split(written.strip()) if part]
    found = [parse_phone(part) for part in parts]
    if any(phone is None for phone in found):
        return None
    return " / ".join(dict.fromkeys(phone.shown for phone in found if phone is not None))


def keys(written: str) -> frozenset[str]:
    """What the numbers of a field are compared by; a text that is no number compares as it is."""
    parts = [part for part in BETWEEN.split(written.strip()) if part]
    return frozenset(
        phone.key if (phone := parse_phone(part)) else part.casefold() for part in parts
    )


def _regular(text: str) -> Phone | None:
    """A number that libphonenumber holds valid; it wants letters out of the way."""
    import phonenumbers
    from phonenumbers import PhoneNumberFormat, PhoneNumberType

    if re.search(r"[^\d\s()+\-.·‐-―]", text):
        return None
    try:
        number = phonenumbers.parse(text, HOME)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number) or number.extension:
        return None
    region = phonenumbers.region_code_for_number(number) or ""
    shape = PhoneNumberFormat.NATIONAL if region == HOME else PhoneNumberFormat.INTERNATIONAL
    kinds: dict[int, Kind] = {
        PhoneNumberType.MOBILE: "mobile",
        PhoneNumberType.FIXED_LINE: "fixed",
        PhoneNumberType.SHARED_COST: "shared_cost",
        PhoneNumberType.TOLL_FREE: "toll_free",
    }
    return Phone(
        e164=phonenumbers.format_number(number, PhoneNumberFormat.E164),
        shown=phonenumbers.format_number(number, shape),
        kind=kinds.get(phonenumbers.number_type(number), "other"),
        region=region,
    )
