"""The walk of `gengyun demo --check` asks each role for objects that this role may see."""

import pytest
from factories import (
    NOW,
    People,
    make_activity,
    make_contact,
    make_customer,
    make_opportunity,
    make_renewal,
    make_run,
    make_sop,
)

pytestmark = pytest.mark.django_db
ARGUMENTS = {
    "task", "task_edit", "opportunity", "renewal", "segment", "segment_edit", "sop_run", "customer",
    "activity_edit", "contact_edit", "import", "import_rows", "export", "export_progress",
}  # fmt: skip


def fill(owner):
    """One of everything of one person, who wrote it too."""
    from gengyun.customers.models import ExportRun, ImportRun
    from gengyun.portfolio.models import Segment
    from gengyun.tasks.models import Task

    customer = make_customer(owner=owner)
    dates = {"created_at": NOW, "updated_at": NOW}
    Task.objects.create(title="打电话", customer=customer, owner=owner, **dates)
    make_activity(customer, author=owner)
    make_contact(customer)
    make_opportunity(customer)
    make_renewal(customer, NOW.date())
    make_run(make_sop(), customer)
    Segment.objects.create(key=f"own-{owner.pk}", name="自用", owner=owner, **dates)
    made = {"created_by": owner, "created_at": NOW, "stored_path": "files/x"}
    ImportRun.objects.create(
        kind="customers", file_name="x.csv", rows_path="files/r", error_path="files/e", **made
    )
    ExportRun.objects.create(
        listing="customers", form="csv", language="en", file_name="x.csv", **made
    )
    return customer


@pytest.mark.parametrize("who", ["owner", "colleague", "leader", "operations", "viewer", "admin"])
def test_what_somebody_else_has_is_not_asked_for(client, who):
    """The oldest rows are a stranger's; whoever has rows of their own is asked for those."""
    from gengyun.cli.demo_check import _expected, pages

    people = People()
    strange, own = fill(people.stranger), fill(people.owner)
    user = getattr(people, who)
    client.force_login(user)
    asked = {page.name.removeprefix("web:"): page for page in pages(user)}
    assert asked.keys() >= ARGUMENTS
    for name in sorted(ARGUMENTS - {"import_rows"}):  # there is no file behind the row
        page = asked[name]
        status = client.get(page.path).status_code
        assert status in _expected(user, page), page
    sees_all = who in {"operations", "viewer", "admin"}
    seen = {"owner": own, "leader": own, "colleague": None}.get(who, strange if sees_all else None)
    path = f"/customers/{seen.pk}/" if seen else "/customers/999999999/"
    assert asked["customer"].path == path
    assert asked["task"].is_sample_missing == (seen is None)
    assert asked["import"].is_sample_missing == (who == "leader")  # the stranger's alone
    assert asked["export"].is_sample_missing == (who != "owner")


def test_every_place_of_a_sample_is_on_some_path():
    from django.urls import get_resolver

    from gengyun.cli.demo_check import _walk
    from gengyun.cli.demo_samples import SAMPLES

    patterns = [pattern for _, pattern, _ in _walk(get_resolver().url_patterns, "")]
    for place in SAMPLES:
        begin = place.removesuffix("/key")
        assert any(pattern.startswith(f"/{begin}/<") for pattern in patterns), place
