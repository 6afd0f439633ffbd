"""Downloads of many originals in one archive."""

from litestar import post, route
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.types import ASGIApp

from gateway.declared import gives, may
from gateway.download_schemas import DownloadLink, DownloadRequest
from gateway.downloads import Downloads
from gateway.errors import NotFound, TooLarge
from gateway.policies import PUBLIC, READ, Caller
from gateway.routes.media import GET
from gateway.schemas import Envelope
from gateway.serving import Request


@post("/downloads", status_code=200, opt=READ | may(NotFound, TooLarge))
async def offer_download(
    data: JSONBody[DownloadRequest], downloads: NamedDependency[Downloads], caller: NamedDependency[Caller]
) -> Envelope[DownloadLink]:
    """A link to an archive (ZIP, not compressed) of originals: some assets, an album, or all that a filter finds.

    The link needs no sign-in, so a browser can follow it; it is good for once, and for five minutes to begin with.
    """
    return Envelope(data=await downloads.offer(data, caller))


@route(
    "/downloads/{ticket:str}",
    http_method=GET,
    status_code=200,
    opt=PUBLIC | may(TooLarge) | gives("application/zip", by_ranges=False),
)
async def download(request: Request, downloads: NamedDependency[Downloads], ticket: FromPath[str]) -> ASGIApp:
    """The archive that a link is for, of just the length that was announced.

    A file that cannot be read is left out, and `missing files.txt` in the archive says so. A download that breaks off
    is not whole: something in it was changed, or may not be seen any more.
    """
    return await downloads.redeem(ticket, is_begun=request.method == "GET")


HANDLERS = [offer_download]
