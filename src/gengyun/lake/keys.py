"""Keys of the lake: 64-bit hashes that are the same on every machine, for ever.

Never the engine's or Python's own hash: a key written today must be found in ten years.
"""

from hashlib import blake2b


def hash64(text: str) -> int:
    """Signed 64-bit BLAKE2b of the UTF-8 text; 0 is kept free for "none"."""
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True) or 1


def message_key(source_id: int, message_id: str) -> int:
    """The dedupe key of an event: two sources may use the same messageId."""
    return hash64(f"{source_id}:{message_id}")
