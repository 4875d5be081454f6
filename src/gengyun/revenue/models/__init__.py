from gengyun.revenue.models.billing import Invoice, InvoiceStatus, Payment
from gengyun.revenue.models.catalogue import Edition, Product
from gengyun.revenue.models.contracts import Contract, ContractKind, Line, LineKind
from gengyun.revenue.models.economics import RevenueSettings, Spend, SpendKind, WalletBudget
from gengyun.revenue.models.forecasts import (
    ForecastFigure,
    ForecastRun,
    ForecastScope,
    ForecastSpan,
)
from gengyun.revenue.models.movements import Movement, MovementKind
from gengyun.revenue.models.opportunities import (
    Opportunity,
    OpportunityChange,
    OpportunityKind,
    OpportunityStage,
)
from gengyun.revenue.models.rates import ExchangeRate
from gengyun.revenue.models.renewals import (
    Category,
    Checkpoint,
    CheckpointState,
    Renewal,
    RenewalChange,
    RenewalLine,
    RenewalSnapshot,
    RenewalState,
    SelfCheck,
)

__all__ = [
    "Category",
    "Checkpoint",
    "CheckpointState",
    "Contract",
    "ContractKind",
    "Edition",
    "ExchangeRate",
    "ForecastFigure",
    "ForecastRun",
    "ForecastScope",
    "ForecastSpan",
    "Invoice",
    "InvoiceStatus",
    "Line",
    "LineKind",
    "Movement",
    "MovementKind",
    "Opportunity",
    "OpportunityChange",
    "OpportunityKind",
    "OpportunityStage",
    "Payment",
    "Product",
    "Renewal",
    "RenewalChange",
    "RenewalLine",
    "RenewalSnapshot",
    "RenewalState",
    "RevenueSettings",
    "SelfCheck",
    "Spend",
    "SpendKind",
    "WalletBudget",
]
