"""Counts in sentences for people."""


def assets(count: int) -> str:
    """So many assets, in words that fit one of them too."""
    return "1 asset" if count == 1 else f"{count:,} assets"
