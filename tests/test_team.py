"""Users and teams: who may come in, what is refused, what the audit log says."""

from datetime import timedelta

import pytest
from django.contrib.auth import authenticate
from django.db import IntegrityError, transaction
from django.test import RequestFactory
from factories import NOW, People, make_team, make_user

from gengyun.kernel.errors import NotAllowed, NotFound
from gengyun.team.actions import teams, users
from gengyun.team.models import AuditEntry, Team, User
from gengyun.team.queries import audit, people
from gengyun.team.queries.access import can, team_ids_below

pytestmark = pytest.mark.django_db
PASSWORD = "tall green field 7"


@pytest.fixture(autouse=True)
def quick_hashing(settings):
    """Hashing is slow on purpose; here it is only in the way."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def cast():
    return People()


def state():
    return [list(model.objects.order_by("pk").values()) for model in (User, Team, AuditEntry)]


def new(actor, **values):
    given = {"email": "zhou@example.cn", "name": "周敏", "role": "csm", "password": PASSWORD}
    return users.create_user(actor=actor, now=NOW, **(given | values))


def login(email, password=PASSWORD):
    request = RequestFactory().post("/login/")
    return authenticate(request, username=email, password=password)


def test_new_user_can_log_in_however_the_address_is_written(cast):
    user = new(cast.admin, email=" Zhou@Example.CN ")
    assert user.email == "zhou@example.cn"
    for written in ("zhou@example.cn", "ZHOU@EXAMPLE.CN"):
        assert login(written) == user
    assert login("zhou@example.cn", "wrong") is None
    entry = AuditEntry.objects.get()
    assert entry.changes == {"email": [None, "zhou@example.cn"], "role": [None, "csm"]}
    assert PASSWORD not in str(entry.changes)


@pytest.mark.parametrize(
    "values, refusal",
    [
        ({"email": "nobody"}, users.EmailInvalid),
        ({"email": "Taken@Example.CN"}, users.EmailTaken),
        ({"name": "  "}, users.NameMissing),
        ({"role": "king"}, users.RoleUnknown),
        ({"password": "short"}, users.PasswordTooWeak),
        ({"password": "password123"}, users.PasswordTooWeak),
        ({"password": "zhou@example.cn"}, users.PasswordTooWeak),
        ({"language": "fr"}, users.PreferenceUnknown),
    ],
)
def test_new_user_is_refused_and_nothing_written(cast, values, refusal):
    make_user(email="taken@example.cn")
    before = state()
    with pytest.raises(refusal):
        new(cast.admin, **values)
    assert state() == before


def test_database_itself_refuses_the_same_address_in_other_letters(cast):
    make_user(email="a@example.cn")
    with pytest.raises(IntegrityError), transaction.atomic():
        make_user(email="A@example.cn")


@pytest.mark.parametrize(
    "who", ["owner", "colleague", "leader", "stranger", "operations", "viewer"]
)
def test_only_administrators_change_users_and_teams(cast, who):
    actor, other = getattr(cast, who), make_user(email="other@example.cn")
    attempts = [
        lambda: new(actor),
        lambda: users.edit_user(actor=actor, now=NOW, user=other, changes={"role": "admin"}),
        lambda: users.edit_user(actor=actor, now=NOW, user=actor, changes={"role": "admin"}),
        lambda: users.deactivate_user(actor=actor, now=NOW, user=other),
        lambda: users.reactivate_user(actor=actor, now=NOW, user=other),
        lambda: users.set_password(actor=actor, now=NOW, user=other, password=PASSWORD),
        lambda: teams.create_team(actor=actor, now=NOW, name="x"),
        lambda: teams.edit_team(actor=actor, now=NOW, team=cast.north, name="x", parent=None),
        lambda: teams.delete_team(actor=actor, now=NOW, team=cast.north),
        lambda: audit.entries(actor),
    ]
    before = state()
    for attempt in attempts:
        with pytest.raises(NotAllowed):
            attempt()
    assert state() == before


@pytest.mark.parametrize(
    "who, may", [("owner", False), ("viewer", False), ("leader", True), ("operations", True)]
)
def test_lists_of_people_are_for_those_who_read_the_settings(cast, who, may):
    actor = getattr(cast, who)
    for find in (people.users, people.teams, lambda a: people.get_user(a, cast.owner.pk)):
        if may:
            assert find(actor)
        else:
            with pytest.raises(NotAllowed):
                find(actor)


def test_guessed_ids_are_not_found(cast):
    with pytest.raises(NotFound):
        people.get_user(cast.admin, 999_999)
    with pytest.raises(NotFound):
        people.get_team(cast.admin, 999_999)
    gone = User(pk=999_999)
    with pytest.raises(NotFound):
        users.deactivate_user(actor=cast.admin, now=NOW, user=gone)


def test_deactivated_user_cannot_log_in_nor_do_anything(cast):
    user = new(cast.admin)
    users.deactivate_user(actor=cast.admin, now=NOW, user=user)
    assert login(user.email) is None
    user.refresh_from_db()
    assert not can(user, "customer.edit")
    users.reactivate_user(actor=cast.admin, now=NOW, user=user)
    assert login(user.email) == user


def test_last_administrator_stays(cast):
    second = make_user("admin")
    with pytest.raises(users.NotYourself):
        users.deactivate_user(actor=cast.admin, now=NOW, user=cast.admin)
    users.deactivate_user(actor=cast.admin, now=NOW, user=second)
    before = state()
    with pytest.raises(users.LastAdministrator):
        users.edit_user(actor=cast.admin, now=NOW, user=cast.admin, changes={"role": "csm"})
    with pytest.raises(users.LastAdministrator):
        users.deactivate_user(actor=None, now=NOW, user=cast.admin)
    assert state() == before


def test_edit_tells_what_changed(cast):
    users.edit_user(
        actor=cast.admin, now=NOW, user=cast.owner,
        changes={"role": "leader", "team": cast.south, "name": cast.owner.name},
    )  # fmt: skip
    entry = AuditEntry.objects.get()
    assert entry.changes == {"role": ["csm", "leader"], "team": ["北区", "南区"]}


def test_own_password_and_preferences_are_ones_own(cast):
    users.set_password(actor=cast.owner, now=NOW, user=cast.owner, password=PASSWORD)
    assert login(cast.owner.email) == cast.owner
    users.set_preferences(actor=cast.owner, now=NOW, language="en", theme="dark")
    cast.owner.refresh_from_db()
    assert (cast.owner.language, cast.owner.theme) == ("en", "dark")
    for wrong in ({"theme": "pink"}, {"role": "admin"}):
        with pytest.raises(users.PreferenceUnknown):
            users.set_preferences(actor=cast.owner, now=NOW, **wrong)


def test_visit_begins_with_the_company_s_day(cast):
    user = cast.owner
    users.note_visit(user, NOW)
    users.note_visit(user, NOW + timedelta(hours=8))
    user.refresh_from_db()
    assert (user.last_visit_at, user.visit_at) == (None, NOW)
    tomorrow = NOW + timedelta(days=1)
    users.note_visit(user, tomorrow)
    user.refresh_from_db()
    assert (user.last_visit_at, user.visit_at) == (NOW, tomorrow)


def test_noting_a_visit_costs_nothing_after_the_first_page(cast, django_assert_num_queries):
    users.note_visit(cast.owner, NOW)
    with django_assert_num_queries(0):
        users.note_visit(cast.owner, NOW + timedelta(hours=1))


def test_teams_are_a_tree(cast):
    top = teams.create_team(actor=cast.admin, now=NOW, name="全国")
    for team in (cast.north, cast.south):
        teams.edit_team(actor=cast.admin, now=NOW, team=team, name=team.name, parent=top)
    assert set(team_ids_below(top.pk)) == {top.pk, cast.north.pk, cast.south.pk}
    before = state()
    with pytest.raises(teams.TeamInsideItself):
        teams.edit_team(actor=cast.admin, now=NOW, team=top, name="全国", parent=cast.north)
    with pytest.raises(teams.TeamNameTaken):
        teams.create_team(actor=cast.admin, now=NOW, name="北区")
    with pytest.raises(teams.TeamNameMissing):
        teams.create_team(actor=cast.admin, now=NOW, name=" ")
    with pytest.raises(teams.TeamNotEmpty):
        teams.delete_team(actor=cast.admin, now=NOW, team=top)
    assert state() == before
    empty = make_team()
    teams.delete_team(actor=cast.admin, now=NOW, team=empty)
    assert not Team.objects.filter(pk=empty.pk).exists()


def test_books_one_may_look_into(cast):
    assert set(people.members_below(cast.owner)) == {cast.owner}
    assert set(people.members_below(cast.leader)) == {cast.owner, cast.colleague, cast.leader}
    everybody = set(people.members_below(cast.viewer))
    assert cast.viewer not in everybody
    assert {cast.owner, cast.stranger, cast.admin} <= everybody


def test_audit_log_is_filtered(cast):
    user = new(cast.admin)
    later = NOW + timedelta(days=2)
    users.edit_user(actor=cast.admin, now=later, user=user, changes={"name": "周敏敏"})
    assert [e.action for e in audit.entries(cast.admin)] == ["user.edit", "user.create"]
    assert audit.entries(cast.admin, action="user.create").count() == 1
    assert audit.entries(cast.admin, action="user").count() == 2
    assert audit.entries(cast.admin, text="敏敏").count() == 1
    assert audit.entries(cast.admin, of=cast.owner).count() == 0
    assert audit.entries(cast.admin, end=later.date()).count() == 1
    assert audit.entries(cast.admin, start=later.date()).count() == 1
    assert [e.action for e in audit.entries_of(user)] == ["user.edit", "user.create"]
    assert audit.actions() == ["user.create", "user.edit"]
    assert people.by_email("ZHOU@example.cn") == user
