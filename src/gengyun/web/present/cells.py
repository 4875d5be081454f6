"""The cells of a customer list, one row after the other: HTML made in Python for speed.

Fifty rows of ten cells are most of the page's time; everything that does not depend on the row
(words, rights, today) is settled once per page.
"""

from functools import partial

from markupsafe import Markup, escape

from gengyun.kernel.days import day_of
from gengyun.web.present import churn, marks
from gengyun.web.present import format as plain
from gengyun.web.present.needs import kind_name, need_word
from gengyun.web.present.shown import Shown
from gengyun.web.words import gettext as _
from gengyun.web.words import is_zh, pick

UNKNOWN = '<td><span class="gy-note">—</span></td>'
PACE_TONES = {"behind": "c", "stuck": "d"}
QUIET_DAYS = 21  # a last contact longer ago than that is marked


class Cells:
    """`cells(row)` is the row's <td> elements; `url` and `icon` are the template's functions.

    `custom`: name of a custom column -> (field, {customer: value}).
    """

    def __init__(self, columns, *, today, may_edit, may_assign, url, icon, custom=None):
        self.today, self.zh = today, is_zh()
        self.url = url
        self.inner = Shown(
            today=today, may_edit=may_edit, may_assign=may_assign, url=url, icon=icon
        )
        self.shown = [self._drawn(column, custom or {}) for column in columns]
        if may_edit:
            self.shown.insert(0, self._checkbox)
        self.select = _("Select %(name)s")
        self.days = escape(_("day %(days)s"))
        self.paces = {"behind": escape(_("behind")), "stuck": escape(_("stuck"))}
        self.words = {"never": escape(_("never")), "none": escape(_("none"))}

    def _drawn(self, column, custom):
        if column.key in custom:
            field, values = custom[column.key]
            start = '<td class="num">' if column.is_number else "<td>"
            return partial(self._custom, start, field, field.definition, values)
        return getattr(self, f"_{column.key}", None) or partial(self._text, column.key)

    def __call__(self, row):
        return Markup("".join([cell(row) for cell in self.shown]))

    def _checkbox(self, row):
        label = escape(self.select % {"name": row.name})
        return (
            f'<td class="cb"><input class="gy-cb gy-rowcb" type="checkbox" name="ids"'
            f' value="{row.pk}" form="bulk" aria-label="{label}"></td>'
        )

    def _name(self, row):
        name = escape(row.name)
        sub = '<span class="gy-dot" aria-hidden="true">·</span>'.join(
            [str(escape(text)) for text in (row.industry, row.region) if text]
        )
        sub = f'<span class="sub">{sub}</span>' if sub else ""
        path = self.url("customer", row.pk)
        return f'<td><a class="nm" href="{path}" data-name title="{name}">{name}</a>{sub}</td>'

    def _tier(self, row):
        return f"<td>{self.inner.tier(row)}</td>"

    def _health(self, row):
        return f"<td>{marks.health(row.score, row.band, coverage=row.coverage)}</td>"

    def _line(self, row):
        return f"<td>{marks.spark(row.line, row.band)}</td>"

    def _change(self, row):
        return f'<td class="num">{marks.delta(row.change_week)}</td>'

    def _arr(self, row):
        return f'<td class="num">{plain.wan(row.arr_minor, row.currency, zh=self.zh)}</td>'

    def _churn(self, row):
        return f'<td class="num">{churn.cell(row, today=self.today, zh=self.zh)}</td>'

    def _churn_change(self, row):
        return f'<td class="num">{churn.change_cell(row.churn_change)}</td>'

    def _churn_range(self, row):
        said = churn.interval(row.churn_low, row.churn_high)
        return f"<td>{said}</td>" if said else UNKNOWN

    def _churn_on(self, row):
        if row.churn_on is None:
            return UNKNOWN
        return f"<td>{plain.day(row.churn_on, today=self.today, zh=self.zh)}</td>"

    def _churn_grade(self, row):
        if row.churn is None:
            return UNKNOWN
        return f"<td>{escape(churn.grade_word(row.churn_grade))}</td>"

    def _ltv(self, row):
        if row.ltv_minor is None:
            return '<td class="num"><span class="gy-note">—</span></td>'
        shown = plain.wan(row.ltv_minor, zh=self.zh)
        low, high = (
            plain.wan(minor, zh=self.zh) for minor in (row.ltv_low_minor, row.ltv_high_minor)
        )
        return f'<td class="num">{shown}<span class="sub">{low}–{high}</span></td>'

    def _renews(self, row):
        if row.renews_on is None:
            return '<td class="num"><span class="gy-note">—</span></td>'
        left = plain.days_left(row.renews_on, today=self.today, zh=self.zh)
        day = plain.day(row.renews_on, today=self.today, zh=self.zh)
        return f'<td class="num">{left}<span class="sub">{day}</span></td>'

    def _touch(self, row):
        if row.last_touch_at is None:
            return f'<td><span class="gy-note">{self.words["never"]}</span></td>'
        on = day_of(row.last_touch_at)
        late = " text-danger" if (self.today - on).days > QUIET_DAYS else ""
        return (
            f"<td>{plain.day(on, today=self.today, zh=self.zh)}"
            f" {escape(kind_name(row.last_touch_kind))}"
            f'<span class="sub{late}">{plain.ago(on, today=self.today, zh=self.zh)}</span></td>'
        )

    def _next_step(self, row):
        return f'<td class="step">{self.inner.step(row)}</td>'

    def _owner(self, row):
        return f"<td>{self.inner.owner(row)}</td>"

    def _custom(self, start, field, definition, values, row):
        return f"{start}{self.inner.custom(row.pk, field, definition, values.get(row.pk))}</td>"

    def _stage(self, row):
        if row.stage is None:
            return UNKNOWN
        tone = PACE_TONES.get(row.pace)
        late = f' <span class="gy-tag {tone}">{self.paces[row.pace]}</span>' if tone else ""
        sub = ""
        if row.stage_since is not None:
            days = self.days % {"days": max((self.today - row.stage_since).days, 0) + 1}
            sub = f'<span class="sub">{days}</span>'
        return f"<td>{escape(pick(row.stage))}{late}{sub}</td>"

    def _stage_since(self, row):
        if row.stage_since is None:
            return UNKNOWN
        return f"<td>{plain.day(row.stage_since, today=self.today, zh=self.zh)}</td>"

    def _need(self, row):
        tones = {1: " d", 2: " c"}
        tags = [
            f'<span class="gy-tag{tones.get(need["severity"], "")}">'
            f"{escape(need_word(need['code']))}</span>"
            for need in row.needs[:2]
        ]
        return f"<td>{' '.join(tags) or self._note('none')}</td>"

    def _tags(self, row):
        tags = [f'<span class="gy-tag">{escape(name)}</span>' for name in row.tag_names[:3]]
        return f"<td>{' '.join(tags)}</td>" if tags else UNKNOWN

    def _active(self, row):
        return f'<td class="num">{plain.count(row.active_users_7d)}</td>'

    def _seats(self, row):
        return f'<td class="num">{plain.count(row.seats)}</td>'

    def _text(self, key, row):
        return f"<td>{escape(getattr(row, key)) or '—'}</td>"

    def _note(self, word):
        return f'<span class="gy-note">{self.words[word]}</span>'
