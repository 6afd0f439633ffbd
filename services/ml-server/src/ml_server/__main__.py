"""`python -m ml_server`."""

from ml_server.main import main

main()
