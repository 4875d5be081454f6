"""`python -m gengyun` is the `gengyun` command."""

from gengyun.cli.main import main

main()
