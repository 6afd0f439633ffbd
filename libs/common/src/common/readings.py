"""Which reader of files is the current one; services that look for what an older one read ask here."""

VERSION = 2
"""Of what is read from a file; one more whenever files that were read before should be read again."""
