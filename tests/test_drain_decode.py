"""The quick way through a batch gives exactly what the careful way gives."""

import json
from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from gengyun.usage.calc.decode import Arrived, decode_batch, decode_event

RECEIVED = 1_772_416_800_000_000  # 2026-03-02T02:00Z
IDS = st.one_of(
    st.none(),
    st.sampled_from(["u1", " u1 ", "", "\u00a0", "报表", "a\x00b", "x" * 200, "x" * 201, "  "]),
    st.integers(-5, 5),
)
TIMES = st.one_of(
    st.none(),
    st.sampled_from(
        [
            "2026-03-01T10:00:00.123456Z",
            "2026-03-01T10:00:00+08:00",
            "2026-03-01 10:00",
            "2026-03-01T10:00:00.123Z",
            "2026-03-01 10:00:00.5",
            "2026-03-01T10:00:00Z",
            "2026-03-01T10:00:00.",
            "2026-02-30T10:00:00Z",
            "2026-03-01T24:00:00Z",
            "2026-W09-7T10:00:00Z",
            "1970-01-01T00:00:00Z",
            "2099-01-01T00:00:00Z",
            "0001-01-01T00:00:00+14:00",
            "yesterday",
            1_772_300_000,
            1_772_300_000_123.5,
            1e300,
        ]
    ),
)
OBJECTS = st.one_of(
    st.none(),
    st.sampled_from([{}, {"rows": 3}, {"深": {"x": [1, None]}}, [], "text", 5, {"s": "a\x00b"}]),
)
EVENTS = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["track", "page", "group", "identify", "alias", "Track", None]),
        "messageId": IDS,
        "userId": IDS,
        "anonymousId": IDS,
        "previousId": IDS,
        "groupId": IDS,
        "event": st.one_of(IDS, st.just("report.export")),
        "name": st.one_of(st.none(), st.just("首页")),
        "timestamp": TIMES,
        "sentAt": TIMES,
        "properties": OBJECTS,
        "traits": OBJECTS,
        "context": st.one_of(st.none(), st.fixed_dictionaries({"groupId": IDS}), st.just({})),
    },
)
GOOD = st.fixed_dictionaries(
    {
        "type": st.just("track"),
        "messageId": IDS,
        "userId": IDS,
        "event": IDS,
        "timestamp": TIMES,
        "properties": OBJECTS,
        "context": st.fixed_dictionaries({"groupId": IDS}),
    }
)
PLAIN = st.fixed_dictionaries(
    {
        "type": st.just("track"),
        "messageId": st.sampled_from(["m1", "消息", "x" * 200]),
        "userId": st.sampled_from(["u1", "用户"]),
        "event": st.sampled_from(["task.completed", "报表导出"]),
        "timestamp": st.datetimes(
            min_value=datetime(1999, 12, 31, 20), max_value=datetime(2026, 12, 31)
        ).map(lambda at: at.isoformat(timespec="milliseconds") + "Z"),
        "properties": st.sampled_from([{}, {"rows": 3}, {"深": {"x": ["\\", None]}}]),
        "context": st.fixed_dictionaries({"groupId": st.sampled_from(["g1", "g2"])}),
    },
    optional={"name": st.sampled_from([None, "首页", 5]), "previousId": IDS, "traits": OBJECTS},
)


@given(
    st.one_of(
        st.lists(st.one_of(EVENTS, GOOD), max_size=4),
        st.lists(PLAIN, max_size=4),
        st.lists(st.one_of(PLAIN, PLAIN, GOOD, EVENTS), max_size=4),
    ),
    TIMES,
    st.booleans(),
)
def test_both_ways_agree(events, sent_at, is_browser):
    body = json.dumps({"batch": events, "sentAt": sent_at}).encode()
    quick = decode_batch(body, "batch", RECEIVED, is_browser=is_browser, place="7")
    sent = next(
        (
            e.sent_at
            for e in decode_batch(
                json.dumps(
                    {"batch": [{"type": "track", "event": "x", "userId": "u"}], "sentAt": sent_at}
                ).encode(),
                "batch",
                RECEIVED,
                is_browser=False,
                place="7",
            )
        ),
        None,
    )
    arrived = Arrived("batch", RECEIVED, is_browser, "7", sent)
    careful = [
        decode_event(json.dumps(event).encode(), at, arrived) for at, event in enumerate(events)
    ]
    assert quick == careful
