"""The one verdict that a pure media module may give about a file."""


class Unreadable(Exception):
    """The file cannot be decoded; the message is a sentence for its owner."""
