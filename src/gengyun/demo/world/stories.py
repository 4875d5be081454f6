"""The timeline of each customer, told from the same facts as the events."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from gengyun.demo.world import calendar, texts
from gengyun.demo.world.accounts import add_months
from gengyun.demo.world.names import person_names
from gengyun.demo.world.shapes import Account, Note, Person, Shock
from gengyun.demo.world.shocks import KNOWN_BEFORE

CADENCE = {"strategic": 10, "key": 21, "standard": 46}  # days between two touches
TIRED_SHARE = 0.12  # of the customers nobody has looked after for a while


class Teller:
    """Writes notes for one customer at a time; holds the world the notes must agree with."""

    def __init__(
        self,
        rng: np.random.Generator,
        *,
        days: list[date],
        active: np.ndarray,
        zone: str,
    ) -> None:
        self.rng = rng
        self.days = days
        self.active = active
        self.zone = ZoneInfo(zone)
        self.office = np.array([calendar.is_office_day(day) for day in days])
        self.notes: list[Note] = []
        self.recent: dict[int, list[str]] = {}  # texts a customer has had, not to repeat

    # --- facts -----------------------------------------------------------------------------

    def average(self, account: Account, day: int, *, back: int = 0) -> float:
        """Active users on a working day in the 28 days that end `back` days before `day`."""
        stop = max(day - back, 0)
        window = slice(max(stop - 28, 0), stop)
        values = self.active[account.index, window][self.office[window]]
        return float(values.mean()) if values.size else 0.0

    def direction(self, account: Account, day: int) -> str:
        now, was = self.average(account, day), self.average(account, day, back=28)
        if day >= 14 and not self.active[account.index, day - 14 : day].any():
            return "silent"
        if day < 60:
            return "flat"
        if account.seats >= 8 and max(now, was) < account.seats * 0.12:
            return "low"
        if was < 1:
            return "flat"
        if now < was * 0.82:
            return "down"
        return "up" if now > was * 1.15 else "flat"

    # --- writing ---------------------------------------------------------------------------

    def write(
        self,
        account: Account,
        day: int,
        lines: tuple[texts.Line, ...],
        *,
        module: str = "",
        due: date | None = None,
    ) -> None:
        """One note on `day` or the next office day, if that is still in the past."""
        if day < 0:
            return
        while day < len(self.days) and not self.office[day]:
            day += 1
        if day >= len(self.days):
            return
        kind, outcome, body = self._choose(account, lines)
        if kind == "visit" and account.size == "standard":
            kind = "meeting"
        present = [p for p in account.persons if p.is_there(self.days[day])]
        contact = self._contact(account, present)
        decider = next((p for p in present if p.part == "decider"), account.persons[0])
        slots = self.slots(account, day, contact, decider, module=module, due=due)
        people = [] if kind == "note" else [account.persons.index(contact)]
        if kind in {"meeting", "visit"} and "{d}" in body and decider is not contact:
            people.append(account.persons.index(decider))
        minutes = int(self.rng.integers(0, 8 * 60 + 30))
        at = datetime.combine(self.days[day], time(9, 15), self.zone) + timedelta(minutes=minutes)
        self.notes.append(
            Note(
                account=account.index,
                kind=kind,
                body=body.format(**slots),
                happened_at=at.astimezone(UTC),
                author=account.owner,
                persons=people,
                outcome=outcome,
            )
        )

    def slots(
        self,
        account: Account,
        day: int,
        contact: Person,
        decider: Person,
        *,
        module: str = "",
        due: date | None = None,
    ) -> dict[str, str]:
        today = self.days[min(day, len(self.days) - 1)]
        in_force = [terms for terms in account.terms if terms[0] <= today]
        _, seats, arr = in_force[-1] if in_force else account.terms[0]
        modules = [m for m in account.modules if m != "系统管理"]
        return {
            "c": contact.name,
            "t": contact.title,
            "d": decider.name,
            "m": module or modules[int(self.rng.integers(len(modules)))],
            "few": str(min(9, max(2, seats // 4))),
            "now": f"{self.average(account, day):.0f}",
            "was": f"{self.average(account, day, back=28):.0f}",
            "seats": str(seats),
            "arr": f"{arr / 10_000:.1f}".removesuffix(".0"),
            "renew": f"{due or account.renews_on:%Y-%m-%d}",
        }

    def _choose(self, account: Account, lines: tuple[texts.Line, ...]) -> texts.Line:
        had = self.recent.setdefault(account.index, [])
        fresh = [line for line in lines if line[2] not in had[-6:]] or list(lines)
        chosen = fresh[int(self.rng.integers(len(fresh)))]
        had.append(chosen[2])
        return chosen

    def _contact(self, account: Account, present: list[Person]) -> Person:
        usual = [p for p in present if p.part in {"champion", "user"}] or present
        usual = usual or account.persons
        return usual[0] if self.rng.random() < 0.65 else usual[int(self.rng.integers(len(usual)))]

    # --- one customer ----------------------------------------------------------------------

    def tell(self, account: Account) -> None:
        end = len(self.days)
        signed = (account.started_on - self.days[0]).days
        if account.owner is None:
            return
        if signed >= 0:
            self._begin(account, signed)
        if account.situation == "no_data":
            for day in range(signed + 20, end, 24):
                self.write(account, day, texts.NO_DATA)
            return
        for shock in account.shocks:
            self._shock(account, shock)
        self._renewals(account)
        self._routine(account, max(signed + 30, 0))
        if account.situation == "stopped" and account.last_day is not None:
            for day in range(account.last_day + 6, end, 12):
                self.write(account, day, texts.STOPPED)

    def _begin(self, account: Account, signed: int) -> None:
        self.write(account, signed + 1, texts.HANDOVER)
        self.write(account, signed + 9, texts.KICKOFF)
        if account.situation != "no_data":
            self.write(account, signed + 20, texts.TRAINING)
            self.write(account, signed + 34, texts.TRAINING)

    def _shock(self, account: Account, shock: Shock) -> None:
        if shock.recorded is None or shock.recorded < 0:
            return
        if shock.kind == "win" and self.direction(account, shock.recorded) in {
            "down",
            "low",
            "silent",
        }:
            return  # other things weighed more: nobody praised what nobody used
        optional = [m for m in account.modules if m not in {"任务协作", "系统管理"}]
        module = optional[-1] if shock.kind == "module_dropped" and optional else ""
        self.write(account, shock.recorded, texts.SHOCK[shock.kind], module=module)
        if shock.kind != "win" and self.rng.random() < 0.7:
            wait = int(self.rng.integers(6, 16))
            self.write(account, shock.recorded + wait, texts.FOLLOW_UP)

    def _renewals(self, account: Account) -> None:
        previous = add_months(account.renews_on, -account.term_months)
        for due in (previous, account.renews_on):
            day = (due - self.days[0]).days
            if due == account.started_on or account.situation == "churned":
                continue
            for before in (80, 45, 20):
                if self.rng.random() < 0.6:
                    self.write(account, day - before, texts.RENEWAL_SOON, due=due)
            before = int(self.rng.integers(0, 6)) if due == previous else 0
            signed_on = account.signed.get(due)
            if signed_on is not None and (due == previous or signed_on < due):
                # written down on the day the contract came back
                self.write(account, (signed_on - self.days[0]).days + before % 2, texts.RENEWED)

    def _routine(self, account: Account, first: int) -> None:
        step = CADENCE[account.size]
        last = len(self.days) if account.last_day is None else account.last_day
        if self.rng.random() < TIRED_SHARE:
            last -= int(step * self.rng.uniform(1.3, 2.6))
        day = first + int(self.rng.integers(0, step))
        while day < last:
            lines = {
                "down": texts.ROUTINE_DOWN,
                "up": texts.ROUTINE_UP,
                "flat": texts.ROUTINE_FLAT,
                "silent": texts.STOPPED,
                "low": texts.ROUTINE_LOW,
            }[self.direction(account, day)]
            self.write(account, day, lines)
            day += max(4, int(step * self.rng.lognormal(0, 0.3)))
        if account.situation == "churned" and account.last_day is not None:
            self.write(account, account.last_day - 10, texts.CHURNED)


def note_departures(rng: np.random.Generator, accounts: list[Account], days: list[date]) -> None:
    """Contacts who left are marked as left on the day a CSM heard of it, also before the first day;
    somebody follows them, soon or after a long time."""
    for account in accounts:
        for shock in account.shocks:
            part = {"champion_left": "champion", "decision_maker_change": "decider"}.get(shock.kind)
            person = next((p for p in account.persons if p.part == part and not p.left_on), None)
            if person is None or shock.day < -KNOWN_BEFORE:
                continue
            person.gone = shock.day if person.gone is None else person.gone
            if shock.recorded is None:
                continue
            person.left_on = days[0] + timedelta(days=shock.recorded + 3)
            is_soon = person.part == "decider" or rng.random() < 0.6
            wait = int(rng.integers(5, 25) if is_soon else rng.integers(60, 240))
            came_on = person.left_on + timedelta(days=wait)
            if came_on <= days[-1]:
                account.persons.append(_follower(rng, account, person, came_on))


def _follower(rng: np.random.Generator, account: Account, person: Person, came_on: date) -> Person:
    name = person_names(rng, 1)[0]
    email = f"{person.part}{len(account.persons) + 1}@{account.external_id}.example"
    return Person(name, person.title, person.part, email, phone="", came_on=came_on)


def plan_next_steps(rng: np.random.Generator, accounts: list[Account], teller: Teller) -> None:
    """What each CSM means to do next; some are due today, a few are late."""
    end = len(teller.days)
    as_of = teller.days[-1] + timedelta(days=1)
    for account in accounts:
        chance = {"strategic": 0.9, "key": 0.6, "standard": 0.18}[account.size]
        reason = _reason(account, teller, end, as_of)
        if reason in {"shock", "down", "stopped", "new"}:
            chance = min(chance + 0.25, 0.95)
        if account.owner is None or account.situation == "churned" or rng.random() > chance:
            continue
        choices = texts.NEXT_STEP[reason]
        present = [p for p in account.persons if p.is_there(as_of)] or account.persons
        decider = next((p for p in present if p.part == "decider"), present[0])
        contact = next((p for p in present if p.part in {"champion", "user"}), present[0])
        slots = teller.slots(account, end, contact, decider)
        account.next_step = choices[int(rng.integers(len(choices)))].format(**slots)
        wait = int(rng.choice([-6, -3, -1, 0, 1, 2, 3, 5, 8, 13], p=_WAIT_SHARE))
        account.next_step_on = as_of + timedelta(days=wait)


_WAIT_SHARE = (0.02, 0.04, 0.05, 0.08, 0.1, 0.12, 0.14, 0.16, 0.17, 0.12)


def _reason(account: Account, teller: Teller, end: int, as_of: date) -> str:
    if account.situation in {"no_data", "stopped", "new"}:
        return account.situation
    if teller.direction(account, end) == "silent":
        return "stopped"
    if any(s.kind != "win" and s.recorded and s.recorded > end - 40 for s in account.shocks):
        return "shock"
    if (account.renews_on - as_of).days <= 75:
        return "renewal"
    direction = teller.direction(account, end)
    return "usual" if direction == "flat" else direction
