"""A full sheet of a million rows: read, checked row by row, its bad rows told, nothing refused."""

import csv

import pytest
from deployment import Deployment

pytestmark = pytest.mark.slow
ROWS = 1_000_000
BAD = {7, 500_000, 999_999}


def test_a_million_rows_are_checked_and_the_bad_ones_named(tmp_path):
    with (tmp_path / "customers.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["客户编号", "客户名称", "年费"])
        for n in range(ROWS):
            rows.writerow([f"c{n}", f"上海第{n}科技有限公司", "很多" if n in BAD else "12000"])
    found = Deployment(tmp_path / "data").command(
        "import", "customers", tmp_path / "customers.csv", "--dry-run", "--json"
    )  # fmt: skip
    assert (found["rows"], found["created"], found["error"]) == (ROWS, ROWS - 3, 3)
