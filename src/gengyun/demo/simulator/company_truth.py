"""The truth of a simulated company as one table: never among the files that an import reads."""

import numpy as np
import pyarrow as pa

from gengyun.demo.simulator.company import Company
from gengyun.demo.simulator.config import TIERS
from gengyun.demo.world.names import INDUSTRIES

SCHEMA = pa.schema(
    [
        ("what", pa.string()),  # renewal, shock, account, calendar, outage, collapse
        ("customer", pa.string()),
        ("nth", pa.int64()),
        ("kind", pa.string()),
        ("on", pa.date32()),
        ("until", pa.date32()),
        ("p_true", pa.float64()),  # of not renewing, with the playbook
        ("outcome", pa.int64()),  # 1 lost
        ("effect", pa.float64()),  # renewal: off the logit by the playbook; shock: on engagement
        ("risk", pa.float64()),
        ("value", pa.float64()),  # account: fit; calendar: share of an ordinary working day
    ]
)


def truth_table(company: Company) -> pa.Table:
    from gengyun.demo.simulator.company_files import external_id

    truth, rows = company.truth, []

    def day(index: int):
        return company.day(np.int64(index)).astype(object)

    for due in company.deals.dues:
        key = due.account, due.nth
        rows.append(
            {"what": "renewal", "customer": external_id(due.account), "nth": due.nth,
             "kind": "exit" if key not in truth.not_renewing else "due", "on": due.due_on,
             "until": due.decided_on, "p_true": truth.not_renewing.get(key),
             "outcome": int(due.outcome_minor == 0), "effect": truth.playbook.get(key)}
        )  # fmt: skip
    rows += [
        {"what": "shock", "customer": external_id(one.account), "kind": one.kind,
         "on": day(one.day), "until": None if one.shows_from is None else day(one.shows_from),
         "effect": one.use, "risk": one.risk}
        for one in truth.shocks
    ]  # fmt: skip
    rows += [
        {"what": "account", "customer": external_id(k), "kind": TIERS[int(company.tier[k])],
         "value": float(truth.fit[k]), "outcome": int(truth.is_missold[k])}
        for k in range(len(company.tier))
    ]  # fmt: skip
    seasons = list(dict.fromkeys(one.season for one in INDUSTRIES))
    rows += [
        {"what": "calendar", "kind": season, "on": day(k), "value": float(truth.calendar[n, k])}
        for n, season in enumerate(seasons)
        for k in range(company.days)
    ]
    rows += [
        {"what": "outage", "on": day(first), "until": day(first + count - 1)}
        for first, count in truth.outages
        if first + count <= company.days
    ]
    rows += [
        {"what": "collapse", "customer": external_id(account), "nth": nth, "on": day(first)}
        for (account, nth), first in truth.collapsed.items()
    ]
    return pa.Table.from_pylist(rows, schema=SCHEMA)
