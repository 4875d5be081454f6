"""Reading what a person typed into a form: text in, values or errors out."""

import re
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from django.utils.translation import gettext as _

from gengyun.kernel.currencies import minor_of_one
from gengyun.kernel.days import company_zone, day_of
from gengyun.web.numbers import MOST_DIGITS, is_number

_AMOUNT = re.compile(r"^([0-9][0-9,，]*(?:\.[0-9]+)?)\s*(亿|万|k|m)?\s*元?$", re.IGNORECASE)
MOST_FEN = 10**16  # a hundred trillion yuan: sums of many still fit the column
_SCALE = {"": 1, "万": 10_000, "亿": 100_000_000, "k": 1_000, "m": 1_000_000}


@dataclass
class Form:
    """Raw texts by name, errors by name; `values` holds what could be read."""

    raw: dict[str, str]
    errors: dict[str, str] = field(default_factory=dict)
    values: dict = field(default_factory=dict)

    @classmethod
    def of(cls, post):
        return cls({key: post.get(key, "").strip() for key in post})

    def get(self, name, default=""):
        return self.raw.get(name, default)

    def error(self, name):
        return self.errors.get(name, "")

    def text(self, name, *, required=False):
        value = self.raw.get(name, "")
        if required and not value:
            self.errors[name] = _("This is needed.")
        self.values[name] = value

    def day(self, name, *, into=None):
        value = self.raw.get(name, "")
        try:
            self.values[into or name] = date.fromisoformat(value) if value else None
        except ValueError:
            self.errors[name] = _("This is no date; write it as 2026-03-31.")

    def whole(self, name):
        value = self.raw.get(name, "").replace(",", "").replace("，", "")
        if not value:
            self.values[name] = None
        elif is_number(value):
            self.values[name] = int(value)
        else:
            self.errors[name] = _("A whole number is needed here.")

    def amount(self, name, *, into, currency="CNY"):
        """48.6 万, 1,200,000.00, 486k; kept in the currency's minor unit: fen, whole yen."""
        value = self.raw.get(name, "")
        if not value:
            self.values[into] = None
            return
        found = _AMOUNT.match(value)
        if not found:
            self.errors[name] = _("This is no amount; write 486000 or 486k.")
            return
        digits = re.sub("[,，]", "", found[1])
        whole, _point, part = digits.partition(".")
        if len(whole) > MOST_DIGITS or len(part) > MOST_DIGITS:
            self.errors[name] = _("This is no amount; write 486000 or 486k.")
            return
        # by digits, never by float: money is exact
        scale = _SCALE[(found[2] or "").lower()] * minor_of_one(currency)
        fen = int(whole) * scale
        if part:
            fen += int(part) * scale // 10 ** len(part)
        if fen > MOST_FEN:
            self.errors[name] = _("This is no amount; write 486000 or 486k.")
            return
        self.values[into] = fen

    def signed_amount(self, name, *, into, currency="CNY"):
        """As `amount`, with a minus in front where money goes back."""
        typed = self.raw.get(name, "")
        is_minus = typed[:1] in {"-", "−", "－"}
        self.raw[name] = typed[1:].strip() if is_minus else typed
        self.amount(name, into=into, currency=currency)
        self.raw[name] = typed
        if is_minus and self.values.get(into) is not None:
            self.values[into] = -self.values[into]

    def choice(self, name, rows, *, into=None, required=False):
        """`rows`: a queryset; a pk that is not among them is an error."""
        value = self.raw.get(name, "")
        row = rows.filter(pk=int(value)).first() if is_number(value) else None
        if (value and row is None) or (required and row is None):
            self.errors[name] = _("Choose one of the list.")
        self.values[into or name] = row


def moment_of(day, *, now):
    """When something of a day happened: now if it is today, else noon of that day."""
    if day is None or day == day_of(now):
        return now
    return datetime.combine(day, time(12), company_zone())


def week_of(day):
    monday = day - timedelta(days=day.weekday())
    return [monday + timedelta(days=n) for n in range(7)]
