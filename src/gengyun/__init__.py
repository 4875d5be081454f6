"""耕云 Gengyun: the customer success platform. Read docs/architecture.md for the map of this package."""

__version__ = "0.1.0"
