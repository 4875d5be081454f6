"""Request bodies at the door: compression, bombs, shape, limits; refusals say why."""

import gzip
import json
import zlib

import pytest

from gengyun.tracking.body import MAX_EVENTS, checked_body, plain_body
from gengyun.tracking.refusals import (
    InvalidCompression,
    InvalidJson,
    TooLarge,
    TooManyEvents,
    UnknownEncoding,
)

LIMIT = 500 * 1024
BODY = json.dumps({"userId": "u", "event": "报表导出"}, ensure_ascii=False).encode()


@pytest.mark.parametrize(
    ("wire", "encoding"),
    [
        (BODY, None),
        (BODY, "identity"),
        (gzip.compress(BODY, mtime=0), "gzip"),
        (gzip.compress(BODY, mtime=0), None),  # posthog-js and rudder-node say nothing of it
        (BODY, "gzip"),  # a proxy has inflated it already
        (zlib.compress(BODY), "deflate"),
        (zlib.compress(BODY)[2:-4], "deflate"),  # raw, as old clients send it
    ],
)
def test_body_is_found_by_its_first_bytes(wire, encoding):
    assert plain_body(wire, encoding, LIMIT) == BODY


def test_body_bomb_is_refused_without_inflating_it():
    bomb = gzip.compress(b"\0" * 200_000_000)
    assert len(bomb) < LIMIT
    with pytest.raises(TooLarge):
        plain_body(bomb, "gzip", LIMIT)


def test_body_at_the_limit_passes_and_one_more_byte_does_not():
    assert len(plain_body(gzip.compress(b"a" * LIMIT), None, LIMIT)) == LIMIT
    for wire in (b"a" * (LIMIT + 1), gzip.compress(b"a" * (LIMIT + 1))):
        with pytest.raises(TooLarge):
            plain_body(wire, None, LIMIT)


@pytest.mark.parametrize(
    "wire",
    [
        gzip.compress(BODY, mtime=0)[:-9],
        gzip.compress(BODY, mtime=0)[:5],
        gzip.compress(BODY, mtime=0) + b"more",
        b"\x1f\x8b" + b"nonsense" * 9,
    ],
)
def test_body_with_damaged_compression_is_refused(wire):
    with pytest.raises(InvalidCompression):
        plain_body(wire, "gzip", LIMIT)


def test_body_in_an_unknown_encoding_is_refused():
    with pytest.raises(UnknownEncoding, match="br"):
        plain_body(BODY, "br", LIMIT)


def test_batch_is_counted_and_gives_its_write_key():
    body = json.dumps({"batch": [{}, {}, {}], "writeKey": "k"}).encode()
    checked = checked_body(body, "batch")
    assert (checked.events, checked.write_key, checked.body) == (3, "k", body)
    assert checked_body(b'{"batch":[]}', "batch").events == 0


def test_batch_of_too_many_events_is_refused():
    assert checked_body(b'{"batch":[' + b"{}," * (MAX_EVENTS - 1) + b"{}]}", "batch").events == 2500
    with pytest.raises(TooManyEvents):
        checked_body(b'{"batch":[' + b"{}," * MAX_EVENTS + b"{}]}", "batch")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "track"),
        (b"not json", "track"),
        (b"[]", "track"),
        (b"null", "batch"),
        (b"{}", "batch"),
        (b'{"batch":{}}', "batch"),
        (b'{"batch":[}', "batch"),
        (b'{"batch":[{"a":NaN}]}', "batch"),
        (b'{"event":"\xff"}', "track"),
        (b'{"properties":{"deep":"\xb1\xa8"}}', "track"),  # GBK bytes in a part that is skipped
        (b'{"batch":[' + b"[" * 100_000 + b"]" * 100_000 + b"]}", "batch"),
        (b'{"a":"\\ud83d"' + b"[" * 5000 + b"}", "track"),
    ],
)
def test_body_that_is_not_the_json_of_its_path_is_refused(body, kind):
    with pytest.raises(InvalidJson):
        checked_body(body, kind)


def test_half_a_character_becomes_a_question_mark_and_spoils_nothing():
    body = b'{"batch":[{"event":"cut \\ud83d"},{"event":"whole \\ud83d\\ude00 \xe6\x8a\xa5"}]}'
    checked = checked_body(body, "batch")
    assert json.loads(checked.body)["batch"] == [{"event": "cut ?"}, {"event": "whole 😀 报"}]
