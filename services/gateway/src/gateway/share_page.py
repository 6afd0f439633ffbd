"""The page that a link to an album is in a browser: no script, nothing from elsewhere, and all words escaped."""

import base64
import hashlib
from html import escape
from urllib.parse import urlsplit

from gateway.share_schemas import SharedAlbum, SharedAsset, SharedAssetList

STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0 auto; max-width: 80rem; padding: 1rem; }
ul { display: grid; gap: .5rem; grid-template-columns: repeat(auto-fill, minmax(11rem, 1fr)); padding: 0; }
li { list-style: none; }
li { min-width: 0; overflow: hidden; overflow-wrap: anywhere; }
img, video { aspect-ratio: 1; background: #8882; object-fit: cover; width: 100%; }
video { object-fit: contain; }
audio { width: 100%; }
p { white-space: pre-wrap; }
small { display: block; opacity: .7; }
input, button { font: inherit; padding: .3rem .6rem; }
"""


def policy(public_url: str) -> str:
    """What the page may load: its style, and media of this server alone."""
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    parts = urlsplit(public_url)
    media = f"'self' {parts.scheme}://{parts.netloc}" if parts.netloc else "'self'"
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src {media}; media-src {media}; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


def album(head: SharedAlbum, page: SharedAssetList, *, token: str, visitor: str) -> str:
    """The pictures of an album, and the way to the next ones."""
    about = f"<p>{escape(head.description)}</p>" if head.description else ""
    items = "".join(f"<li>{_item(asset)}</li>" for asset in page.assets)
    count = f"<small>{head.asset_count} in this album</small>"
    all_of_it = _form("Download all", f"/s/{token}/download", visitor=visitor) if head.allow_download else ""
    more = _form("More", f"/s/{token}", visitor=visitor, after=page.next) if page.next else ""
    return _page(head.album_name, f"{about}{count}<ul>{items}</ul>{more}{all_of_it}")


def question(reason: str = "") -> str:
    """Asks for the password of a link."""
    told = f"<p>{escape(reason)}</p>" if reason else ""
    field = '<label>Password <input type="password" name="password" required autofocus></label>'
    return _page("This album has a password", f'{told}<form method="post">{field} <button>Open</button></form>')


def refusal(reason: str) -> str:
    """Says why there is nothing to see."""
    return _page("Nothing to see here", f"<p>{escape(reason)}</p>")


def _page(title: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width"><meta name="robots" content="noindex">'
        f"<style>{STYLE}</style></head><body><h1>{escape(title)}</h1>{body}</body></html>"
    )


def _item(asset: SharedAsset) -> str:
    name, urls = escape(asset.original_filename), asset.urls
    original = f' <a href="{escape(urls["original"])}" download>Download</a>' if "original" in urls else ""
    return f"{_shown(asset, name)}<small>{name}{original}</small>"


def _shown(asset: SharedAsset, name: str) -> str:
    urls = asset.urls
    if "video" in urls:
        poster = escape(urls.get("medium", ""))
        return f'<video controls preload="none" poster="{poster}" src="{escape(urls["video"])}"></video>'
    if "audio" in urls:
        return f'<audio controls preload="none" src="{escape(urls["audio"])}"></audio>'
    if "medium" not in urls:
        return ""
    picture = f'<img src="{escape(urls["medium"])}" alt="{name}" loading="lazy">'
    return f'<a href="{escape(urls["large"])}">{picture}</a>'


def _form(label: str, action: str, **fields: str) -> str:
    """A button that sends a form, so that what lets a visitor in stands in no address."""
    hidden = "".join(f'<input type="hidden" name="{name}" value="{escape(value)}">' for name, value in fields.items())
    return f'<form method="post" action="{escape(action)}">{hidden}<button>{label}</button></form>'
