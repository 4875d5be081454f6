"""Saved views: kept, renamed, shared, moved, deleted and brought back; each one's own only."""

import pytest
from django.test import Client
from factories import NOW, make_customer, make_user

from gengyun.kernel.clock import utc_now
from gengyun.kernel.errors import NotFound
from gengyun.portfolio.actions.summaries import refresh_summaries
from gengyun.portfolio.actions.views import move_view, save_view
from gengyun.portfolio.models import SavedView

pytestmark = pytest.mark.django_db


@pytest.fixture
def me():
    return make_user("operations", language="en", name="Ada")


@pytest.fixture
def web(me):
    make_customer("Acme", owner=me, region="East")
    refresh_summaries(now=utc_now())
    client = Client()
    client.force_login(me, backend="django.contrib.auth.backends.ModelBackend")
    return client


def view(owner, name, **query):
    return save_view(actor=owner, now=NOW, name=name, query=query)


def tabs(web):
    text = web.get("/customers/?view=all").content.decode()
    start = text.index("No contact for 3 weeks")
    own = text[start : text.index("</nav>", start)]
    return [name for name in ("One", "Two", "Three", "Other") if name in own], own


def test_columns_and_order_alone_can_be_saved_as_a_view(web, me):
    page = web.get("/customers/?view=all&cols=region&cols=name&sort=-arr").content.decode()
    assert "Save as a new view" in page
    web.post("/customers/views/", {"cols": ["region", "name"], "sort": "-arr", "name": "Mine"})
    saved = SavedView.objects.get(owner=me)
    assert saved.query == {"filters": [], "sort": "-arr", "columns": ["region", "name"]}
    shown = web.get(f"/customers/?view={saved.pk}").content.decode()
    assert "changed, not saved" not in shown


def test_a_changed_view_says_so_and_is_saved_or_put_back(web, me):
    one = view(me, "One", filters=[{"field": "region", "op": "is", "value": "East"}])
    changed = web.get(f"/customers/?view={one.pk}&f=region.is.West").content.decode()
    assert "changed, not saved" in changed
    assert f'href="?view={one.pk}"' in changed
    web.post(f"/customers/views/{one.pk}/", {"view": one.pk, "f": "region.is.West"})
    one.refresh_from_db()
    assert one.query["filters"][0]["value"] == "West"
    assert one.name == "One"


def test_tabs_move_by_one_place_and_stay_at_the_ends(web, me):
    one, two, three = (view(me, name) for name in ("One", "Two", "Three"))
    web.post(f"/customers/views/{three.pk}/", {"verb": "left"})
    names = list(SavedView.objects.filter(owner=me).values_list("name", flat=True))
    assert names == ["One", "Three", "Two"]
    web.post(f"/customers/views/{two.pk}/", {"verb": "right"})
    web.post(f"/customers/views/{one.pk}/", {"verb": "left"})
    names = list(SavedView.objects.filter(owner=me).values_list("name", flat=True))
    assert names == ["One", "Three", "Two"]
    _, shown = tabs(web)
    assert shown.index("One") < shown.index("Three") < shown.index("Two")


def test_a_view_is_renamed_and_shared_and_others_see_it_without_changing_it(web, me):
    one = view(me, "One")
    web.post(f"/customers/views/{one.pk}/", {"verb": "rename", "name": "Two", "shared": "1"})
    one.refresh_from_db()
    assert (one.name, one.is_shared) == ("Two", True)
    other = make_user("csm", language="en")
    client = Client()
    client.force_login(other, backend="django.contrib.auth.backends.ModelBackend")
    page = client.get(f"/customers/?view={one.pk}").content.decode()
    assert "Two" in page
    assert "Delete view" not in page
    for form in ({"verb": "left"}, {"verb": "delete"}, {"verb": "rename", "name": "Mine"}, {}):
        assert client.post(f"/customers/views/{one.pk}/", form).status_code == 404
    with pytest.raises(NotFound):
        move_view(actor=other, now=NOW, view=one, by=1)
    one.refresh_from_db()
    assert one.name == "Two"


def test_a_deleted_view_comes_back_as_it_was(web, me):
    one = view(me, "One", sort="-arr", columns=["region"])
    held = one.query
    web.post(f"/customers/views/{one.pk}/", {"verb": "delete"})
    assert not SavedView.objects.exists()
    page = web.get("/customers/").content.decode()
    web.post(page[page.index("/undo/") :].split('"')[0])
    back = SavedView.objects.get()
    assert (back.name, back.query, back.owner) == ("One", held, me)
