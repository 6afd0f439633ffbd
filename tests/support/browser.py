"""A headless Chromium under the hand of a test: it opens a page, runs scripts in it, and dies with the test."""

import asyncio
import base64
import json
import os
import shutil
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
OPTIONS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage"),
    *(
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-breakpad",
    ),
    *("--mute-audio", "--autoplay-policy=no-user-gesture-required", "--remote-debugging-pipe"),
)
PIPES = 'exec "$0" "$@" 3<&0 4>&1 </dev/null >&2'
"""It is told things by descriptor 3 and tells them by descriptor 4; it ends when nobody is at their other ends."""
LONGEST_ANSWER = 1 << 26
PATIENCE_SECONDS = 40


class Refused(Exception):
    """The browser, or the script in its page, says what went wrong."""


def found() -> str | None:
    """The browser of this machine, if it has one."""
    return next(filter(None, map(shutil.which, NAMES)), None)


@dataclass
class Browser:
    """One page of a browser, and what came over its wires."""

    process: Process
    pages: dict[str, str] = field(default_factory=dict)
    """HTML that stands in for what a front end would serve, by address; everything else comes from the server."""
    responses: list[dict[str, Any]] = field(default_factory=list)
    """What servers answered, as DevTools tell it, the oldest first."""
    _session: str | None = None
    _last: int = 0
    _asked: dict[int, "asyncio.Future[Any]"] = field(default_factory=dict)
    _loaded: asyncio.Event = field(default_factory=asyncio.Event)

    async def attach(self) -> None:
        """Open the page that everything is about."""
        target = await self.call("Target.createTarget", url="about:blank", newWindow=True, width=1280, height=800)
        attached = await self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Network", "Runtime"):
            await self.call(f"{domain}.enable")

    async def open(self, address: str, html: str | None = None, **headers: str) -> None:
        """Go there, by default to what the server has there, with these headers on every request from now on."""
        await self.call("Network.setExtraHTTPHeaders", headers=headers)
        if html is not None:
            self.pages[address] = html
            await self.call("Fetch.enable", patterns=[{"urlPattern": one} for one in self.pages])
        self._loaded.clear()
        await self.call("Page.navigate", url=address)
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self._loaded.wait()

    async def run(self, script: str) -> Any:
        """What a script in the page says, or what its promise comes to."""
        said = await self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in said:
            raise Refused(said["exceptionDetails"].get("exception", {}).get("description") or said["exceptionDetails"])
        return said["result"].get("value")

    async def screenshot(self) -> bytes:
        """What a person would see, as PNG."""
        return base64.b64decode((await self.call("Page.captureScreenshot"))["data"])

    async def call(self, method: str, **parameters: Any) -> Any:
        """One command of the DevTools protocol; returns its result."""
        self._last += 1
        answer = self._asked[self._last] = asyncio.get_running_loop().create_future()
        self._send({"id": self._last, "method": method, "params": parameters})
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await answer

    async def listen(self) -> None:
        """Take in what it tells until it ends."""
        assert self.process.stdout is not None
        with suppress(asyncio.IncompleteReadError):
            while said := await self.process.stdout.readuntil(b"\0"):
                self._take(json.loads(said[:-1]))
        for answer in self._asked.values():
            if not answer.done():  # as where nobody waits for it any more
                answer.set_exception(Refused("the browser has ended"))

    def _send(self, message: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        session = {"sessionId": self._session} if self._session else {}
        self.process.stdin.write(json.dumps(message | session).encode() + b"\0")

    def _take(self, message: dict[str, Any]) -> None:
        if answer := self._asked.pop(message.get("id", 0), None):
            if "error" in message:
                answer.set_exception(Refused(message["error"]["message"]))
            else:
                answer.set_result(message["result"])
        match message.get("method"):
            case "Network.responseReceived":
                self.responses.append(message["params"]["response"])
            case "Page.loadEventFired":
                self._loaded.set()
            case "Fetch.requestPaused":
                self._fulfil(message["params"])

    def _fulfil(self, paused: dict[str, Any]) -> None:
        self._last += 1
        body = base64.b64encode(self.pages[paused["request"]["url"]].encode()).decode()
        headers = [{"name": "Content-Type", "value": "text/html; charset=utf-8"}]
        answer = {"requestId": paused["requestId"], "responseCode": 200, "responseHeaders": headers, "body": body}
        self._send({"id": self._last, "method": "Fetch.fulfillRequest", "params": answer})


@asynccontextmanager
async def browsing(folder: Path, program: str) -> AsyncIterator[Browser]:
    """A browser that keeps everything below the folder; nothing of it is left in the end."""
    command = ["sh", "-c", PIPES, program, *OPTIONS, f"--user-data-dir={folder / 'profile'}"]
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=PIPE,
        stdout=PIPE,
        stderr=DEVNULL,
        limit=LONGEST_ANSWER,
        start_new_session=True,
        env={**os.environ, "HOME": str(folder)},
    )
    browser = Browser(process)
    listening = asyncio.create_task(browser.listen())
    try:
        await browser.attach()
        yield browser
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        await listening
