"""Files that other systems really wrote, with no mapping by hand."""

import pytest
from factories import NOW, make_tiers

from gengyun.customers.actions import importing
from gengyun.customers.models import Customer

pytestmark = pytest.mark.django_db


@pytest.fixture
def import_file(settings, tmp_path, shared):
    settings.DATA_DIR = tmp_path
    make_tiers()

    def run(path):
        given = {"actor": None, "now": NOW}
        path = shared / "data" / path
        run = importing.prepare_import(**given, kind="customers", file_name=path.name, path=path)
        run = importing.check_import(**given, run=run)
        return importing.run_import(**given, run=run)

    return run


def test_crm_accounts_come_in_with_their_parents(import_file):
    run = import_file("maven_crm/accounts.csv")
    assert (run.created_count, run.error_count) == (85, 0)
    assert Customer.objects.filter(parent__isnull=False).count() == 15
    assert Customer.objects.get(name="Bluth Company").parent.name == "Acme Corporation"
    again = import_file("maven_crm/accounts.csv")
    assert (again.same_count, again.created_count, again.changed_count) == (85, 0, 0)


def test_saas_accounts_come_in(import_file):
    run = import_file("ravenstack/ravenstack_accounts.csv")
    assert (run.created_count, run.error_count) == (500, 0)
    one = Customer.objects.get(external_id="A-2e4581")
    assert (one.name, one.industry, one.region, one.edition, one.seats) == (
        "Company_0", "EdTech", "US", "Basic", 9,
    )  # fmt: skip
    assert one.started_on.isoformat() == "2024-10-16"
