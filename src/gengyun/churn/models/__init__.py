from gengyun.churn.models.backtest import Backtest
from gengyun.churn.models.drift import DriftCheck
from gengyun.churn.models.forecast import ChurnForecast
from gengyun.churn.models.model import ChurnModel, Event, ModelState
from gengyun.churn.models.settings import ChurnSettings, EventChoice

__all__ = [
    "Backtest",
    "ChurnForecast",
    "ChurnModel",
    "ChurnSettings",
    "DriftCheck",
    "Event",
    "EventChoice",
    "ModelState",
]
