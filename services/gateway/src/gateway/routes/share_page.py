"""The page that a link to an album is in a browser."""

from dataclasses import dataclass
from typing import Annotated, Any

from litestar import MediaType, Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath
from litestar.types import ASGIApp

from common.db import Connection, Pool
from gateway import errors, share_page, shared, shared_downloads
from gateway.addresses import Signer
from gateway.downloads import Downloads
from gateway.errors import NotSignedIn, TooManyTries
from gateway.origins import Origin
from gateway.policies import SHARED
from gateway.share_visits import Visits

PAGE = 60


@dataclass(frozen=True)
class Said:
    """What a visitor's browser sends: a password, or what came of it and where the page before ended."""

    password: str = ""
    visitor: str = ""
    after: str = ""


Form = Annotated[Said, Body(media_type=RequestEncodingType.URL_ENCODED)]


@get(opt=SHARED, include_in_schema=False)
async def show(
    conn: NamedDependency[Connection],
    visits: NamedDependency[Visits],
    signer: NamedDependency[Signer],
    token: FromPath[str],
) -> Response[str]:
    """The first pictures of an album, or the question for its password."""
    return await _album(conn, visits, signer, token, Said())


@post(status_code=200, opt=SHARED, include_in_schema=False)
async def unlock(
    conn: NamedDependency[Connection],
    visits: NamedDependency[Visits],
    signer: NamedDependency[Signer],
    origin: NamedDependency[Origin],
    token: FromPath[str],
    data: Form,
) -> Response[str]:
    """The same for who says the password, and the pages after the first."""
    if data.password:
        visit = await visits.open(token, data.password, origin.address)
        data = Said(visitor=visit.visitor)
    return await _album(conn, visits, signer, token, data)


@post("/download", status_code=200, opt=SHARED, include_in_schema=False)
async def download(
    pool: NamedDependency[Pool],
    visits: NamedDependency[Visits],
    downloads: NamedDependency[Downloads],
    token: FromPath[str],
    data: Form,
) -> ASGIApp:
    """All originals of the album in one archive."""
    return await shared_downloads.pack(pool, downloads, await visits.enter(token, data.visitor))


async def _album(conn: Connection, visits: Visits, signer: Signer, token: str, said: Said) -> Response[str]:
    opened = await visits.enter(token, said.visitor)
    head = await shared.head(conn, opened)
    page = await shared.page(conn, signer, opened, after=said.after or None, limit=PAGE)
    return _page(share_page.album(head, page, token=token, visitor=said.visitor), 200, signer.public_url)


def _refuse(request: Request[Any, Any, Any], error: Exception) -> Response[str]:
    """What went wrong as a page, and the question for the password where that can help."""
    reason, status = errors.explain(error, path=request.scope.get("path_template")), errors.status_of(type(error))
    if isinstance(error, NotSignedIn | TooManyTries):
        return _page(share_page.question(reason if request.method == "POST" else ""), status)
    return _page(share_page.refusal(reason), status)


def _page(text: str, status: int, public_url: str = "") -> Response[str]:
    headers = {"Content-Security-Policy": share_page.policy(public_url)}
    return Response(text, media_type=MediaType.HTML, status_code=status, headers=headers)


pages = Router("/s/{token:str}", route_handlers=[show, unlock, download], exception_handlers={Exception: _refuse})
