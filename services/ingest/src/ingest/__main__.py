"""`python -m ingest` and the `ingest` command."""

from ingest.main import main

main()
