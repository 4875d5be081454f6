"""Workers killed at random through months of SOPs, with a mail server that refuses, drops the line
and loses answers, clocks that jump, readers in other time zones, a leap day and summer time.

`SOP_MONTHS=200` plays 200 months; the default is two, one of them with clocks that jump.
"""

import json
import os
import random
import re
import subprocess
import sys
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from databases import drop_database, own_environment
from smtp_server import postman

from gengyun.engagement.calc.budget import DEFAULT_CAPS
from gengyun.kernel.calc.workdays import is_working_day

pytestmark = pytest.mark.slow
MONTHS = int(os.environ.get("SOP_MONTHS", "2"))
MOODS = ["good"] * 12 + [
    "closed", "busy", "drop_before", "drop_untaken", "drop_taken", "no_sender", "content", "full",
]  # fmt: skip
TOKEN = re.compile(rb"^Message-ID: <([0-9a-f]{32})@", re.MULTILINE | re.IGNORECASE)


@pytest.fixture(scope="module")
def months(tmp_path_factory):
    folder = tmp_path_factory.mktemp("months")
    chance = random.Random(11)
    with postman() as (man, port):
        man.mood = lambda: chance.choice(MOODS)
        environment = {
            **own_environment(folder, migrated=True),
            "DJANGO_SETTINGS_MODULE": "gengyun.config.settings",
            "GENGYUN_ADDRESS": "https://cs.example.cn",
        }
        script = str(Path(__file__).with_name("sop_month.py"))
        found = []
        with subprocess.Popen(
            [sys.executable, script, str(folder), str(port), str(MONTHS), "0"],
            env=environment, stdout=subprocess.PIPE, text=True,
        ) as process:  # fmt: skip
            for line in process.stdout:
                taken, man.mails = man.mails, []
                mails = Counter(TOKEN.search(raw).group(1).decode() for _, _, raw in taken)
                found.append((json.loads(line), mails))
        assert process.returncode == 0
    drop_database(environment["GENGYUN_DATABASE_URL"])
    assert len(found) == MONTHS
    return found


def test_workers_were_killed_and_much_was_done(months):
    assert sum(month["kills"] for month, _ in months) >= 5 * MONTHS
    for month, mails in months:
        assert len(month["runs"]) > 50
        kinds = Counter((kind, state) for *_, kind, state, _ in month["lines"])
        for kind in ("task", "message", "wait", "branch", "note", "hand", "set"):
            assert kinds[kind, "done"] > 0, kind
        assert kinds["message", "suppressed"] > 0
        assert len(mails) > 20


def test_every_effect_is_there_exactly_once(months):
    for month, mails in months:
        lines = [line for line in month["lines"] if line[4] == "done"]
        tasks = Counter(source for _, source in month["tasks"])
        assert tasks == Counter(key for *_, key, kind, _, _ in lines if kind in {"task", "hand"})
        notes = Counter(key for _, key in month["notes"] if key)
        assert notes >= Counter(key[:64] for *_, key, kind, _, _ in lines if kind == "note")
        assert max(notes.values()) == 1
        asked = [key for *_, key, kind, _, _ in month["lines"] if kind == "message"]
        assert Counter(touch[1] for touch in month["touches"]) == Counter(asked)
        for _, _, token, state, *_ in month["touches"]:
            most = {"sent": 1, "unsure": 1, "failed": 0, "suppressed": 0}[state]
            assert mails[token] <= most, (state, mails[token])
            assert state != "sent" or mails[token] == 1
        assert set(mails) <= {touch[2] for touch in month["touches"]}


def test_the_lines_of_a_run_have_no_gap_and_no_double(months):
    for month, _ in months:
        ordinals = {}
        for run, ordinal, *_ in month["lines"]:
            ordinals.setdefault(run, []).append(ordinal)
        for run, _, _, count in month["runs"]:
            assert ordinals[run] == list(range(count))


def test_no_run_and_no_message_is_stuck(months):
    for month, _ in months:
        assert {state for _, state, _, _ in month["runs"]} <= {"done", "exited"}
        assert not {"waiting", "taken", "posting"} & set(month["deliveries"])
        assert not {"queued", "draft"} & {touch[3] for touch in month["touches"]}


def _left(month, mails):
    """(recipient, class, moment, zone) of what arrived, or may have."""
    for _, _, token, state, _, recipient, budget, sent, zone in month["touches"]:
        if mails[token] or state == "unsure":
            yield recipient, budget, datetime.fromisoformat(sent), zone or "Asia/Shanghai"


def test_nobody_is_over_a_cap(months):
    for month, mails in months:
        times = {}
        for recipient, budget, at, _ in _left(month, mails):
            for name in ("all", budget):
                times.setdefault((recipient, name), []).append(at)
        for (recipient, name), moments in times.items():
            moments.sort()
            for days, most in DEFAULT_CAPS[name].items():
                span = timedelta(days=int(days))
                for first, over in zip(moments, moments[most:], strict=False):
                    assert over - first >= span, (month["seed"], recipient, name, days)


def test_nothing_arrives_in_quiet_hours_or_on_days_of_rest(months):
    zones = set()
    for month, mails in months:
        for _, _, at, zone in _left(month, mails):
            local = at.astimezone(ZoneInfo(zone))
            assert 9 <= local.hour < 20, (month["seed"], zone, local)
            is_chinese = zone == "Asia/Shanghai"
            works = is_working_day(local.date()) if is_chinese else local.weekday() < 5
            assert works, (month["seed"], zone, local)
            zones.add(zone)
    assert len(zones) >= 3
