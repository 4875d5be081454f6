"""Shared set-up: a data folder of the test run's own, plain factories, no network."""

import os
import tempfile
from pathlib import Path

# before Django reads its settings: nothing of a test touches a real deployment
os.environ["GENGYUN_DATA"] = tempfile.mkdtemp(prefix="gengyun-test-")
os.environ.setdefault("GENGYUN_SECRET_KEY", "only-for-tests-" + "x" * 40)

import pytest
from hypothesis import HealthCheck, settings

# how long an example takes says more of the machine than of the code
settings.register_profile("ours", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ours")


def pytest_xdist_auto_num_workers(config):
    """Slow tests kill processes, watch the clock and open browsers: one after the other."""
    return 0 if config.option.markexpr == "slow" else None


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
