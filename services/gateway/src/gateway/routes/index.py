"""The page for a person who opens the server's address in a browser."""

from litestar import Response, get

from gateway import pages
from gateway.policies import PUBLIC


@get("/", include_in_schema=False, opt=PUBLIC)
async def index() -> Response[str]:
    """What this is and where to go from here; the page loads nothing from anywhere."""
    return pages.answer("index.html")
