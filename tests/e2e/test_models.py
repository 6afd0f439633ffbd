"""`lumilio up` with models: they are served, pictures are found by words, and what is broken keeps nobody."""

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from tests.support.client import Client, signed_in
from tests.support.ml_servers import coloured
from tests.support.stack import Stack
from tests.support.towers import COLOURS, NAME, write_model
from tests.support.waiting import until


@pytest.fixture
async def idle(tmp_path: Path) -> AsyncIterator[Stack]:
    """A stack that was never started."""
    stack = Stack(tmp_path / "data")
    yield stack
    await stack.end()


async def test_a_picture_is_found_by_a_word_for_what_it_shows(idle: Stack) -> None:
    """A model in its folder is all that it takes; another one that is broken is told, and keeps nobody."""
    write_model(idle.data / "models" / "clip" / NAME)
    (write_model(idle.data / "models" / "broken") / "visual" / "model.onnx").write_bytes(b"half a mod")

    await idle.start()

    async with signed_in(idle) as client:
        for name in ("red", "green", "blue"):
            await client.send(coloured(COLOURS[name], file_format="JPEG"), f"of {name}.jpg")
        for name in ("green", "blue"):
            await until(partial(_is_first, client, name), seconds=60, what=f"{name} is found")
    told = ("\nml-server ready", "ml-server: model not served: reason=", "broken/visual/model.onnx cannot be run")
    for words in told:  # the supervisor looks once a second, and a picture may be found before
        await until(partial(_is_told, idle, words), what=words)


def _is_told(stack: Stack, words: str) -> bool:
    return words in stack.output


async def _is_first(client: Client, name: str) -> bool:
    sought = {"query": f"something {name}", "search_type": "semantic"}
    answer = (await client.http.post("/assets/search", json=sought)).json()
    found = [asset["original_filename"] for asset in answer.get("data", {}).get("assets", [])]
    return len(found) == 3 and found[0] == f"of {name}.jpg"
