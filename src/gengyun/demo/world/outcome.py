"""What makes a customer of the demo's world leave: the law that both those who left and those who
stayed are drawn by. That of the synthetic world (science, section 9); constants are assumptions.
"""

import numpy as np

from gengyun.demo.world.shapes import Account

RISK = {
    "decision_maker_change": 1.3, "champion_left": 0.9, "competitor": 1.1, "slow_feedback": 0.5,
    "roi_doubt": 0.9, "layoff": 0.6, "module_dropped": 0.3, "win": -0.7,
}  # fmt: skip
BASE = {"standard": -2.7, "key": -3.7, "strategic": -4.3}  # logit of not renewing
VALUE_WEIGHT, VALUE_DAYS, VALUE_HALF_LIFE = 0.95, 180, 60


def chance_of_leaving(account: Account, latent: np.ndarray, due: int) -> float:
    """Of not renewing on day `due`, by what happened in the last half year. `latent`: by day."""
    window = np.arange(max(0, due - VALUE_DAYS), due)
    if not len(window):
        return float(1 / (1 + np.exp(-BASE[account.size])))
    value = latent[window].copy()
    for shock in account.shocks:
        since = window - shock.day
        fades = 0.5 ** (np.maximum(since, 0) / shock.half_life)
        value -= RISK[shock.kind] * fades * (since >= 0)
    weight = 0.5 ** ((due - window) / VALUE_HALF_LIFE)
    mean = float(value @ weight / weight.sum())
    return float(1 / (1 + np.exp(-(BASE[account.size] - VALUE_WEIGHT * mean))))
