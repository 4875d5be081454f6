"""A month of SOPs in a process of its own, killed at random moments and begun again.

`python sop_month.py FOLDER PORT RUNS FIRST_SEED`, where the database has its tables: for each run
a fresh copy of it, a child that plays the month turn by turn and dies by a timer wherever it is,
again and again; then twelve quiet days without kills. Prints what is in the database as one JSON
line per run.
"""

import json
import os
import random
import shutil
import signal
import sys
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

DAYS, QUIET_DAYS, TURNS = 31, 12, (2, 9, 13, 18, 21)  # hours in Shanghai
CUSTOMERS = 10
ZONES = ("", "America/New_York", "Europe/Berlin", "Pacific/Auckland", "Asia/Kolkata")
# leap day and clocks put forward; the holidays of October and clocks put back; spring festival
BEGINNINGS = (date(2024, 2, 20), date(2026, 10, 1), date(2026, 2, 5), date(2025, 12, 20))
SHIFTS = (timedelta(minutes=-50), timedelta(hours=7), timedelta(days=2))  # clocks that jump
WARM, LIFE = 10, 16  # turns without kills; the longest life after them, in turns
STEADY = 55.0  # a score at which nobody enters


def _low(value):
    return {"field": "score", "op": "lt", "value": value}


def _mail(key, category, **more):
    text = {"subject": "您好", "body": f"{{{{ customer.name }}}} {key}"}
    return {"key": key, "kind": "message", "channel": "email", "category": category,
            "mode": "send", "to": "any", "template": {"zh": text, "en": text}, **more}  # fmt: skip


FORMS = {
    "drop": {
        "entry": {"kind": "condition", "when": _low(50)},
        "steps": [
            {"key": "call", "kind": "task", "role": "csm", "title": "打电话",
             "due_working_days": 2, "next": "wait"},
            {"key": "wait", "kind": "wait", "working_days": 2, "next": "low"},
            {"key": "low", "kind": "branch", "cases": [{"when": _low(50), "next": "mail"}],
             "otherwise": "thank"},
            _mail("mail", "service", next="pause"),
            {"key": "pause", "kind": "wait", "days": 1, "next": "thank"},
            {"key": "thank", "kind": "note", "text": "谢谢"},
        ],
    },
    "good": {
        "entry": {"kind": "condition", "when": {"not": _low(60)}},
        "steps": [
            _mail("tips", "education", next="pause"),
            {"key": "pause", "kind": "wait", "days": 2, "next": "more"},
            _mail("more", "marketing", next="ask"),
            {"key": "ask", "kind": "hand", "role": "leader", "text": "增购？"},
        ],
    },
    "rhythm": {
        "entry": {"kind": "snapshot", "every": "week", "when": _low(45)},
        "identity": "contact",
        "steps": [
            _mail("hello", "relation", next="until"),
            {"key": "until", "kind": "wait", "until": {"not": _low(60)}, "timeout_days": 4,
             "next": "note", "on_timeout": "mark"},
            {"key": "mark", "kind": "set", "field": "custom.mark", "value": "slow",
             "next": "note"},
            {"key": "note", "kind": "note", "text": "写下"},
        ],
    },
    "renewal": {
        "entry": {"kind": "date", "date": {"field": "renews_on", "offset_days": -10}},
        "steps": [_mail("renew", "service", next="talk"),
                  {"key": "talk", "kind": "task", "role": "csm", "title": "续约",
                   "due_working_days": 1}],
    },
}  # fmt: skip


def build(port):
    from gengyun.customers.models import Contact, Customer, CustomField
    from gengyun.engagement.models import Channel, TouchPreference
    from gengyun.portfolio.models import CustomerSummary
    from gengyun.sop.calc.form import read
    from gengyun.sop.models import Sop, SopVersion
    from gengyun.team.models import Role, User

    now = datetime(2023, 12, 1, tzinfo=UTC)
    Channel.objects.create(
        name="mail", kind="email", serves="customers", created_at=now,
        config={"host": "127.0.0.1", "port": port, "security": "none", "per_minute": 1_000,
                "sender": "cs@mail.example.cn"},
    )  # fmt: skip
    owner = User.objects.create(email="csm@x.cn", name="顾问", role=Role.CSM, created_at=now)
    CustomField.objects.create(
        key="mark", kind="text", name_en="Mark", created_at=now, updated_at=now
    )
    for n in range(CUSTOMERS):
        dates = {"created_at": now, "updated_at": now}
        customer = Customer.objects.create(
            name=f"客户{n}", external_id=f"a{n}", owner=owner, known_at=now, **dates
        )
        CustomerSummary.objects.create(
            customer=customer, name=customer.name, owner=owner, score=STEADY, updated_at=now
        )
        # two contacts, and every third customer shares an address with the one before
        for k in range(2):
            contact = Contact.objects.create(
                customer=customer, name=f"王{n}{k}", email=f"p{n - (n % 3 == 2)}-{k}@x.example",
                part="champion" if k else "user", **dates,
            )  # fmt: skip
            if zone := ZONES[(n - (n % 3 == 2)) % len(ZONES)]:
                TouchPreference.objects.create(contact=contact, time_zone=zone, updated_at=now)
    for key, form in FORMS.items():
        whole = {"reentry": {"kind": "always"}, "on_lost": "stay", **form}
        assert not read(whole)[1], read(whole)[1]
        sop = Sop.objects.create(
            key=key, name=key, state="live", created_at=now, changed_at=now, started_at=now
        )
        SopVersion.objects.create(
            sop=sop, number=1, state="published", form=whole, created_at=now, changed_at=now,
            published_at=now,
        )  # fmt: skip


class Month:
    def __init__(self, seed, folder):
        self.seed, self.mark = seed, Path(folder) / "turn"
        self.beginning = BEGINNINGS[seed % len(BEGINNINGS)]
        self.last = (DAYS + QUIET_DAYS) * len(TURNS)
        chance = random.Random(f"shifts{seed}")
        some = chance.sample(range(20, DAYS * len(TURNS)), 3) if seed % 2 else []
        self.shifts = {turn: chance.choice(SHIFTS) for turn in some}

    def now(self, turn, tries):
        """A turn that was killed comes again six minutes later, when its leases are over."""
        day, part = divmod(turn, len(TURNS))
        start = datetime(*self.beginning.timetuple()[:3], tzinfo=UTC) - timedelta(hours=8)
        at = start + timedelta(days=day, hours=TURNS[part], minutes=10 + 6 * tries)
        return at + sum((s for t, s in self.shifts.items() if t <= turn), timedelta())

    def where(self):
        return json.loads(self.mark.read_text()) if self.mark.exists() else [0, 0]

    def stands(self, turn, tries):
        new = self.mark.with_suffix(".new")
        new.write_text(json.dumps([turn, tries]))
        new.replace(self.mark)

    def play(self, until):
        turn, tries = self.where()
        self.stands(turn, tries + 1)  # the next try, if this one is killed
        while turn < until:
            self.turn(turn, self.now(turn, tries))
            turn, tries = turn + 1, 0
            self.stands(turn, 1)

    def turn(self, turn, now):
        from gengyun.engagement.actions.touch_sending import send_due
        from gengyun.kernel import outbox
        from gengyun.kernel.days import day_of
        from gengyun.sop.actions.evaluate import evaluate
        from gengyun.sop.actions.step import run_due

        outbox.deliver_pending()
        if turn % len(TURNS) == 0:
            self.scores(turn // len(TURNS), day_of(now))
            evaluate(now=now, day=day_of(now))
        run_due(now=now, worker="w")
        send_due(now=now)

    def scores(self, day, on):
        from gengyun.portfolio.models import CustomerSummary

        for row in CustomerSummary.objects.order_by("pk"):
            chance = random.Random(f"{self.seed}:{day // 3}:{row.pk}")
            row.score = STEADY if day >= DAYS else chance.choice((None, 30.0, STEADY, 70.0))
            row.renews_on = on + timedelta(days=10 + row.pk % 5 - day % 9)
            if day >= DAYS:
                row.renews_on = None
            row.save(update_fields=["score", "renews_on"])


def killed_again_and_again(month, until, chance):
    """Children that play until a timer ends them; how many were killed. The first days go without,
    and tell how long a turn takes here."""
    from django.db import connections

    start = time.monotonic()
    month.play(WARM)
    turn = (time.monotonic() - start) / WARM
    kills = 0
    while month.where()[0] < until:
        connections.close_all()
        life = max(0.002, turn * chance.uniform(0, LIFE))  # drawn here: a child forgets its draws
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)  # ends the process where it stands
            signal.setitimer(signal.ITIMER_REAL, life)
            month.play(until)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            assert os.WTERMSIG(status) == signal.SIGALRM
            kills += 1
        else:
            assert os.WEXITSTATUS(status) == 0
    return kills


def found(seed, kills):
    """What there is in the end."""
    from gengyun.customers.models import FieldValue
    from gengyun.engagement.models import Activity, Delivery, Touch
    from gengyun.sop.models import Run, StepRun
    from gengyun.tasks.models import Task

    lines = StepRun.objects.order_by("run", "ordinal")
    touches = Touch.objects.order_by("pk")
    return {
        "seed": seed, "kills": kills,
        "runs": list(Run.objects.values_list("pk", "state", "end_reason", "step_count")),
        "lines": [[x.run_id, x.ordinal, x.key, x.kind, x.state, x.ref] for x in lines],
        "tasks": list(Task.objects.values_list("pk", "source")),
        "notes": list(Activity.objects.values_list("pk", "import_key")),
        "marks": FieldValue.objects.count(),
        "touches": [
            [t.pk, t.key, t.token, t.state, t.reason, t.recipient, t.budget_class,
             t.sent_at and t.sent_at.isoformat(),
             (p.time_zone if (p := getattr(t.contact, "touch_preference", None)) else "")]
            for t in touches.select_related("contact__touch_preference")
        ],
        "deliveries": list(Delivery.objects.values_list("state", flat=True)),
    }  # fmt: skip


class Database:
    """The built one, copied for each run: a file, or a template on the server."""

    def __init__(self, folder):
        from django.conf import settings

        self.settings = settings.DATABASES["default"]
        self.is_file = "sqlite" in self.settings["ENGINE"]
        self.first = self.settings["NAME"]
        self.kept = Path(folder) / "built.sqlite3"

    def keep(self):
        from django.db import connection, connections

        if self.is_file:
            with connection.cursor() as cursor:
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connections.close_all()
        if self.is_file:
            shutil.copy(self.first, self.kept)

    def renew(self):
        from django.db import connections

        connections.close_all()
        if self.is_file:
            for end in ("-wal", "-shm"):
                Path(f"{self.first}{end}").unlink(missing_ok=True)
            shutil.copy(self.kept, self.first)
            return
        import psycopg

        url = os.environ["GENGYUN_DATABASE_URL"].rsplit("/", 1)[0] + "/postgres"
        with psycopg.connect(url, autocommit=True) as db:
            db.execute(f'DROP DATABASE IF EXISTS "{self.first}_run" WITH (FORCE)')
            db.execute(f'CREATE DATABASE "{self.first}_run" TEMPLATE "{self.first}"')
        self.settings["NAME"] = f"{self.first}_run"
        connections["default"].settings_dict["NAME"] = f"{self.first}_run"


def main(folder, port, runs, first):
    import django

    django.setup()
    database = Database(folder)
    build(port)
    database.keep()
    for seed in range(first, first + runs):
        database.renew()
        month, chance = Month(seed, folder), random.Random(f"kills{seed}")
        month.mark.unlink(missing_ok=True)
        kills = killed_again_and_again(month, DAYS * len(TURNS), chance)
        month.play(month.last)
        print(json.dumps(found(seed, kills)), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
