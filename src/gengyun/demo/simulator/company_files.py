"""A simulated company as files: those that `gengyun import` reads, those it cannot read yet, and
the truth in a folder of its own."""

import csv
import json
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from gengyun.demo.simulator.company import Columns, Company
from gengyun.demo.simulator.company_config import as_mapping
from gengyun.demo.simulator.company_events import event_batches
from gengyun.demo.simulator.company_truth import truth_table
from gengyun.demo.world.names import CITIES, INDUSTRIES, company_names, person_names
from gengyun.demo.world.product import DEEDS, EDITION_MODULES, EDITIONS, MODULES

ZONE = ZoneInfo("Asia/Shanghai")
NAMES_STREAM = 46
PRODUCT, MONTHLY = "禾舟协同", "禾舟月付"
# what the import cannot read yet; the columns are the simulator's own
OTHERS = (
    "facts", "nps", "tickets", "promises", "milestones", "sentiments", "trainings", "playbooks",
)  # fmt: skip
TICKET_TEXTS = (
    "{m}导出的数据少了几行", "{m}打开很慢，要等半分钟", "新同事看不到{m}", "{m}的权限怎么按部门配",
    "手机上提交不了{m}", "{m}昨天的数据没有更新", "想在{m}里加一个字段", "{m}报错，截图见附件",
)  # fmt: skip
SEVERE_TEXTS = ("全员登录不了", "{m}整个上午不可用", "{m}的数据被覆盖，要求恢复")
TOUCH_TEXTS = {
    "": "约了{c}，对方说最近不方便。",
    "not": "和{c}说了{m}的问题，还没有解决，对方不太满意。",
    "partly": "和{c}过了一遍{m}的使用情况，一半解决，下次继续。",
    "solved": "和{c}对了{m}的进展，问题都关掉了。",
    "no_reply": "给{c}发了{m}的材料，没有回复。",
}  # fmt: skip


def external_id(account: int) -> str:
    return f"sim-{account + 1:05d}"


def write_company(
    company: Company, folder: Path, *, events: str = "parquet", events_from: int = 0
) -> dict[str, int]:
    """Writes everything; returns rows by file. `events`: parquet, csv or none; `events_from`: the
    first day, as a place, whose events are written."""
    folder.mkdir(parents=True, exist_ok=True)
    people = _names(company)
    counts: dict[str, int] = {}

    def put(name: str, header: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> None:
        counts[f"{name}.csv"] = _csv(folder / f"{name}.csv", header, rows)

    put("customers", CUSTOMERS, _customers(company, people))
    put("contacts", CONTACTS, _contacts(company, people))
    put("contracts", CONTRACTS, _contracts(company))
    put("invoices", INVOICES, _invoices(company))
    put("payments", PAYMENTS, _payments(company))
    put("opportunities", OPPORTUNITIES, _opportunities(company))
    put("activities", ACTIVITIES, _activities(company, people))
    for name in OTHERS:
        columns = _worded(company, name)
        put(name, tuple(columns), _rows(columns))
    if events != "none":
        name = f"events.{events}"
        counts[name] = _events(company, folder / name, first=events_from)
    truth = truth_table(company)
    (folder / "truth").mkdir(exist_ok=True)
    pq.write_table(truth, folder / "truth" / "truth.parquet")
    counts["truth/truth.parquet"] = truth.num_rows
    config = {"seed": company.seed} | as_mapping(company.config)
    (folder / "simulation.json").write_text(json.dumps(config, ensure_ascii=False, indent=1) + "\n")
    return counts


def _csv(path: Path, header: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> int:
    count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(header)
        for row in rows:
            out.writerow(["" if _is_unknown(cell) else cell for cell in row])
            count += 1
    return count


def _is_unknown(cell: object) -> bool:
    return cell is None or (isinstance(cell, np.datetime64) and bool(np.isnat(cell)))


def _rows(columns: Columns) -> Iterator[tuple[Any, ...]]:
    return zip(*columns.values(), strict=True)


# ---- files that the import reads

CUSTOMERS = ("客户编号", "客户名称", "行业", "城市", "母公司", "开始日期", "版本")
CONTACTS = ("客户编号", "姓名", "角色", "邮箱", "产品账号", "离职日期")
CONTRACTS = (
    "客户编号", "合同编号", "产品", "行类型", "席位数", "开始日期", "到期日", "签约日期", "年费",
    "折扣", "自动续约", "上期合同", "是否终止", "断约原因", "行编号",
)  # fmt: skip
INVOICES = ("客户编号", "发票号码", "合同编号", "开票日期", "到期日", "价税合计", "争议日期")
PAYMENTS = ("客户编号", "流水号", "发票号码", "回款日期", "回款金额")
OPPORTUNITIES = ("客户编号", "商机编号", "名称", "阶段", "金额", "创建日期", "成交日期")
ACTIVITIES = ("客户编号", "时间", "类型", "联系人", "结果", "内容")
PART_WORDS = {"decider": "决策人", "champion": "拥护者", "user": "使用者"}
KIND_WORDS = {"call": "电话", "meeting": "会议", "wecom": "企微", "email": "邮件", "visit": "拜访"}
OUTCOME_WORDS = {"not": "未解决", "partly": "部分解决", "solved": "已解决", "": ""}


def _names(company: Company) -> dict[str, list[str]]:
    rng = np.random.default_rng([company.seed, NAMES_STREAM])
    count = len(company.tier)
    seasons = list(dict.fromkeys(one.season for one in INDUSTRIES))
    industries = [
        [one for one in INDUSTRIES if seasons.index(one.season) == season][
            int(rng.integers(sum(seasons.index(one.season) == season for one in INDUSTRIES)))
        ]
        for season in company.season.tolist()
    ]
    cities = [CITIES[k][0] for k in rng.integers(len(CITIES), size=count)]
    made: list[str] = []
    while len(made) < count:  # there are fewer brands than customers of a large world
        part = slice(len(made), len(made) + 1_000)
        branch = "" if not made else f"（{len(made) // 1_000 + 1}）"
        fresh = company_names(rng, industries[part], cities[part])
        made += [name + branch for name in fresh]
    return {
        "customer": made,
        "industry": [one.name for one in industries],
        "city": cities,
        "contact": person_names(rng, len(company.tables["contacts"]["account"])),
    }


def _customers(company: Company, people: dict[str, list[str]]) -> Iterator[tuple[Any, ...]]:
    parents = company.tables["parents"]
    parent = dict(zip(parents["account"].tolist(), parents["parent"].tolist(), strict=True))
    contracts = company.tables["contracts"]
    firsts, at = np.unique(contracts["account"], return_index=True)
    began = (contracts["starts"][at] - 365 * contracts["nth"][at]).astype("M8[D]")
    for account, starts in zip(firsts.tolist(), began, strict=True):
        edition = max(
            (one for one in EDITIONS if _bits(one) == company.bought[account]), key=len, default=""
        )
        over = external_id(parent[account]) if parent.get(account) in set(firsts.tolist()) else ""
        yield (
            external_id(account), people["customer"][account], people["industry"][account],
            people["city"][account], over, starts, edition,
        )  # fmt: skip


def _bits(edition: str) -> int:
    return sum(1 << MODULES.index(name) for name in EDITION_MODULES[edition])


def _contacts(company: Company, people: dict[str, list[str]]) -> Iterator[tuple[Any, ...]]:
    from gengyun.demo.simulator.company_people import KEY_PARTS, SUCCESSOR

    table, seen = company.tables["contacts"], {}
    for k, (account, part, _came, left, _known) in enumerate(_rows(table)):
        n = seen[account, part] = seen.get((account, part), -1) + 1
        place = KEY_PARTS.get(str(part))
        user = "" if place is None else f"{external_id(account)}-{place + n * SUCCESSOR}"
        email = f"{part}{n + 1}@{external_id(account)}.example"
        yield (external_id(account), people["contact"][k], PART_WORDS[part], email, user, left)


def _contracts(company: Company) -> Iterator[tuple[Any, ...]]:
    contracts, outcomes = company.tables["contracts"], company.tables["outcomes"]
    lost = {
        (account, nth): str(cause)
        for account, nth, minor, cause in zip(
            outcomes["account"].tolist(), outcomes["nth"].tolist(),
            outcomes["outcome_minor"].tolist(), outcomes["cause"], strict=True,
        )
        if minor == 0
    }  # fmt: skip
    ends = {}
    left = {
        (a, n): on
        for a, n, kind, on in zip(
            *(company.tables["changes"][name] for name in ("account", "nth", "kind", "happened")),
            strict=True,
        )
        if kind == "exit"
    }
    for row in _rows(contracts):
        account, nth, how, signed, starts, last, _months, seats, minor, discount, _known = row
        is_lost = (account, nth) in lost
        last = min(last, left.get((account, nth), last))
        ends[account, nth] = last
        yield (
            external_id(account), _number(account, nth), PRODUCT, "订阅", seats, starts, last,
            signed, minor / 100, f"{discount:.4f}", "否",
            _number(account, nth - 1) if how == "renew" else "", "是" if is_lost else "",
            lost.get((account, nth), ""), f"{_number(account, nth)}-1",
        )  # fmt: skip
    changes = company.tables["changes"]
    for k, (account, nth, kind, on, _known, seats, minor) in enumerate(_rows(changes)):
        if kind == "add_on":
            yield (
                external_id(account), _number(account, nth), PRODUCT, "订阅", seats, on,
                ends[account, nth], "", minor / 100, "", "", "",
                "是" if (account, nth) in lost else "", lost.get((account, nth), ""),
                f"{_number(account, nth)}-A{k}",
            )  # fmt: skip
    for account, starts, minor, ended, _known in _rows(company.tables["monthly"]):
        is_over = not np.isnat(ended)
        yield (
            external_id(account), f"SIM-M-{account + 1:05d}", MONTHLY, "订阅", "", starts, ended,
            starts, minor * 12 / 100, "", "是", "", "是" if is_over else "", "", "",
        )  # fmt: skip


def _number(account: int, nth: int) -> str:
    return f"SIM-{account + 1:05d}-{nth + 1}"


def _invoice(account: int, nth: int, part: int) -> str:
    return f"{_number(account, nth)}-I{part + 1}"


def _invoices(company: Company) -> Iterator[tuple[Any, ...]]:
    for row in _rows(company.tables["invoices"]):
        account, nth, part, issued, due, minor, _paid, disputed, _known = row
        yield (
            external_id(account), _invoice(account, nth, part), _number(account, nth), issued, due,
            minor / 100, disputed,
        )  # fmt: skip


def _payments(company: Company) -> Iterator[tuple[Any, ...]]:
    for row in _rows(company.tables["invoices"]):
        account, nth, part, _issued, _due, minor, paid, _disputed, _known = row
        if not np.isnat(paid):
            number = _invoice(account, nth, part)
            yield (external_id(account), f"P-{number}", number, paid, minor / 100)


def _opportunities(company: Company) -> Iterator[tuple[Any, ...]]:
    for k, row in enumerate(_rows(company.tables["changes"])):
        account, _nth, kind, on, _known, _seats, minor = row
        if kind == "add_on":
            name = "增加席位"
            yield (external_id(account), f"O-{k}", name, "赢单", minor / 100, on - 40, on)


def _activities(company: Company, people: dict[str, list[str]]) -> Iterator[tuple[Any, ...]]:
    """Talks with customers: who declined and who did not answer stands in the text."""
    contacts = company.tables["contacts"]
    of: dict[tuple[int, str], list[int]] = {}
    for k, (account, part) in enumerate(zip(contacts["account"], contacts["part"], strict=True)):
        of.setdefault((int(account), str(part)), []).append(k)
    for k, row in enumerate(_rows(company.tables["touches"])):
        account, on, _known, kind, part, refused, silent, outcome, draw = row
        mine = [
            at
            for at in of.get((int(account), str(part)), [])
            if contacts["came"][at] <= on
            and (np.isnat(contacts["left"][at]) or contacts["left"][at] > on)
        ]
        name = people["contact"][mine[-1]] if mine else ""
        told = "" if refused else ("no_reply" if silent else str(outcome))
        text = TOUCH_TEXTS[told].format(c=name or "对方", m=MODULES[draw % len(MODULES)])
        at = datetime.combine(on.astype(object), datetime.min.time()) + timedelta(
            hours=9, minutes=int(draw % 480)
        )
        result = "" if refused or silent else OUTCOME_WORDS[str(outcome)]
        yield (external_id(account), f"{at:%Y-%m-%d %H:%M}", KIND_WORDS[str(kind)], name, result,
               f"{text}（{k + 1}）")  # fmt: skip


# ---- files that it does not


def _worded(company: Company, name: str) -> dict[str, Any]:
    columns = dict(company.tables[name])
    if name == "tickets":
        draws, severe = columns.pop("text"), columns["severe"]
        columns["text"] = np.array(
            [
                (SEVERE_TEXTS if is_severe else TICKET_TEXTS)[
                    draw % (len(SEVERE_TEXTS) if is_severe else len(TICKET_TEXTS))
                ].format(m=MODULES[draw // 64 % len(MODULES)])
                for draw, is_severe in zip(draws.tolist(), severe.tolist(), strict=True)
            ]
        )
    ids = np.array([external_id(one) for one in columns.pop("account").tolist()])
    return {"customer": ids, **columns}


EVENTS = pa.schema(
    [
        ("time", pa.timestamp("ms", tz="UTC")),
        ("customer", pa.string()),
        ("user", pa.string()),
        ("event", pa.string()),
        ("message", pa.string()),
        ("module", pa.string()),
    ]
)


def _events(company: Company, path: Path, *, first: int) -> int:
    """Every event of every user, customer by customer; with what is wrong with the data."""
    count = 0
    deeds = pa.array([deed.event for deed in DEEDS])
    modules = pa.array([deed.module for deed in DEEDS])
    as_csv = path.suffix == ".csv"
    header = ",".join(EVENTS.names) + "\n"
    with path.open("wb") if as_csv else pq.ParquetWriter(path, EVENTS) as out:
        if as_csv:
            out.write(header.encode())
        for batch in event_batches(company, first=first, zone=ZONE):
            table = pa.table(
                [
                    pa.array(batch.at, pa.timestamp("ms", tz="UTC")),
                    pa.array(batch.customers),
                    pa.array(batch.users),
                    deeds.take(pa.array(batch.deed)),
                    pa.array(batch.messages),
                    modules.take(pa.array(batch.deed)),
                ],
                schema=EVENTS,
            )
            if as_csv:
                _csv_events(out, table)
            else:
                out.write_table(table)
            count += table.num_rows
    return count


def _csv_events(out: Any, table: pa.Table) -> None:
    import pyarrow.csv as pc

    pc.write_csv(table, out, pc.WriteOptions(include_header=False))
