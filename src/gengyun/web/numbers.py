"""Whole numbers in addresses and forms: an id, a page, a place in a list."""

MOST_DIGITS = 15  # within what every database and `int` take, even times the length of a page


def is_number(text: str) -> bool:
    """Whether `int(text)` is a number that can stand in a query. `²` and 5,000 digits are none."""
    return text.isdecimal() and len(text) <= MOST_DIGITS
