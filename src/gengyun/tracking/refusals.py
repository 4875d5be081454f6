"""What the tracking endpoint says no to. Always JSON with `code` and `message`.

Some clients (rudder-sdk-python) try a refused request again when either is missing. The texts are
for the developers who send events and stay in English.
"""

from gengyun.kernel.errors import Refusal


class TrackingRefusal(Refusal):
    """The client should correct the request: 4xx answers make client libraries drop it."""

    status = 400
    retry_after_seconds: int | None = None


class Unauthorized(TrackingRefusal):
    status = 401
    code = "unauthorized"
    message = "invalid write key"


class SourceDisabled(TrackingRefusal):
    status = 403
    code = "source_disabled"
    message = "this source is switched off"


class OriginNotAllowed(TrackingRefusal):
    status = 403
    code = "origin_not_allowed"
    message = "this source takes no events from %(origin)s"


class UnknownPath(TrackingRefusal):
    status = 404
    code = "not_found"
    message = "no such tracking path"


class WrongMethod(TrackingRefusal):
    status = 405
    code = "method_not_allowed"
    message = "events are sent with POST"


class TooLarge(TrackingRefusal):
    status = 413
    code = "too_large"
    message = "the request has more than %(limit)s bytes of JSON"


class UnknownEncoding(TrackingRefusal):
    status = 415
    code = "unsupported_encoding"
    message = "content encoding %(encoding)s is not supported: send plain, gzip or deflate"


class InvalidCompression(TrackingRefusal):
    code = "invalid_compression"
    message = "the compressed body is damaged: %(reason)s"


class InvalidJson(TrackingRefusal):
    code = "invalid_json"
    message = "the body is not the JSON that this path takes: %(reason)s"


class TooManyEvents(TrackingRefusal):
    code = "too_many_events"
    message = "%(count)s events in one request, at most %(limit)s"


class Busy(TrackingRefusal):
    """Everything is fine with the request: send it again later."""

    status = 429
    code = "busy"
    message = "too many events are waiting, try again later"
    retry_after_seconds = 5


class NotReady(TrackingRefusal):
    """We could not check the key or store the events: nothing was taken, send it again."""

    status = 503
    code = "not_ready"
    message = "events cannot be stored at the moment, try again later"
    retry_after_seconds = 5
