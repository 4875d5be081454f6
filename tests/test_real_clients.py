"""Real clients of Segment, RudderStack and PostHog through kills of server and worker."""

import json
import subprocess
import time
from collections import Counter

import pytest
from deployment import Deployment
from real_clients import HERE, npm_clients, python_clients

pytestmark = pytest.mark.slow
COUNT, PAUSE = 400, "0.03"
NAMES = ("segment", "rudder", "posthog")
SOURCES = """
from datetime import UTC, datetime
from gengyun.usage.actions.sources import create_source
for name in {names}:
    source = create_source(actor=None, now=datetime.now(UTC), name=name, key=name,
                           unknown_customer="create")
    source.keys.update(key="key-" + name)
"""


def start(command, client, deployment, cwd, kind):
    address = f"http://127.0.0.1:{deployment.port}"
    arguments = [client, address, f"key-{kind}-{client}", str(COUNT), PAUSE]
    return subprocess.Popen([*map(str, command), *arguments], cwd=cwd, stdout=subprocess.PIPE)


def numbers(deployment):
    """Source -> how often each number is in the lake."""
    names = dict(deployment.rows("SELECT id, key FROM usage_source"))
    found = {name: Counter() for name in names.values()}
    for row in deployment.events(["source_id", "properties"]).to_pylist():
        found[names[row["source_id"]]][json.loads(row["properties"])["number"]] += 1
    return found


def test_clients_lose_and_double_nothing_while_server_and_worker_are_killed(tmp_path):
    python, folder = python_clients(), npm_clients()
    deployment = Deployment(tmp_path / "data")
    names = [f"{kind}-{name}" for kind in ("python", "node") for name in NAMES]
    deployment.python(SOURCES.format(names=names))
    deployment.start(workers=1).start_worker()
    senders = {}
    try:
        for name in NAMES:
            senders[f"python-{name}"] = start(
                [python, HERE / "send.py"], name, deployment, tmp_path, "python"
            )
            senders[f"node-{name}"] = start(
                ["node", HERE / "send.cjs"], name, deployment, folder, "node"
            )
        for _ in range(2):
            time.sleep(4)
            deployment.kill_web()
            deployment.kill_worker()
            time.sleep(1)
            deployment.start(workers=1).start_worker()
        errors = {
            name: json.loads(sender.communicate(timeout=180)[0]) for name, sender in senders.items()
        }
        deployment.wait_until_drained()
    finally:
        for sender in senders.values():
            if sender.poll() is None:
                sender.kill()
                sender.wait()
        deployment.stop_all()
    assert errors == {name: [] for name in names}
    assert numbers(deployment) == {name: Counter(range(COUNT)) for name in names}
    counted = deployment.rows("SELECT key, accepted_count, quarantined_count FROM usage_source")
    assert sorted(counted) == sorted((name, COUNT, 0) for name in names)
