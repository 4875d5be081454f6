"""Groups of companies: amounts per currency, weighted health, the worst, no circles, one's own book."""

import pytest
from factories import NOW, People, make_customer, make_tiers
from hypothesis import given
from hypothesis import strategies as st

from gengyun.customers.actions import customers, fields
from gengyun.portfolio.actions.summaries import refresh_summaries
from gengyun.portfolio.calc.groups import RollUp, Share, roll_up
from gengyun.portfolio.models import CustomerSummary
from gengyun.portfolio.queries.groups import group_of


def _share(pk, arr=100, score=70.0, band="B", currency="CNY"):
    return Share(pk, arr, currency, score, band)


def test_amounts_add_up_per_currency_and_unknown_is_not_zero():
    found = roll_up([_share(1, 100), _share(2, None), _share(3, 7, currency="USD"), _share(4, 5)])
    assert found.amounts == {"CNY": 105, "USD": 7}
    assert found.unknown_count == 1
    assert found.score is None  # amounts that cannot be added cannot weigh


def test_health_is_weighted_by_amount_and_the_worst_is_named():
    shares = [_share(1, 300, 80.0, "A"), _share(2, 100, 40.0, "D"), _share(3, None, 10.0, "D")]
    found = roll_up(shares)
    assert found.score == pytest.approx(70.0)
    assert (found.scored_count, found.worst) == (2, 3)
    assert roll_up([_share(1, 100, None, "N")]) == RollUp({"CNY": 100})
    assert roll_up([]) == RollUp()


@given(
    st.lists(
        st.tuples(st.integers(1, 10**9), st.floats(0, 100, allow_nan=False)), min_size=1, max_size=9
    )
)
def test_weighted_health_lies_between_its_members(pairs):
    shares = [_share(n, arr, score) for n, (arr, score) in enumerate(pairs)]
    scores = [score for _, score in pairs]
    assert min(scores) - 1e-6 <= roll_up(shares).score <= max(scores) + 1e-6


@pytest.fixture
def people(db):
    make_tiers()
    return People()


def _tree(people):
    top = make_customer("集团", owner=people.owner, arr_minor=100)
    left = make_customer("甲", owner=people.owner, parent=top, arr_minor=50)
    right = make_customer("乙", owner=people.owner, parent=top, arr_minor=70)
    below = make_customer("丙", owner=people.owner, parent=left)
    other = make_customer("丁", owner=people.colleague, parent=left, arr_minor=9)
    refresh_summaries(now=NOW)
    CustomerSummary.objects.filter(pk=below.pk).update(score=30, band="D")
    CustomerSummary.objects.filter(pk=top.pk).update(score=90, band="A")
    return top, left, right, below, other


def test_group_is_the_same_tree_from_every_member(people):
    top, left, right, below, other = _tree(people)
    for one in (top, left, below):
        one.refresh_from_db()
        found = group_of(people.leader, one)
        assert [(m.row.pk, m.depth) for m in found.members] == [
            (top.pk, 0),
            (right.pk, 1),
            (left.pk, 1),
            (other.pk, 2),
            (below.pk, 2),
        ]
        assert [m.row.pk for m in found.members if m.is_self] == [one.pk]
    assert found.total.amounts == {"CNY": 229}
    assert (found.hidden_count, found.worst.pk) == (0, below.pk)
    assert found.total.score == pytest.approx(90)  # of the one that has both


def test_what_is_in_another_book_is_counted_but_in_no_figure(people):
    top, *_ = _tree(people)
    found = group_of(people.owner, top)
    assert (len(found.members), found.hidden_count) == (4, 1)
    assert found.total.amounts == {"CNY": 220}
    assert "丁" not in {m.row.name for m in found.members}
    assert group_of(people.owner, make_customer("独立")) is None


def test_archived_company_is_in_no_figure(people):
    top, left, *_ = _tree(people)
    customers.archive_customer(actor=people.admin, now=NOW, customer=left)
    refresh_summaries(now=NOW)
    found = group_of(people.leader, top)
    assert left.pk not in {m.row.pk for m in found.members}
    assert found.hidden_count == 0
    assert len(found.members) == 4  # those below it stay in the group


def test_circle_is_refused(people):
    top, left, _, below, _ = _tree(people)
    with pytest.raises(fields.ParentInsideItself):
        customers.edit_customer(
            actor=people.admin, now=NOW, customer=top, changes={"parent": below}
        )
    with pytest.raises(fields.ParentInsideItself):
        customers.edit_customer(
            actor=people.admin, now=NOW, customer=left, changes={"parent": left}
        )
