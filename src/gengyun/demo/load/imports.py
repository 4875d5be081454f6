"""Small imports, so that the page of imports has something to show; one row of each is refused."""

import csv
import tempfile
from datetime import datetime
from pathlib import Path

from gengyun.customers.actions.importing import check_import, prepare_import, run_import
from gengyun.customers.models import Customer
from gengyun.revenue.calc.import_cells import major
from gengyun.revenue.models import Line
from gengyun.team.models import User

FILE_NAME = "展会新名片.csv"
LEDGER_NAME = "合同台账核对.csv"
LEDGER_HEADER = (
    "客户编号", "合同编号", "产品", "版本", "行类型", "席位数", "开始日期", "到期日", "合同金额",
    "币种",
)  # fmt: skip
HEADER = ("客户", "姓名", "职务", "邮箱")
CARDS = (
    ("沈若琳", "数据分析师"),
    ("陆景明", "流程专员"),
    ("江一帆", "信息部经理"),
    ("白雨桐", "运营主管"),
)


def load_import(customers: list[Customer], *, actor: User, now: datetime) -> None:
    """Business cards from a fair, imported through the same door as a person would."""
    rows = [
        (customer.name, name, title, f"card{n}@{customer.external_id}.example")
        for n, (customer, (name, title)) in enumerate(zip(customers, CARDS, strict=False), start=1)
    ]
    rows.append(("名片看不清的一家公司", "查无此人", "经理", ""))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / FILE_NAME
        with path.open("w", encoding="gb18030", newline="") as file:
            csv.writer(file).writerows([HEADER, *rows])
        run = prepare_import(actor=actor, now=now, kind="contacts", file_name=FILE_NAME, path=path)
    run = check_import(actor=actor, now=now, run=run)
    run_import(actor=actor, now=now, run=run)


def load_ledger_import(*, actor: User, now: datetime, count: int = 24) -> None:
    """The list of contracts that finance keeps, held against the ledger: nothing new in it, and one
    row with its days the wrong way round. Every row shows its ARR and the rule."""
    lines = Line.objects.filter(voided_at__isnull=True, ends_on__isnull=False, kind="subscription")
    found = lines.select_related("customer", "contract", "product", "edition")
    rows = [_ledger_row(line) for line in found.order_by("-arr_minor", "pk")[:count]]
    if not rows:
        return
    wrong = list(rows[-1])
    wrong[1], wrong[6], wrong[7] = f"{wrong[1]}-补", wrong[7], wrong[6]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / LEDGER_NAME
        with path.open("w", encoding="gb18030", newline="") as file:
            csv.writer(file).writerows([LEDGER_HEADER, *rows, wrong])
        run = prepare_import(
            actor=actor, now=now, kind="contracts", file_name=LEDGER_NAME, path=path
        )
    run = check_import(actor=actor, now=now, run=run)
    if not run.outcome["created"] + run.outcome["changed"]:
        run_import(actor=actor, now=now, run=run)


def _ledger_row(line: Line) -> list[str]:
    return [
        line.customer.external_id,
        line.contract.number,
        line.product.key,
        line.edition.key if line.edition else "",
        line.kind,
        "" if line.seats is None else str(line.seats),
        line.starts_on.isoformat(),
        line.ends_on.isoformat() if line.ends_on else "",
        major(line.amount_minor, line.currency),
        line.currency,
    ]
