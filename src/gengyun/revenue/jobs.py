"""What the package brings to the common machinery: its kinds of import."""

from gengyun.revenue.actions import (
    import_contracts,
    import_economics,
    import_invoices,
    import_messages,
    import_payments,
    import_rates,
)

__all__ = [
    "import_contracts",
    "import_economics",
    "import_invoices",
    "import_messages",
    "import_payments",
    "import_rates",
]
