"""耕云 Gengyun: the customer success platform. docs/architecture.md maps this package."""

import os

__version__ = "0.1.0"

# The matrices of a churn model are small: threads that wait for each other cost three times what
# they save (training of 778 rows: 10 s with, 3 s without). Read when numpy is first imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
