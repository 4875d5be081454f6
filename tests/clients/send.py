"""send.py CLIENT ADDRESS KEY COUNT PAUSE: numbered events through a real Python client."""

import json
import sys
import time

name, address, key, count, pause = sys.argv[1:]
errors = []


def failed(error, batch):
    errors.append(f"{type(error).__name__}: {error} ({len(batch)} events)")


def posthog():
    from posthog import Posthog

    client = Posthog(key, host=address, on_error=failed, max_retries=30, flush_at=20)

    def send(number):
        client.capture(
            "ping",
            distinct_id="u_1",
            properties={"number": number},
            groups={"company": "acct_88"},
        )

    return send, client.shutdown


def segment_like(module):
    client = module.Client(key, host=address, on_error=failed, max_retries=30, upload_size=20)

    def send(number):
        client.track("u_1", "ping", {"number": number}, {"groupId": "acct_88"})

    def close():
        client.flush()
        client.join()

    return send, close


def made():
    if name == "posthog":
        return posthog()
    if name == "rudder":
        import rudderstack.analytics.client as module
    else:
        import segment.analytics.client as module
    return segment_like(module)


send, close = made()
for number in range(int(count)):
    send(number)
    time.sleep(float(pause))
close()
print(json.dumps(errors))
