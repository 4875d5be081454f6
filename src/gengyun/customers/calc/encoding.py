"""Which encoding and delimiter a text file from a Chinese office has."""

import codecs

BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16: its mark begins with the same two bytes
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
DELIMITERS = ",;\t|"


class NotText(ValueError):
    """Neither UTF-8, UTF-16 nor GB18030."""


def decode(body: bytes) -> tuple[str, str]:
    """The text and the name of its encoding.

    UTF-8 is tried first: text in GB18030 is practically never valid UTF-8, the other way round it
    often is.
    """
    for mark, encoding in BOMS:
        if body.startswith(mark):
            return _decode(body, encoding), encoding
    if b"\0" in body[:4096]:
        raise NotText  # GB18030 would decode binary files to nonsense
    try:
        return body.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        return _decode(body, "gb18030"), "gb18030"


def _decode(body: bytes, encoding: str) -> str:
    try:
        return body.decode(encoding)
    except UnicodeDecodeError as error:
        raise NotText from error


def delimiter_of(text: str) -> str:
    """The delimiter that occurs most often in the first line, outside quotes; else a comma."""
    for line in text.splitlines():
        if line.strip():
            outside = "".join(line.split('"')[::2])
            counts = {mark: outside.count(mark) for mark in DELIMITERS}
            best = max(DELIMITERS, key=lambda mark: counts[mark])
            return best if counts[best] else ","
    return ","
