"""Folders of a repository as people and other systems name them, and which of them cannot be scanned."""

from urllib.parse import quote_from_bytes, unquote_to_bytes

from common import layout

MOST_BYTES = 4095


class Unfit(ValueError):
    """No folder of a repository has this name; the text says why."""


def read(encoded: str) -> bytes:
    """The folder in percent-encoded text; Unfit says what is wrong with it."""
    try:
        return check(unquote_to_bytes(encoded))
    except UnicodeEncodeError:
        raise Unfit("the folder's name is no text") from None


def encoded(path: bytes) -> str:
    """A path as events and answers name it without loss."""
    return quote_from_bytes(path, safe="/")


def check(path: bytes) -> bytes:
    """A folder's path without needless slashes, empty for all of a repository; Unfit for one that cannot be scanned."""
    if path.startswith(b"/"):
        raise Unfit("the folder is named as seen from the root of its repository, without a slash at the start")
    names = [name for name in path.split(b"/") if name]
    if b"\0" in path or {b".", b".."} & set(names):
        raise Unfit("the folder's name may not have `.`, `..` or a zero byte in it")
    if names[:1] == [layout.PRIVATE]:
        raise Unfit(f"`{layout.PRIVATE.decode()}` is the server's own, and is never scanned")
    if any(name.startswith(b".") for name in names):
        raise Unfit("a folder whose name starts with a dot is hidden, and nothing in it is looked at")
    if len(path) > MOST_BYTES:
        raise Unfit(f"the folder's name is longer than {MOST_BYTES} bytes")
    return b"/".join(names)
