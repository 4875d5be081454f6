"""`gengyun churn evaluate` on files as offices have them: GBK, semicolons, NA, ¥1,234, wrong names."""

import gzip
import json

import click
import numpy as np
import pytest
from click.testing import CliRunner
from test_churn_file import cells

from gengyun.churn.calc.file_cells import cleaned, number
from gengyun.churn.calc.file_columns import (
    Asked,
    NotReadable,
    check_directions,
    check_names,
    outcome_of,
    read_table,
)
from gengyun.cli.churn_evaluate import evaluate
from gengyun.cli.churn_evaluate_file import read_cells

QUICK = ["--repeats", "1", "--folds", "2"]


def text_of(columns, mark=","):
    rows = zip(*columns.values(), strict=True)
    return "\n".join([mark.join(columns), *(mark.join(row) for row in rows)]) + "\n"


def chinese():
    found = cells()
    return {
        "使用": found["use"],
        "套餐": [{"basic": "基础", "plus": "标准", "pro": "专业"}[one] for one in found["plan"]],
        "流失": [{"Yes": "是", "No": "否"}[one] for one in found["left"]],
    }


def run(path, *asked):
    return CliRunner().invoke(evaluate, [str(path), *asked])


@pytest.mark.parametrize("encoding", ["gbk", "gb18030", "utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_files_of_excel_are_read_in_their_encoding_and_separator(tmp_path, encoding, mark):
    path = tmp_path / "客户.csv"
    path.write_bytes(text_of(chinese(), mark).encode(encoding))
    assert read_cells(path).columns == chinese()


def test_a_gbk_file_is_judged(tmp_path):
    path = tmp_path / "客户.csv.gz"
    path.write_bytes(gzip.compress(text_of(chinese()).encode("gbk")))
    done = run(path, "--outcome", "流失", *QUICK, "--json")
    assert done.exit_code == 0, done.output
    assert "套餐=专业" in json.loads(done.stdout)["columns"]


@pytest.mark.parametrize(
    ("name", "body", "told"),
    [
        ("a.csv", b"PK\x03\x04\x00\x00\x00", "save a workbook as CSV"),
        ("a.csv", b"use,left\n\xff\xff\xff,1\n", "UTF-8, UTF-16 or GB18030"),
        ("a.csv.gz", b"use,left\n1,1\n", "no whole .gz file"),
        ("a.csv.gz", gzip.compress(b"use,left\n" * 99)[:-9], "no whole .gz file"),
        ("a.csv", b"use,use,left\n1,2,1\n", "names of their own: use"),
        ("a.csv", b"use,left\n1\n2,3,4\n", "no row has as many cells"),
        ("a.csv", b"use,left\n\n", "holds no rows"),
    ],
)
def test_what_is_no_table_is_refused_with_its_reason(tmp_path, name, body, told):
    path = tmp_path / name
    path.write_bytes(body)
    with pytest.raises(click.ClickException, match=told):
        read_cells(path)


def test_rows_of_another_length_and_columns_without_anything_are_left_out(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("use,left,,\n1,0,,\n2,1\n,,,\n\n3,1,,\n4,1,,,\n", encoding="utf-8")
    found = read_cells(path)
    assert found.columns == {"use": ["1", "3"], "left": ["0", "1"]}
    assert found.ragged == 2  # empty lines are none


def test_markers_are_unknown_and_numbers_are_read_as_offices_write_them():
    markers = ["NA", "n/a", "NULL", "null", "None", "nan", "-", " - ", ""]
    assert cleaned([*markers, " x ", "0"]) == [*[""] * len(markers), "x", "0"]
    told = {"¥36": 36, "￥1,234.5": 1234.5, "-$2": -2, "1,234": 1234, "36%": 0.36, "3.6万": 36_000,
            "12 元": 12, "1e3": 1000, "RMB 5": 5}  # fmt: skip
    assert {cell: number(cell) for cell in told} == pytest.approx(told)
    assert np.isnan([number(cell) for cell in ("", "3,5", "1,2,3", "12 months", "inf", "¥")]).all()


def test_a_column_of_numbers_with_markers_stays_one_of_numbers():
    columns = cells()
    marks = ("NA", "NULL", "N/A", "-", "null", "None", "nan")
    columns["use"] = [marks[k % 7] if k % 3 == 0 else v for k, v in enumerate(columns["use"])]
    columns["seats"] = [f"¥{int(v) * 1000:,}" for v in columns["seats"]]
    columns["plan"] = ["null" if k % 5 == 0 else v for k, v in enumerate(columns["plan"])]
    table = read_table(columns, Asked("left")).table
    assert table.keys == ("use", "plan=basic", "plan=plus", "plan=pro", "seats", "flag=Yes")
    assert np.isnan(table.x[:, 0]).sum() >= 80
    assert np.isnan(table.x[:, 1]).sum() == 48
    assert set(table.x[:, 4]) == {1000, 2000, 3000}


def test_an_outcome_that_is_not_known_leaves_the_row_out_and_is_counted(tmp_path):
    columns = cells()
    columns["left"] = [("NA", "-")[k % 2] if k < 12 else v for k, v in enumerate(columns["left"])]
    path = tmp_path / "a.csv"
    path.write_text(text_of(columns) + "too,short\n", encoding="utf-8")
    told = json.loads(run(path, "--outcome", "left", *QUICK, "--json").stdout)
    assert (told["rows"], told["unknown_outcomes"], told["ragged_rows"]) == (228, 12, 1)
    shown = run(path, "--outcome", "left", *QUICK).stdout
    assert "their outcome is not known: 12" in shown
    assert "more or fewer cells than the first line: 1" in shown


def test_a_marker_that_was_named_as_lost_is_an_outcome():
    assert outcome_of(["-", "here", "NA"], "-").tolist()[:2] == [1, 0]
    assert np.isnan(outcome_of(["-", "here", "NA"], "-")[2])


def test_rows_without_a_customer_are_customers_of_their_own():
    columns = cells()
    columns["customer_id"] = ["NA" if k % 2 else "7" for k in range(240)]
    found = read_table(columns, Asked("left", entity="customer_id")).table
    assert len(set(found.account)) == 121


@pytest.mark.parametrize("option", ["risk", "safe", "exclude", "keep"])
def test_an_option_that_names_no_column_is_refused_with_the_closest(option):
    with pytest.raises(NotReadable, match=rf"no column Seat \(--{option}\); closest: seats"):
        check_names(cells(), Asked("left", **{option: ("Seat",)}))
    check_names(cells(), Asked("left", **{option: ("seats",)}))


def test_the_outcome_and_the_duration_name_the_closest_too(tmp_path):
    with pytest.raises(NotReadable, match="closest: left"):
        read_table(cells(), Asked("Left"))
    path = tmp_path / "a.csv"
    path.write_text(text_of(cells()), encoding="utf-8")
    done = run(path, "--outcome", "left", "--duration", "seat")
    assert done.exit_code == 1
    assert "no column seat (--duration); closest: seats" in done.stderr


@pytest.mark.parametrize("name", ["plan", "plan=gold", "flag", "flag=No"])
def test_a_direction_of_words_must_name_one_that_is_there(name):
    asked = Asked("left", risk=(name,))
    check_names(cells(), asked)
    with pytest.raises(NotReadable, match=f"there are: {name[:4]}="):
        check_directions(read_table(cells(), asked), cells(), asked)


def test_directions_that_are_there_are_taken():
    asked = Asked("left", risk=("plan=pro", "price"), safe=("use", "flag=Yes"))
    check_names(cells(), asked)
    check_directions(read_table(cells(), asked), cells(), asked)  # price was left out: told


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (["--size", "240"], "--size 240: of the 240 rows"),
        (["--size", "5000"], "ask for fewer"),
        (["--folds", "20", "--entity", "plan"], "only 3 customers"),
        (["--size", "100", "--when", "day", "--after", "2024-08-01"], "--size goes with folds"),
        (["--when", "day", "--before", "2024-08-01"], "--before needs --after"),
        (["--risk", "usage"], "closest: use"),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_is_learned(tmp_path, asked, told):
    path = tmp_path / "a.csv"
    days = {"day": [f"2024-{1 + k // 20:02d}-01" for k in range(240)]}
    path.write_text(text_of(cells() | days), encoding="utf-8")
    done = run(path, "--outcome", "left", *asked)
    assert done.exit_code in (1, 2)
    assert told in done.stderr
    assert not done.stdout
    assert "learned and judged" not in done.stderr


def test_progress_goes_to_the_error_output(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(text_of(cells()), encoding="utf-8")
    done = run(path, "--outcome", "left", *QUICK, "--size", "100", "--json")
    for said in ("100 rows: 0 of 1", "2 folds x 1: 0 of 2", "2 folds x 1: 2 of 2"):
        assert said in done.stderr
    json.loads(done.stdout)
