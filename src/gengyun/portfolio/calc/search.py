"""What a search compares: full width and half width, upper and lower case are the same."""

import unicodedata


def search_key(*texts: str) -> str:
    """The texts as a search sees them, one a line: no search goes across two of them."""
    return "\n".join(unicodedata.normalize("NFKC", text).casefold().strip() for text in texts)
