"""The churn probability against its acceptance list (docs/churn-models.md).

Every figure stands beside its control of the same run: the plain logistic on the same rows, or what
the world's truth allows. Parts are independent; data sets that are not beside the checkout are left
out and said.
"""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

# name -> (module, function); what each shows
PARTS = {
    "tables": ("churn_tables", "tables"),  # A1, A2
    "full": ("churn_tables", "full"),  # A3 and the survival part
    "usage": ("churn_tables", "usage"),  # a real log of use, split in time
    "worlds": ("churn_worlds", "worlds"),  # A4, A5, A8
    "forecast": ("churn_worlds", "forecast"),  # A9
    "noise": ("churn_worlds", "noise"),  # A13
    "leakage": ("churn_checks", "leakage"),  # A6
    "alerts": ("churn_checks", "alerts"),  # A7
    "lifetime": ("churn_checks", "lifetime"),  # A11
    "speed": ("churn_checks", "speed"),  # A12
}
SHARED = Path(__file__).resolve().parents[5] / "shared" / "data"


def run(report) -> None:
    chosen = report.only or list(PARTS)
    for name in chosen:
        module, function = PARTS[name]
        part: Callable = getattr(import_module(f"gengyun.cli.benches.{module}"), function)
        part(report)


def data(report, path: str) -> Path | None:
    """A file of the public data sets; None, said once, when it is not here."""
    found = SHARED / path
    if found.exists():
        return found
    report.note(f"churn: {path} is not beside this checkout: left out")
    return None
