"""What a file may be called and what it may be. Pure."""

import re
import unicodedata

LONGEST_NAME = 120
# what people work with; nothing that a browser or a computer would run
_DOCUMENTS = "pdf doc docx xls xlsx ppt pptx csv txt md rtf odt ods odp wps et dps ofd vsdx"
_OTHERS = "png jpg jpeg gif webp heic bmp zip 7z rar eml msg mp3 m4a wav mp4 mov ics"
ALLOWED = frozenset(f"{_DOCUMENTS} {_OTHERS}".split())
_BAD = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*\u200b-\u200f\u202a-\u202e\u2066-\u2069]')


def clean_name(name: str) -> str:
    """The last part of a path, without characters that mean something to a file system or turn
    text around ("exe.fdp"); long names lose their middle, never their ending. "" where nothing is
    left."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    last = last.encode("utf-8", "ignore").decode("utf-8")
    last = _BAD.sub("", unicodedata.normalize("NFC", last))
    last = " ".join(last.split()).strip(". ")
    stem, dot, ending = last.rpartition(".")
    if not dot:
        return last[:LONGEST_NAME]
    keep = LONGEST_NAME - len(ending) - 1
    return f"{stem[: max(keep, 1)].rstrip()}.{ending}" if keep > 0 else ""


def ending_of(name: str) -> str:
    """In small letters, without the dot; "" where there is none."""
    stem, dot, ending = name.rpartition(".")
    return ending.lower() if dot and stem else ""


def is_allowed(name: str) -> bool:
    return ending_of(name) in ALLOWED
