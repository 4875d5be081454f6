"""Wrong passwords: counted per account however it is written, and nobody else is locked out."""

import pytest
from factories import make_user

pytestmark = pytest.mark.django_db
RIGHT = "tall green field 7"


@pytest.fixture(autouse=True)
def quick_hashing(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def new(email):
    user = make_user(email=email)
    user.set_password(RIGHT)
    user.save()
    return user


def attempt(client, email, password, address="203.0.113.5"):
    given = {"username": email, "password": password}
    return client.post("/login/", given, REMOTE_ADDR=address).status_code


def test_sixth_attempt_is_refused_even_with_the_right_password(client):
    new("zhou@example.cn")
    new("li@example.cn")
    written = [
        "zhou@example.cn",
        "Zhou@example.cn",
        "ZHOU@EXAMPLE.CN",
        " zhou@example.cn",
        "zHou@example.cn",
    ]
    codes = [attempt(client, email, "wrong") for email in written]
    assert codes[:4] == [422] * 4
    assert codes[4] == 429
    for email in ("zhou@example.cn", "zhoU@example.cn"):
        assert attempt(client, email, RIGHT) == 429
    assert attempt(client, "li@example.cn", RIGHT) == 302
    client.logout()
    assert attempt(client, "zhou@example.cn", RIGHT, address="203.0.113.6") == 302


def test_success_starts_the_count_anew(client):
    new("zhou@example.cn")
    for _ in range(3):
        assert [attempt(client, "zhou@example.cn", "wrong") for _ in range(4)] == [422] * 4
        assert attempt(client, "ZHOU@example.cn", RIGHT) == 302
        client.logout()


def test_deactivated_user_cannot_log_in_and_an_open_session_ends(client):
    user = new("zhou@example.cn")
    assert attempt(client, "zhou@example.cn", RIGHT) == 302
    user.is_active = False
    user.save()
    assert client.get("/").status_code == 302  # to the login page
    assert attempt(client, "zhou@example.cn", RIGHT) == 422


def test_new_password_ends_other_sessions(client):
    from django.test import Client
    from factories import NOW

    from gengyun.team.actions.users import set_password

    user = new("zhou@example.cn")
    assert attempt(client, "zhou@example.cn", RIGHT) == 302
    other = Client()
    assert attempt(other, "zhou@example.cn", RIGHT) == 302
    set_password(actor=user, now=NOW, user=user, password="another green field 8")
    assert other.get("/").headers["Location"].startswith("/login/")


@pytest.mark.django_db
@pytest.mark.parametrize("odd", ["a" * 60_000, "%" * 60_000, "林" * 60_000])
def test_an_address_longer_than_any_is_nobodys(client, odd):
    answer = client.post("/login/", {"username": odd, "password": "x"})
    assert answer.status_code == 422
