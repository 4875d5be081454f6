"""A small import, so that the page of imports has something to show: four rows good, one not."""

import csv
import tempfile
from datetime import datetime
from pathlib import Path

from gengyun.customers.actions.importing import check_import, prepare_import, run_import
from gengyun.customers.models import Customer
from gengyun.team.models import User

FILE_NAME = "展会新名片.csv"
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
