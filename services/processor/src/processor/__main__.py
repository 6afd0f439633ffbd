"""`python -m processor` and the `processor` command."""

from processor.main import main

main()
