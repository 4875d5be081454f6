"""Export of the lists of work: alerts, the rules behind them, health that moved, journeys."""

from dataclasses import asdict
from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from gengyun.alerts.models import Alert
from gengyun.alerts.queries import queue as alert_queries
from gengyun.alerts.queries.quality import quality
from gengyun.customers.actions.exporting import Sheet
from gengyun.customers.models import TouchModel
from gengyun.customers.queries import journeys as journey_queries
from gengyun.kernel.clock import utc_now
from gengyun.kernel.currencies import major
from gengyun.kernel.days import company_zone
from gengyun.portfolio.queries.health_moves import SINCE, moves
from gengyun.web.listings import steps
from gengyun.web.present import alerts as present_alerts
from gengyun.web.present import health_board
from gengyun.web.views.alerts import Address, filters_of
from gengyun.web.words import is_zh, pick

MOST_MOVES = 2_000  # of each direction; the page shows the first ten


def _amount(minor, currency):
    return None if minor is None else major(minor, currency)


def _at(moment):
    return None if moment is None else moment.astimezone(company_zone())


class AlertsListing:
    """The queue with the tab, filters and order of its page."""

    capability = None

    def clean(self, actor, query):
        wanted = Address(**{**query, "severities": tuple(query.get("severities", ())), "page": 1})
        return asdict(wanted)

    def _found(self, actor, query):
        address = Address(**{**query, "severities": tuple(query["severities"])})
        return alert_queries.queue(
            actor,
            tab=address.tab,
            filters=filters_of(actor, address),
            sort=address.sort,
            now=utc_now(),
        )

    def count(self, actor, query, today, limit):
        return self._found(actor, query).order_by().values("pk")[:limit].count()

    def sheet(self, actor, query, today):
        headers = [
            _("Level"), _("Customer id"), _("Customer"), _("Rule"), _("What happened"),
            _("Suspected cause"), _("Health"), "ARR", _("Currency"), pgettext("column", "CSM"),
            _("Since"), _("Respond by"), _("Solve by"), _("State"), _("Closed on"), _("Verdict"),
        ]  # fmt: skip
        return Sheet(headers, self._lines(self._found(actor, query), today))

    def _lines(self, found, today):
        states = {
            Alert.State.OPEN: pgettext("state of an alert", "open"),
            Alert.State.SNOOZED: _("put off"),
            Alert.State.CLOSED: _("closed"),
        }
        related = ("customer__tier", "rule__cause", "owner", "cause", "escalated_to")
        for part in steps(list(found.values_list("pk", flat=True))):
            alerts = Alert.objects.select_related(*related).in_bulk(part)
            present = [alerts[pk] for pk in part if pk in alerts]
            for row in present_alerts.rows(present, now=utc_now(), today=today, zh=is_zh()):
                a, customer = row.alert, row.alert.customer
                yield [
                    str(row.severity[1]),
                    customer.external_id if customer else None,
                    row.name,
                    pick(row.rule),
                    row.sentence,
                    pick(a.cause or a.rule.cause),
                    row.summary.score if row.summary else None,
                    _amount(customer.arr_minor, customer.currency) if customer else None,
                    customer.currency if customer else None,
                    a.owner.name if a.owner else None,
                    a.opened_on,
                    _at(a.response_due_at) if a.responded_at is None else None,
                    _at(a.resolve_due_at),
                    states[a.state],
                    _at(a.closed_at),
                    str(present_alerts.verdict_word(a.verdict)),
                ]


class AlertRulesListing:
    """How right each rule was."""

    capability = "settings.read"

    def clean(self, actor, query):
        return {}

    def count(self, actor, query, today, limit):
        return min(limit, len(quality(now=utc_now())))

    def sheet(self, actor, query, today):
        headers = [
            _("Rule"), _("Level"), _("Suspected cause"), _("Switched on"), _("Open"),
            _("Opened, 28 days"), _("Verdicts"), _("Was right"), _("At least (95%)"),
            _("At most (95%)"), _("Closed without a verdict"),
        ]  # fmt: skip
        return Sheet(headers, self._lines())

    def _lines(self):
        for row in quality(now=utc_now()):
            p = row.precision
            low, high = p.interval or (None, None)
            yield [
                pick(row.rule),
                str(present_alerts.severity_word(row.rule.severity)),
                pick(row.rule.cause),
                _("yes") if row.rule.is_active else _("no"),
                row.open,
                row.opened_28d,
                p.judged,
                p.share,
                low,
                high,
                row.unasked,
            ]


class MoversListing:
    """What moved, and why: those of the page, and those after them."""

    capability = None
    CHOICES = (("scope", ("team", "mine")), ("since", tuple(SINCE)), ("sort", ("points", "arr")))

    def clean(self, actor, query):
        return {
            name: query[name] if query.get(name) in allowed else allowed[0]
            for name, allowed in self.CHOICES
        }

    def _moves(self, actor, query, most=MOST_MOVES):
        return moves(actor, scope=query["scope"], since=query["since"], by=query["sort"], most=most)

    def count(self, actor, query, today, limit):
        found = self._moves(actor, query, most=0)
        return min(limit, sum(min(n, MOST_MOVES) for n in (found.down_count, found.up_count)))

    def sheet(self, actor, query, today):
        headers = [
            _("Customer"), _("Tier"), _("From"), _("Score before"), _("To"), _("Score now"),
            _("Change"), _("because of"), "ARR", _("Currency"), pgettext("column", "CSM"),
        ]  # fmt: skip
        return Sheet(headers, self._lines(self._moves(actor, query)))

    def _lines(self, found):
        for move in (*found.down, *found.up):
            s = move.summary
            causes = health_board.cause(move, zh=is_zh())
            told = [" ".join(filter(None, (one.name, one.points, one.values))) for one in causes]
            yield [
                s.name, pick(s.tier) if s.tier else None, found.since, move.was, found.as_of,
                s.score, round(move.change, 1), "; ".join(told),
                _amount(s.arr_minor, s.currency), s.currency,
                s.owner.name if s.owner else None,
            ]  # fmt: skip


class JourneysListing:
    """Every stage of the journeys with who is in it and how late."""

    capability = None

    def clean(self, actor, query):
        return {}

    def count(self, actor, query, today, limit):
        return min(limit, len(journey_queries.stage_counts(actor, today)))

    def sheet(self, actor, query, today):
        headers = [
            _("Journey"), _("Stage"), _("Expected days"), _("Customers"), _("On track"),
            _("Behind"), _("Stuck"), _("Ready to move on"), "ARR", _("Usual stay"),
        ]  # fmt: skip
        return Sheet(headers, self._lines(actor, today))

    def _lines(self, actor, today: date):
        counts = journey_queries.stage_counts(actor, today)
        for model, label in reversed(TouchModel.choices):
            for c in (one for one in counts if one.stage.touch_model == model):
                yield [
                    str(label), pick(c.stage), c.stage.expected_days, c.customers,
                    c.customers - c.behind - c.stuck, c.behind, c.stuck, c.ready,
                    _amount(c.arr_minor, "CNY"), c.usual_days,
                ]  # fmt: skip
