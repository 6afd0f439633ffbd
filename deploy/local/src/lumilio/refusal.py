"""The one way in which the command gives up."""


class CannotStart(Exception):  # a refusal with advice, not a bug
    """The text says what happened and what to do about it."""
