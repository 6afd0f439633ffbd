"""The page for a person who opens the server's address in a browser."""

import base64
import hashlib
from functools import cache
from importlib.resources import files

from litestar import MediaType, Response, get


@get("/", include_in_schema=False)
async def index() -> Response[str]:
    """What this is and where to go from here; the page loads nothing from anywhere."""
    text, policy = _page()
    return Response(text, media_type=MediaType.HTML, headers={"Content-Security-Policy": policy})


@cache
def _page() -> tuple[str, str]:
    """The page, and the policy that allows its one style sheet and nothing else."""
    text = files("gateway").joinpath("index.html").read_text()
    style = text.partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return text, f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; frame-ancestors 'none'"
