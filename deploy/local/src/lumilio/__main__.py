"""`python -m lumilio` is the `lumilio` command."""

from lumilio.main import main

main()
