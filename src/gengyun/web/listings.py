"""The lists that can be exported: the same rows, conditions and columns as on the screen."""

from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from gengyun.customers.actions.exporting import Sheet
from gengyun.customers.calc.custom import exported
from gengyun.customers.models import Contact, Customer
from gengyun.customers.queries.custom_fields import fields_named, values_of
from gengyun.kernel.days import company_zone
from gengyun.portfolio.models import CustomerSummary
from gengyun.portfolio.queries import customer_list as queries
from gengyun.team.models import AuditEntry, User
from gengyun.team.queries import audit as audit_queries
from gengyun.web.numbers import is_number
from gengyun.web.present import audit as present_audit
from gengyun.web.present.list_columns import chosen
from gengyun.web.words import is_zh, pick

STEP = 1_000
ANY_DAY = date(2000, 1, 1)  # to check conditions; it selects nothing


def steps(keys):
    """Keys a thousand at a time: no cursor stays open while the export tells how far it is."""
    for start in range(0, len(keys), STEP):
        yield keys[start : start + STEP]


class CustomersListing:
    capability = None

    def clean(self, actor, query):
        cleaned = queries.ListQuery.from_json(query)
        # refuses what does not fit its field, before anything is written
        rows = queries.matching(actor, cleaned.filters, today=ANY_DAY)
        queries.sorted_by(rows, cleaned.sort)
        return cleaned.as_json()

    def count(self, actor, query, today, limit):
        wanted = queries.ListQuery.from_json(query)
        rows = queries.matching(actor, wanted.filters, today=today)
        return rows.values("pk")[:limit].count()

    def sheet(self, actor, query, today):
        wanted = queries.ListQuery.from_json(query)
        customs = fields_named(wanted.columns)
        columns = chosen(wanted.columns, customs)
        headers = [_("Customer id"), *(_header(column, customs) for column in columns)]
        return Sheet(headers, self._rows(actor, wanted, columns, customs, today))

    def _rows(self, actor, wanted, columns, customs, today):
        fields = [customs[column.key] for column in columns if column.key in customs]
        for part in steps(_keys(actor, wanted, today)):
            found = CustomerSummary.objects.select_related("owner", "tier", "stage").in_bulk(part)
            external = Customer.objects.filter(pk__in=part).values_list("pk", "external_id")
            ids = dict(external)
            held = values_of(part, fields)
            for key in part:
                if key in found:  # not archived meanwhile
                    yield [
                        ids.get(key),
                        *(_value(column, found[key], customs, held) for column in columns),
                    ]


def _keys(actor, wanted, today):
    rows = queries.matching(actor, wanted.filters, today=today)
    return list(queries.sorted_by(rows, wanted.sort).values_list("pk", flat=True))


def _header(column, customs):
    """Without the unit of the screen: amounts are whole here."""
    if column.key == "arr":
        return "ARR"
    return pick(customs[column.key]) if column.key in customs else str(column.label)


def _value(column, row, customs, held):
    field = customs.get(column.key)
    if field is None:
        return column.export(row)
    return exported(field.definition, held.get(row.pk, {}).get(field.key), zh=is_zh())


class ContactsListing(CustomersListing):
    """The people of the customers of a list."""

    def count(self, actor, query, today, limit):
        return self._found(actor, query, today)[:limit].count()

    def _found(self, actor, query, today):
        wanted = queries.ListQuery.from_json(query)
        customers = queries.matching(actor, wanted.filters, today=today).values("pk")
        return Contact.objects.visible_to(actor).filter(customer__in=customers).order_by("pk")

    def sheet(self, actor, query, today):
        headers = [
            _("Customer id"), _("Customer"), _("Name"), _("Job title"), _("Role in decisions"),
            _("Email"), _("Phone"), _("WeCom id"), _("User id in the product"), _("Left on"),
        ]  # fmt: skip
        return Sheet(headers, self._people(self._found(actor, query, today)))

    def _people(self, found):
        parts = {
            Contact.Part.DECIDER: _("Decision maker"),
            Contact.Part.CHAMPION: _("Champion"),
            Contact.Part.USER: _("User"),
            Contact.Part.PROCUREMENT: _("Procurement"),
            Contact.Part.OTHER: _("Other"),
        }
        for part in steps(list(found.values_list("pk", flat=True))):
            people = Contact.objects.select_related("customer").in_bulk(part)
            for key in part:
                if person := people.get(key):
                    yield [
                        person.customer.external_id, person.customer.name, person.name,
                        person.title, parts[person.part], person.email, person.phone,
                        person.wecom_id, person.product_user_id, person.left_on,
                    ]  # fmt: skip


class AuditListing:
    """The audit log with the conditions of its page."""

    capability = "audit.read"
    ASKED = ("who", "action", "text", "start", "end")

    def clean(self, actor, query):
        return {name: str(query.get(name, ""))[:100] for name in self.ASKED}

    def count(self, actor, query, today, limit):
        return self._found(actor, query).order_by().values("pk")[:limit].count()

    def _found(self, actor, query):
        who = query["who"]
        return audit_queries.entries(
            actor,
            of=User.objects.filter(pk=who).first() if is_number(who) else None,
            action=query["action"],
            text=query["text"],
            start=_day(query["start"]),
            end=_day(query["end"]),
        )

    def sheet(self, actor, query, today):
        headers = [
            _("When"), _("Who"), _("What"), pgettext("audit", "Thing"), _("Name"),
            _("From what to what"),
        ]  # fmt: skip
        return Sheet(headers, self._lines(self._found(actor, query)))

    def _lines(self, found):
        for part in steps(list(found.values_list("pk", flat=True))):
            entries = AuditEntry.objects.select_related("actor").in_bulk(part)
            names = {name for entry in entries.values() for name in entry.changes}
            customs = {name: pick(field) for name, field in fields_named(names).items()}
            for key in part:
                line = present_audit.line(entries[key], customs)
                changes = "; ".join(f"{c.field}: {c.old} → {c.new}" for c in line.changes)
                at = line.at.astimezone(company_zone())
                yield [at, line.who, str(line.verb), str(line.thing), line.label, changes]


def _day(text):
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 1900 <= day.year < 2200 else None  # its first moment is one in every zone
