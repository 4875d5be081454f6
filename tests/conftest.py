"""Shared set-up: a data folder of the test run's own, plain factories, no network."""

import os
import tempfile
from pathlib import Path

import databases
import pytest
import together
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

# before Django reads its settings: nothing of a test touches a real deployment
os.environ["GENGYUN_DATA"] = tempfile.mkdtemp(prefix="data-", dir=together.folder())
os.environ.setdefault("GENGYUN_SECRET_KEY", "only-for-tests-" + "x" * 40)

# how long an example takes says more of the machine than of the code
settings.register_profile("ours", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ours")


class SlowScheduling(LoadScopeScheduling):
    """One process per file, those with the most to do first; what needs a demo company is two
    bundles, each with a copy of its own of the one that is built."""

    def _split_scope(self, nodeid):
        file = nodeid.partition("::")[0]
        is_browser = "/browser/" in file and not file.endswith("test_axe.py")
        return "browser" if is_browser else file


def is_slow(config):
    return config.option.markexpr == "slow"


def pytest_xdist_auto_num_workers(config):
    """Slow tests kill processes, watch the clock and open browsers: two at a time, no more."""
    return min(2, os.cpu_count() or 1) if is_slow(config) else None


def pytest_xdist_make_scheduler(config, log):
    return SlowScheduling(config, log) if is_slow(config) else None


def pytest_configure(config):
    if is_slow(config):
        config.option.loadscopereorder = False  # the order is ours


# the longest first, so that the processes end at about the same time
LONGEST = ("/test_axe.py", "/test_fuzz_pages.py", "/browser/", "/test_readme_path.py")


def pytest_collection_modifyitems(config, items):
    if is_slow(config):
        places = [
            next((n for n, part in enumerate(LONGEST) if part in item.nodeid), len(LONGEST))
            for item in items
        ]
        items[:] = [item for _, item in sorted(zip(places, items, strict=True), key=lambda x: x[0])]


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings, django_db_use_migrations):
    """The database of this process is a copy of one that was migrated once for all of them."""
    if django_db_use_migrations:
        with databases.filled_from_the_migrated():
            yield
    else:
        yield


SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture
def shared():
    """The folder of real data sets; tests that need it skip when it is absent, saying so."""
    if not SHARED.exists():
        pytest.skip("the shared data sets are not beside this checkout")
    return SHARED


@pytest.fixture(autouse=True)
def _company_language():
    """A page asked for in one test must not leave its reader's language to the next."""
    from django.utils import translation

    translation.deactivate()
