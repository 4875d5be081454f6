"""Training of trees. LightGBM is imported here and only here, and only while training; what comes
out is a plain value that numpy scores.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from gengyun.churn.calc.table import Floats, Table
from gengyun.churn.calc.trees import Leaves, Trees

MONOTONE: dict[str, Any] = {"learning_rate": 0.05, "num_leaves": 7, "lambda_l2": 5.0}
FREE: dict[str, Any] = {"learning_rate": 0.06, "num_leaves": 20, "max_depth": 7, "lambda_l2": 2.0}
FOREST: dict[str, Any] = {
    "boosting": "rf",
    "num_leaves": 31,
    "max_depth": 8,
    "bagging_fraction": 0.63,
    "feature_fraction_bynode": 0.4,
    "lambda_l2": 0.0,
}
ROUNDS = {"monotone": 150, "free": 200, "forest": 100}


def is_available() -> bool:
    try:
        import lightgbm  # noqa: F401
    except (ImportError, OSError):  # OSError: its system library is missing
        return False
    return True


def monotone_trees(table: Table, *, seed: int = 1) -> Trees:
    """150 trees of 7 leaves; more of what the expert calls a risk never lowers the risk."""
    signs = [feature.sign for feature in table.features]
    extra = {"monotone_constraints": signs} if any(signs) else {}
    return _trained(table, {**MONOTONE, **_sampling(table), **extra}, ROUNDS["monotone"], seed)


def free_trees(table: Table, *, seed: int = 1) -> Trees:
    """Larger trees without directions, for interactions."""
    return _trained(table, {**FREE, **_sampling(table)}, ROUNDS["free"], seed)


def forest(table: Table, *, seed: int = 1) -> Trees:
    """A random forest: LightGBM's own mode. Its sum is linear in the probability, not the logit."""
    return _trained(table, {**FOREST, "min_data_in_leaf": 5}, ROUNDS["forest"], seed)


def _sampling(table: Table) -> dict[str, Any]:
    return {
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        "feature_fraction": 0.8,
        "min_data_in_leaf": int(np.clip(len(table) // 40, 5, 20)),
    }


def _trained(table: Table, params: dict[str, Any], rounds: int, seed: int) -> Trees:
    import lightgbm

    fixed = {
        "objective": "binary",
        "verbosity": -1,
        "num_threads": 1,  # the same trees on any machine
        "deterministic": True,
        "force_col_wise": True,
        "seed": seed,
        "bagging_freq": 1,
        "min_sum_hessian_in_leaf": 1e-3,
        "max_bin": 127,
    }
    filled = _fill(table.x)
    x = np.where(np.isnan(table.x), filled, table.x)
    names = [f"f{at}" for at in range(x.shape[1])]
    rows = lightgbm.Dataset(
        x, label=table.y, weight=table.weight, feature_name=names, free_raw_data=False
    )
    booster = lightgbm.train({**fixed, **params}, rows, num_boost_round=rounds)
    return from_dump(booster.dump_model(), filled, averages=params.get("boosting") == "rf")


def _fill(x: Floats) -> Floats:
    """The median of columns that are known everywhere; nan where trees learn what unknown means."""
    filled = np.full(x.shape[1], np.nan)
    whole = ~np.isnan(x).any(axis=0)
    if whole.any() and len(x):
        filled[whole] = np.median(x[:, whole], axis=0)
    return filled


@dataclass(frozen=True)
class _Bound:
    low: float = -np.inf
    high: float = np.inf
    unknown: bool = True
    share: float = 1.0

    def split(self, node: dict[str, Any], *, left: bool, share: float) -> "_Bound":
        passes = node["default_left"] if left else not node["default_left"]
        return _Bound(
            self.low if left else max(self.low, node["threshold"]),
            min(self.high, node["threshold"]) if left else self.high,
            self.unknown and passes,
            self.share * share,
        )


def from_dump(dump: dict[str, Any], fill: Floats, *, averages: bool = False) -> Trees:
    """The trees of LightGBM's dump_model(); `averages`: its forest mode, which takes their mean."""
    found: list[tuple[float, dict[int, _Bound]]] = []
    for tree in dump["tree_info"]:
        _walk(tree["tree_structure"], {}, found)
    scale = 1 / max(len(dump["tree_info"]), 1) if averages else 1.0
    by_size: dict[int, list[tuple[float, dict[int, _Bound]]]] = {}
    for value, bounds in found:
        by_size.setdefault(len(bounds), []).append((value * scale, bounds))
    base = sum(v * float(np.prod([b.share for b in bounds.values()])) for v, bounds in found)
    groups = tuple(_leaves(by_size[size]) for size in sorted(by_size))
    return Trees(groups, float(base * scale), fill)


def _walk(
    node: dict[str, Any],
    bounds: dict[int, _Bound],
    found: list[tuple[float, dict[int, _Bound]]],
) -> None:
    if "split_feature" not in node:
        found.append((node["leaf_value"], bounds))
        return
    feature, count = node["split_feature"], node["internal_count"]
    for side, left in (("left_child", True), ("right_child", False)):
        child = node[side]
        rows = child.get("internal_count", child.get("leaf_count", 0))
        bound = bounds.get(feature, _Bound()).split(node, left=left, share=rows / count)
        _walk(child, {**bounds, feature: bound}, found)


def _leaves(found: list[tuple[float, dict[int, _Bound]]]) -> Leaves:
    boxes = [list(bounds.values()) for _, bounds in found]
    size = len(found[0][1])
    shape = (len(found), size)
    return Leaves(
        np.array([value for value, _ in found]),
        np.array([list(bounds) for _, bounds in found], dtype=np.int64).reshape(shape),
        np.array([[b.low for b in row] for row in boxes]).reshape(shape),
        np.array([[b.high for b in row] for row in boxes]).reshape(shape),
        np.array([[b.unknown for b in row] for row in boxes], dtype=np.bool_).reshape(shape),
        np.array([[b.share for b in row] for row in boxes]).reshape(shape),
    )
