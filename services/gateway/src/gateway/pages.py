"""Pages for people that load nothing from anywhere: each is one file, and its policy allows that file's parts alone."""

import base64
import hashlib
import re
from functools import cache
from importlib.resources import files

from litestar import MediaType, Response

NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def answer(name: str) -> Response[str]:
    """A page of this package."""
    text, policy = _page(name)
    return Response(text, media_type=MediaType.HTML, headers={"Content-Security-Policy": policy})


@cache
def _page(name: str) -> tuple[str, str]:
    """The page, and the policy that allows its style and its script, which may ask this server alone."""
    text = files("gateway").joinpath(name).read_text()
    styles, scripts = _hashes(text, "style"), _hashes(text, "script")
    policy = f"{NOTHING}; style-src {styles}"
    return text, policy + (
        f"; script-src {scripts}; connect-src 'self'; img-src blob:; media-src blob:" if scripts else ""
    )


def _hashes(text: str, tag: str) -> str:
    parts = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
    digests = (base64.b64encode(hashlib.sha256(part.encode()).digest()).decode() for part in parts)
    return " ".join(f"'sha256-{digest}'" for digest in digests)
