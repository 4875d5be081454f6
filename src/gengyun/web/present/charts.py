"""Data of the charts, as the browser draws them. Pure."""

from datetime import date, timedelta

from gengyun.web.present import format as plain
from gengyun.web.present.restdays import rest_days


def usage(line, start, end, *, today, zh):
    """Daily active people; rest days shaded and taken out of the comparison."""
    known = dict(line)
    rest = rest_days(start, end, zh=zh)
    days = [start + timedelta(days=n) for n in range((end - start).days)]
    values = [known.get(day) for day in days]
    worked = [v for v, r in zip(values, rest.rest, strict=True) if not r and v is not None]
    return {
        "labels": [plain.day(day, today=today, zh=zh) for day in days],
        "values": values,
        "rest": rest.rest,
        "holidays": [
            {"name": name, "from": (first - start).days, "to": (last - start).days}
            for name, first, last in rest.holidays
        ],
        "note": _rest_note(rest, today=today, zh=zh),
        "end": _end_note(worked, zh=zh),
        "finding": _finding(worked, zh=zh),
    }


def _end_note(worked, zh):
    if not worked:
        return ""
    return f"工作日 {worked[-1]} 人" if zh else f"workday {worked[-1]}"


def _finding(worked, zh):
    """The chart in a sentence: the first quarter's workdays against the last quarter's."""
    if len(worked) < 8:
        return "数据太少，看不出变化" if zh else "too little data to see a change"
    part = len(worked) // 4
    first, last = sum(worked[:part]) / part, sum(worked[-part:]) / part
    return (
        f"工作日日活跃从约 {first:.0f} 人到约 {last:.0f} 人"
        if zh
        else f"daily active users on workdays: from about {first:.0f} to about {last:.0f}"
    )


def _rest_note(rest, *, today, zh):
    def shown(day):
        return plain.day(day, today=today, zh=zh)

    parts = []
    if rest.holidays:
        spans = [
            f"{name} {shown(first)}"
            + ("" if first == last else f"{' 至 ' if zh else '–'}{shown(last)}")
            for name, first, last in rest.holidays
        ]
        parts.append(("、" if zh else ", ").join(spans) + (" 休息" if zh else " off"))
    if rest.worked_weekends:
        days = ("、" if zh else ", ").join(shown(day) for day in rest.worked_weekends)
        parts.append(f"{days} 调休上班" if zh else f"{days} worked in exchange")
    if not rest.is_complete:
        parts.append(
            "部分日子的法定节假日历尚未公布，只按周末处理"
            if zh
            else "no statutory calendar for some days: weekends only"
        )
    return ("；" if zh else "; ").join(parts) + (("。" if zh else ".") if parts else "")


def score(row, versions, *, today, zh):
    """26 weekly scores with the bands of the scorecard and marks where its rules changed."""
    if row is None:
        return {"labels": [], "values": [], "marks": [], "bands": [], "finding": ""}
    points = [(date.fromisoformat(day), value) for day, value in row.history]
    bands = row.version.config.get("bands") or {"A": 80, "B": 65, "C": 50}
    first = points[0][0] if points else row.as_of
    names = {v.pk: v for v in versions}
    marks = [
        {
            "at": _nearest(points, date.fromisoformat(day)),
            "name": _mark_name(names.get(pk), row, zh=zh),
        }
        for day, pk in row.marks
        if date.fromisoformat(day) > first
    ]
    known = [value for _, value in points if value is not None]
    finding = ""
    if known:
        a, b, n = int(known[0]), int(known[-1]), len(points)
        finding = (
            f"近 {n} 周健康分，从 {a} 到 {b}" if zh else f"health over {n} weeks, from {a} to {b}"
        )
    return {
        "labels": [plain.day(day, today=today, zh=zh) for day, _ in points],
        "values": [None if value is None else round(value, 2) for _, value in points],
        "marks": marks,
        "bands": [bands["A"], bands["B"], bands["C"]],
        "band": row.band.lower(),
        "finding": finding,
    }


def _mark_name(version, row, *, zh):
    """v4, or the name of the card where another card began to judge."""
    if version is None:
        return "?"
    if version.scorecard_id == row.version.scorecard_id:
        return f"v{version.number}"
    card = version.scorecard
    return f"{card.name_zh if zh else card.name_en} v{version.number}"


def _nearest(points, day):
    return min(range(len(points)), key=lambda n: abs((points[n][0] - day).days), default=0)


def bands(weeks, versions, *, today, zh):
    """Customers by band as shares of each week, with marks where other rules began to judge."""
    points = [(week.day, None) for week in weeks]
    shares = {
        letter: [
            round(100 * week.counts[place] / sum(week.counts), 1) if sum(week.counts) else 0
            for week in weeks
        ]
        for place, letter in enumerate("abcdn")
    }
    finding = ""
    if weeks:
        first, last = (round(shares["c"][n] + shares["d"][n]) for n in (0, -1))
        finding = (
            f"近 {len(weeks)} 周，关注和风险的客户从 {first}% 到 {last}%"
            if zh
            else f"over {len(weeks)} weeks, customers in C and D from {first}% to {last}%"
        )
    return {
        "labels": [plain.day(week.day, today=today, zh=zh) for week in weeks],
        "values": [sum(week.counts) for week in weeks],
        "counts": {letter: [w.counts[n] for w in weeks] for n, letter in enumerate("abcdn")},
        "shares": shares,
        "marks": _marks(points, versions),
        "finding": finding,
        "note": _marks_note(versions, today=today, zh=zh),
    }


def _marks(points, versions):
    """One mark a week, also where several scorecards changed in it."""
    names = {}
    for version in versions:
        at = _nearest(points, version.effective_from)
        names.setdefault(at, {})[version.scorecard_id] = f"v{version.number}"
    return [{"at": at, "name": " ".join(found.values())} for at, found in names.items()]


def _marks_note(versions, *, today, zh):
    """The marks in words: which scorecard, since when."""
    told = [
        f"{plain.day(v.effective_from, today=today, zh=zh)} "
        f"{v.scorecard.name_zh if zh else v.scorecard.name_en} v{v.number}"
        for v in versions
    ]
    if not told:
        return ""
    return ("虚线：" if zh else "Dashed: ") + ("、" if zh else ", ").join(told)
