"""The rows of the renewals grid as HTML: fifty of ten cells, drawn in Python for the same reason as
`marks` and `shown`."""

from markupsafe import Markup, escape

from gengyun.revenue.models.renewals import rise
from gengyun.web.present import format as plain
from gengyun.web.present import marks
from gengyun.web.present.renewals import more_word, product_name
from gengyun.web.words import gettext as _
from gengyun.web.words import is_zh, pick

DOT = '<span class="gy-dot" aria-hidden="true">·</span>'


class RenewalRows:
    """`url` and `icon` are the template's functions; words and addresses are asked for once."""

    def __init__(self, *, today, url, icon, may_work, shows_owner, base):
        self.today, self.zh = today, is_zh()
        self.url, self.chevron = url, icon("chevron-down")
        self.may_work, self.shows_owner, self.base = may_work, shows_owner, base
        self.decided = escape(_("decided"))
        self.nobody = escape(_("nobody yet"))
        self.to_fill_in = f'<span class="gy-note">{escape(_("to fill in"))}</span>'
        self.asked = str(escape(_("asked %(amount)s (%(more)s)")))
        self.select = _("Select %(name)s")

    def row(self, line):
        row = line.renewal
        live = self.may_work and row.state == "open"
        cells = (
            self._who(row, live=live),
            self._health(line.summary),
            self._due(row),
            self._amount_due(line, live=live),
            self._category(line, live=live),
            self._forecast(line),
            f'<td class="num">{marks.churn_of_renewal(line.odds)}</td>',
            self._apart(line),
            _dots(line),
        )
        owner = self._owner(row) if self.shows_owner else ""
        drawn = "\n".join([self._start(line, live=live), *cells, owner])
        return Markup(f"{drawn}</tr>\n")

    def _start(self, line, *, live):
        row = line.renewal
        saved = ""
        if live:
            saved = (
                f' data-save="{self.url("renewal_forecast", row.pk)}"'
                f' data-category="{row.category}" data-amount="{line.plain_amount}"'
                f' data-asked="{line.plain_asked}"'
            )
        return (
            f'<tr data-row data-pk="{row.pk}" data-href="{self.url("customer", row.customer_id)}"'
            f' data-panel="{self.url("renewal", row.pk)}"{saved}>'
        )

    def _who(self, row, *, live):
        customer = row.customer
        name, box = escape(customer.name), ""
        if live:
            label = escape(self.select % {"name": customer.name})
            box = (
                f'<input class="gy-cb gy-rowcb" type="checkbox" name="ids" value="{row.pk}"'
                f' form="bulk" tabindex="-1" aria-label="{label}">'
            )
        tier = f"{escape(pick(customer.tier))}{DOT}" if customer.tier else ""
        return (
            f'<td tabindex="-1" class="who">{box}<a class="nm" href="{self.url("renewal", row.pk)}"'
            f' data-name data-open-panel tabindex="-1">{name}</a>'
            f'<span class="sub">{tier}{escape(product_name(row))}</span></td>'
        )

    @staticmethod
    def _health(summary):
        if summary is None:
            return '<td><span class="gy-note">—</span></td>'
        return f"<td>{marks.health(summary.score, summary.band, True, summary.coverage)}</td>"

    def _due(self, row):
        left = self.decided
        if row.state == "open":
            left = escape(plain.days_left(row.due_on, today=self.today, zh=self.zh))
        day = plain.day(row.due_on, today=self.today, zh=self.zh)
        return f'<td class="num">{day}<span class="sub">{left}</span></td>'

    def _amount_due(self, line, *, live):
        """What comes due, and below it the price asked for the next term: typed in this cell."""
        row = line.renewal
        said = plain.wan(row.due_minor, row.currency, zh=self.zh)
        col = ' tabindex="-1" data-col="asked"' if live else ""
        asked = ""
        if row.asked_minor is not None:
            words = {"amount": plain.wan(row.asked_minor, row.currency, zh=self.zh)}
            words["more"] = more_word(rise(row.asked_minor, row.due_minor)) or "?"
            asked = f'<span class="sub">{self.asked % words}</span>'
        other = (
            f'<span class="sub">{escape(row.currency)}</span>' if row.currency != self.base else ""
        )
        return f'<td class="num due"{col}>{said}{other}{asked}</td>'

    def _category(self, line, *, live):
        cls = "gy-sel none" if line.renewal.category == "unjudged" else "gy-sel"
        cls, more = (cls, self.chevron) if live else (f"{cls} fix", "")
        return (
            f'<td class="cat{_changed(line.was.get("category"))} tabindex="-1"'
            f' data-col="category"{_title(line.was.get("category"))}><span class="{cls}">'
            f'<span class="gy-sw {line.mark}"></span>{escape(line.word)}{more}</span></td>'
        )

    def _forecast(self, line):
        row, was = line.renewal, line.was.get("forecast_minor")
        said = self.to_fill_in
        if row.forecast_minor is not None:
            said = plain.wan(row.forecast_minor, row.currency, zh=self.zh)
        return (
            f'<td class="num amt{_changed(was)} tabindex="-1"'
            f' data-col="amount"{_title(was)}>{said}</td>'
        )

    @staticmethod
    def _apart(line):
        said = line.apart
        tag = f'<span class="gy-tag {line.tone}">{escape(said)}</span>' if said else ""
        return f'<td class="apart">{tag}</td>'

    def _owner(self, row):
        owner = row.customer.owner
        return f"<td>{escape(owner.name) if owner else self.nobody}</td>"


def _changed(was):
    """The end of a class attribute."""
    return ' chg"' if was else '"'


def _title(was):
    return f' title="{escape(was)}"' if was else ""


def _dots(line):
    said = escape(line.dots_said)
    drawn = "".join([f'<i class="{dot}"></i>' for dot in line.dots])
    return f'<td><span class="gy-dots" role="img" aria-label="{said}" title="{said}">{drawn}</span></td>'  # noqa: E501
