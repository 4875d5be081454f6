"""Small marks as HTML: health badge, change, sparkline, tier. A list draws them hundreds of times.

In Python because a template macro costs ten times as much; the templates call the same functions
as ui.health, ui.delta, ui.spark and ui.tier_tag.
"""

from markupsafe import Markup, escape

from gengyun.web.present import churn, figures
from gengyun.web.present import format as plain
from gengyun.web.words import gettext as _
from gengyun.web.words import is_zh, pgettext, pick


def band_word(band):
    match band:
        case "A":
            return pgettext("health band", "healthy")
        case "B":
            return pgettext("health band", "steady")
        case "C":
            return pgettext("health band", "watch")
        case "D":
            return pgettext("health band", "at risk")
    return pgettext("health band", "not enough data")


def health(score, band, narrow=False, coverage=None):
    """Letter, number and word, always: colour is never alone. `narrow`: the word for readers."""
    word = escape(band_word(band))
    if band not in {"A", "B", "C", "D"} or score is None:
        title = ""
        if coverage is not None:
            said = _("Coverage %(coverage)s") % {"coverage": plain.percent(coverage)}
            title = f' title="{escape(said)}"'
        return Markup(f'<span class="gy-h n"{title}><span>{band_word_unknown()}</span></span>')
    said = f'<span class="gy-sr"> {word}</span>' if narrow else f" {word}"
    return Markup(
        f'<span class="gy-h {band.lower()}"><b>{band}</b>'
        f"<span>{plain.score(score)}{said}</span></span>"
    )


def band_word_unknown():
    return escape(band_word("N"))


def delta(value, digits=0):
    """A change of a score: up and down by the person's colours; arrow and number always."""
    if value is None:
        return Markup('<span class="gy-note">—</span>')
    shown = plain.number(abs(value), digits)
    if shown == "0":
        return Markup('<span class="gy-d">0</span>')
    way, arrow = ("up", "▲") if value > 0 else ("down", "▼")
    return Markup(f'<span class="gy-d {way}">{arrow} {shown}</span>')


def spark(line, band):
    """Twelve weeks on a fixed scale, the last point in the colour of the band."""
    drawn = figures.spark(line or [])
    if not drawn["path"]:
        said = _("too short") if drawn["last"] is not None else "—"
        return Markup(f'<span class="gy-note">{escape(said)}</span>')
    label = _("Health over 12 weeks: %(first)s to %(last)s") % {
        "first": plain.score(drawn["first"]),
        "last": plain.score(drawn["last"]),
    }
    end = ""
    if drawn["end"]:
        end = f'<circle cx="{drawn["end"][0]}" cy="{drawn["end"][1]}" r="2.4"/>'
    return Markup(
        f'<svg class="gy-spark {escape(band).lower()}" viewBox="0 0 72 24" role="img"'
        f' aria-label="{escape(label)}"><line x1="0" x2="72" y1="12" y2="12"/>'
        f'<path d="{drawn["path"]}"/>{end}</svg>'
    )


def churn_fact(row, today):
    """The probability in the head of a customer: figure, interval, day, how sure."""
    if row.churn is None:
        said = escape(churn.refused_word(row.churn_refused))
        return Markup(f'<span class="gy-note" title="{said}">{escape(_("not said"))}</span>')
    more = [churn.interval(row.churn_low, row.churn_high)]
    if row.churn_on is not None:
        day = plain.day(row.churn_on, today=today, zh=is_zh())
        more.append(_("on %(day)s") % {"day": day})
    grade = churn.grade_word(row.churn_grade)
    more.append(_("confidence %(grade)s") % {"grade": grade})
    if row.churn_is_estimate:
        more.append(_("estimate"))
    dot = '<span class="gy-dot" aria-hidden="true">·</span>'
    rest = dot.join([f'<span class="gy-nowrap">{escape(text)}</span>' for text in more if text])
    return Markup(f'{escape(churn.probability(row.churn))} <span class="gy-note">{rest}</span>')


def churn_of_renewal(said):
    """The probability of one renewal in a grid; `said`: portfolio.queries.churn.Said or None."""
    if said is None:
        return Markup('<span class="gy-note">—</span>')
    if said.probability is None:
        why = escape(churn.refused_word(said.refused))
        return Markup(f'<span class="gy-note" title="{why}">{escape(_("not said"))}</span>')
    mark = ""
    if said.is_estimate:
        mark = f' <span class="gy-tag n">{escape(_("estimate"))}</span>'
    title = escape(_("confidence %(grade)s") % {"grade": churn.grade_word(said.grade)})
    return Markup(
        f'<span title="{title}">{escape(churn.probability(said.probability))}{mark}</span>'
        f'<span class="sub">{churn.interval(said.low, said.high)}</span>'
    )


def churn_line(said):
    """The same in one line, for the panel of a renewal: a forecast or `Said`."""
    if said.probability is None:
        why = escape(churn.refused_word(said.refused))
        return Markup(f'<span class="gy-note">{escape(_("not said"))}{_(": ")}{why}</span>')
    text = _("%(probability)s (%(interval)s), confidence %(grade)s") % {
        "probability": churn.probability(said.probability),
        "interval": churn.interval(said.low, said.high),
        "grade": churn.grade_word(said.grade),
    }
    return Markup(escape(text))


def tier_tag(tier):
    if tier is None:
        return Markup(f'<span class="gy-note">{escape(_("none"))}</span>')
    strong = " br" if tier.position == 1 else ""
    return Markup(f'<span class="gy-tag{strong}">{escape(pick(tier))}</span>')


def options(pairs):
    """Options of a select as (value, text): a company has hundreds of people to choose from."""
    return Markup(
        "".join([f'<option value="{key}">{escape(text)}</option>' for key, text in pairs])
    )


def picks(path, pairs):
    """Links that add a person, as (id, name), to an address: hundreds, as with options."""
    start = f'<li><a href="{escape(path)}&amp;owner='
    return Markup("".join([f'{start}{key}">{escape(text)}</a></li>' for key, text in pairs]))
