"""耕云 Gengyun: the customer success platform. docs/architecture.md maps this package."""

__version__ = "0.1.0"
