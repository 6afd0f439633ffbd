"""Writes the contract down as it is served: `python -m gateway.contract docs/openapi.json docs/clients.md`."""

import sys
from pathlib import Path

import msgspec

from gateway.contract import apart, document, reference


def main() -> None:
    """Renew the document, and the part of the page for people that shows every operation."""
    described, page = document.describe(apart.build()), Path(sys.argv[2])
    Path(sys.argv[1]).write_bytes(document.written(described))
    page.write_text(reference.renewed(page.read_text(), msgspec.to_builtins(described)))


if __name__ == "__main__":
    main()
