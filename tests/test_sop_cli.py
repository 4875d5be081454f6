"""`gengyun sop`: the same answers as the pages, for people at a terminal and for programs."""

import json

import pytest
from click.testing import CliRunner
from test_sop_engine import JOURNEY, make_scored, make_sop

from gengyun.cli.sop import command
from gengyun.customers.models import Customer
from gengyun.sop.models import Run

pytestmark = pytest.mark.django_db


def call(*args):
    found = CliRunner().invoke(command, args, catch_exceptions=False)
    return found.exit_code, found.output


def test_an_sop_is_tried_carried_out_listed_logged_and_explained():
    make_sop(JOURNEY)
    customer, well = make_scored(), make_scored(80.0)
    Customer.objects.filter(pk=well.pk).update(external_id="well")
    code, out = call("dry-run", "rescue", "--json")
    assert (code, json.loads(out)["counts"]) == (0, {"enter": 1})
    assert "1 of 2 customers" in call("dry-run", "rescue")[1]
    code, out = call("run", "--json")
    assert (code, json.loads(out)["entry"]["treat"]) == (0, 1)
    assert Run.objects.get().customer == customer
    assert json.loads(call("list", "--json")[1])["under_way"] == 1
    assert json.loads(call("log", "rescue", "--json")[1])["step"] == "call"
    told = json.loads(call("why", "rescue", "well", "--json")[1])
    assert (told["outcome"], told["leaves"][0]["holds"], told["leaves"][0]["value"]) == (
        "not_fitting", False, 80.0
    )  # fmt: skip
    assert "under way" in call()[1]
    assert "no" in call("why", "rescue", "well")[1]


@pytest.mark.parametrize(
    "args", [("why", "rescue", "nobody"), ("log", "gone"), ("run", "--as-of", "2126-01-01")]
)
def test_what_is_not_there_is_said(args):
    make_sop(JOURNEY)
    code, out = call(*args)
    assert code == 2
    assert "Error" in out
