"""What the editor of an SOP holds, written as `sop.calc.form` checks it."""

from typing import Any

from django.utils.translation import gettext_noop as _

from gengyun.web.numbers import is_number
from gengyun.web.present import condition_form as conditions
from gengyun.web.present import sop_tree
from gengyun.web.present.condition_form import Fields
from gengyun.web.present.sop_form import BOTH, TEXTS, WAITS, Draft
from gengyun.web.words import is_zh

NO_WHOLE = _("A whole number is needed here.")
NO_SHARE = _("A share between 0 and 90 percent is needed here.")
NO_MONEY = _("This is no amount; write 486000 or 486k.")


def form_of(draft: Draft, fields: Fields) -> tuple[dict[str, Any], dict[str, str]]:
    """(what is kept, {name of a field: msgid of what cannot be read})"""
    return _Writer(draft, fields).form()


class _Writer:
    def __init__(self, draft: Draft, fields: Fields) -> None:
        self.draft, self.fields = draft, fields
        self.errors: dict[str, str] = {}

    def form(self) -> tuple[dict[str, Any], dict[str, str]]:
        draft = self.draft
        first, steps = sop_tree.to_graph(self.block(draft["block"], "block"))
        outcome = draft["outcome"]
        form: dict[str, Any] = {
            "entry": self.entry(),
            "identity": draft["identity"],
            "contact_role": draft["contact_role"],
            "reentry": self.reentry(),
            "exit": self.condition(draft["exit"], "exit"),
            "on_lost": draft["on_lost"],
            "goal": self.condition(draft["goal"], "goal"),
            "not_while_in": draft["not_while_in"],
            "outcome": None,
            "holdout": self.share(),
            "cost_minor": self.money(),
            "steps": steps,
            "first": first,
        }
        if outcome["kind"]:
            form["outcome"] = {
                "kind": outcome["kind"],
                "key": outcome["key"] if outcome["kind"] == "metric" else "",
                "window_days": self.whole("outcome.window_days", outcome["window_days"]),
                "higher_is_better": not outcome["lower"],
            }
        return form, self.errors

    def entry(self) -> dict[str, Any]:
        entry = self.draft["entry"]
        kind = entry["kind"]
        found: dict[str, Any] = {"kind": kind, "when": self.condition(entry["when"], "entry.when")}
        if kind == "event":
            found["event"] = entry["event"]
        if kind == "date":
            found["date"] = self.date(entry, "entry")
        if kind == "snapshot":
            found["every"] = entry["every"] or "once"
        if kind == "condition":
            found["backfill"] = entry["backfill"]
        return found

    def reentry(self) -> dict[str, Any]:
        reentry = self.draft["reentry"]
        if reentry["kind"] != "after":
            return {"kind": reentry["kind"]}
        return {"kind": "after", "days": self.whole("reentry.days", reentry["days"])}

    def condition(
        self, node: conditions.Node, name: str, *, with_steps: bool = False
    ) -> dict[str, Any] | None:
        if not node["parts"]:
            return None
        raw, errors = conditions.to_json(node, self.fields, name=name, with_steps=with_steps)
        self.errors |= errors
        return raw

    def block(self, block: Draft, name: str) -> Draft:
        items = [
            self.item(item, f"{name}.items.{place}") for place, item in enumerate(block["items"])
        ]
        return {"items": items, "end": block["end"]}

    def item(self, item: Draft, name: str) -> Draft:
        step: Draft = {"key": item["key"], "kind": item["kind"], "bmat": ",".join(item["bmat"])}
        step["title"] = self.both(item, "title")
        kind = item["kind"]
        if kind == "message":
            step |= {n: item[n] for n in ("channel", "category", "mode", "to")}
            if item["mode"] == "approve":
                days = self.whole(f"{name}.answer_days", item["answer_days"])
                step |= {"approver": item["approver"], "answer_days": days}
            step["template"] = {
                language: {"subject": item[f"{language}_subject"], "body": item[f"{language}_body"]}
                for language in ("zh", "en")
                if item[f"{language}_subject"] or item[f"{language}_body"]
            }
        elif kind == "wait":
            step |= self.wait(item, name)
        elif kind == "branch":
            step["cases"] = [self.case(case, f"{name}.cases.{n}")
                             for n, case in enumerate(item["cases"])]  # fmt: skip
            step["otherwise"] = self.block(item["otherwise"], f"{name}.otherwise")
        else:
            step |= {n: self.both(item, n) if n in BOTH else item[n] for n in TEXTS[kind]}
            if kind == "set" and item["field"] == "stage" and is_number(item["value"]):
                step["value"] = int(item["value"])
            for number in ("due_working_days", "severity"):
                if number in step:
                    step[number] = self.whole(f"{name}.{number}", step[number])
        return step

    def both(self, item: Draft, name: str) -> Any:
        other = item.get(f"{name}_alt")
        if not other or not item[name]:
            return item[name]
        first, second = ("zh", "en") if is_zh() else ("en", "zh")
        return {first: item[name], second: other}

    def case(self, case: Draft, name: str) -> Draft:
        when = self.condition(case["when"], f"{name}.when", with_steps=True)
        if when is None:
            self.errors[f"{name}.when"] = conditions.NO_VALUE
        return {"when": when or {"all": []}, "block": self.block(case["block"], f"{name}.block")}

    def wait(self, item: Draft, name: str) -> Draft:
        kind = item["wait"]
        if kind == "date":
            days = item["timeout_days"]
            found: Draft = {"date": self.date(item, name)}
            if days:
                found["timeout_days"] = self.whole(f"{name}.timeout_days", days)
            return found | {"late": self.block(item["late"], f"{name}.late")}
        if kind == "until":
            until = self.condition(item["until"], f"{name}.until", with_steps=True)
            if until is None:
                self.errors[f"{name}.until"] = conditions.NO_VALUE
            return {
                "until": until or {"all": []},
                "timeout_days": self.whole(f"{name}.timeout_days", item["timeout_days"]),
                "late": self.block(item["late"], f"{name}.late"),
            }
        kind = kind if kind in WAITS else "days"
        return {kind: self.whole(f"{name}.n", item["n"])}

    def date(self, source: Draft, name: str) -> dict[str, Any]:
        days = self.whole(f"{name}.date_days", source["date_days"]) or 0
        sign = 1 if source["date_side"] == "after" else -1
        return {"field": source["date_field"], "offset_days": sign * days}

    def whole(self, name: str, typed: str) -> int | None:
        if is_number(typed):
            return int(typed)
        self.errors[name] = NO_WHOLE
        return None

    def share(self) -> float:
        typed = self.draft["holdout"].removesuffix("%").strip() or "0"
        try:
            share = float(typed)
        except ValueError:
            share = -1.0
        if not 0 <= share <= 90:
            self.errors["holdout"] = NO_SHARE
            return 0.0
        return round(share / 100, 6)

    def money(self) -> int | None:
        typed = self.draft["cost"].replace(",", "").replace("，", "")
        if not typed:
            return None
        try:
            amount = float(typed)
        except ValueError:
            amount = -1.0
        if not 0 <= amount < 1e10:
            self.errors["cost"] = NO_MONEY
            return None
        return round(amount * 100)
