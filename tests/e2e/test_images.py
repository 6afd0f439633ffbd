"""The images and compose.yaml as an operator uses them: with an engine, and only where LUMILIO_TEST_IMAGES=1 asks.

LUMILIO_BASE, LUMILIO_POSTGRES_IMAGE and LUMILIO_NATS_IMAGE name other images than deploy/.env.example does.
"""

import io
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lumilio import ports
from lumilio_client import AsyncClient, Password, api
from tests.support import photos
from tests.support.waiting import until

ROOT = Path(__file__).parents[2]
SOURCES = ("deploy", "libs", "protos", "services", "requirements.lock", ".dockerignore")
WITH_HEALTH = ["gateway", "ingest", "processor", "syncer", "ml-dispatcher"]
SERVICES = [*WITH_HEALTH, "ml-server", "lumilio"]
PHOTO = photos.jpeg(80, 60, seed=1)

pytestmark = [
    pytest.mark.skipif(os.environ.get("LUMILIO_TEST_IMAGES") != "1", reason="LUMILIO_TEST_IMAGES=1 asks for it"),
    pytest.mark.timeout(3600),
]


@dataclass(frozen=True)
class Compose:
    """A copy of this repository whose compose.yaml is up."""

    folder: Path
    environment: dict[str, str]
    port: int

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def run(self, *arguments: str) -> str:
        """What a command of compose writes; an error when it fails."""
        plugin = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode == 0
        command = [*(["docker", "compose"] if plugin else ["docker-compose"]), *arguments]
        answer = subprocess.run(
            command, cwd=self.folder / "deploy", env=self.environment, capture_output=True, text=True, check=False
        )
        assert answer.returncode == 0, answer.stdout[-3000:] + answer.stderr[-3000:]
        return answer.stdout


@pytest.fixture(scope="module")
def compose(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Compose]:
    """All of it, built and started as docs/operators.md says; in the end only the images are left, for the next run."""
    folder, port = tmp_path_factory.mktemp("checkout"), ports.choose(0)
    for name in SOURCES:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    for name in (".env", "settings.env"):
        (folder / "deploy" / name).unlink(missing_ok=True)
    subprocess.run(["sh", folder / "deploy" / "new-env.sh"], check=True)
    names = {"COMPOSE_PROJECT_NAME": f"lumilio-test-{port}", "LUMILIO_TAG": "test", "LUMILIO_PORT": str(port)}
    made = Compose(folder, {**os.environ, **names}, port)
    try:
        made.run("--profile", "ml", "build")
        made.run("up", "-d", "--no-build")
        yield made
    finally:
        made.run("down", "--volumes", "--timeout", "20")


async def test_a_photo_that_is_sent_is_kept_and_shown(compose: Compose) -> None:
    """A newcomer makes an administrator with one command, and what they send is rendered and comes down as it was."""
    told = compose.run("run", "--rm", "lumilio", "user", "add", "anna", "--admin")
    password = re.search(r"password +(\S+)", told)
    assert password is not None

    async with AsyncClient(compose.base_url, Password(compose.base_url, "anna", password[1])) as client:
        upload = await client.upload(io.BytesIO(PHOTO), name="beach.jpg")

        async def is_ready() -> bool:
            return (await client.ask(api.get_upload(upload.task_id))).state == "ready"

        await until(is_ready, seconds=120, what="the photo is ready")
        detail = await client.ask(api.get_asset(upload.asset_id))
        assert (detail.width, detail.height) == (80, 60)
    assert "ok" in compose.run("run", "--rm", "lumilio", "repositories", "validate")
    compose.run("run", "--rm", "lumilio", "backup")
    assert " 1 originals" in compose.run("run", "--rm", "lumilio", "backup", "list")


@pytest.mark.parametrize("service", WITH_HEALTH)
async def test_every_service_is_ready_behind_its_walls(compose: Compose, service: str) -> None:
    """Nothing is wrong with any of them, the sandbox of the processor included, with no right that others have."""
    ask = "from urllib.request import urlopen; print(urlopen('http://127.0.0.1:8081/ready').read().decode())"

    async def answer() -> str:
        return compose.run("exec", "-T", service, "python", "-c", ask)

    assert await answer() == '{"ready":true,"problems":[]}\n'
    status = compose.run("exec", "-T", service, "cat", "/proc/self/status")
    assert re.search(r"CapBnd:\s+0{16}", status)
    assert re.search(r"NoNewPrivs:\s+1", status)
    assert re.search(r"Uid:\s+10001", status)


@pytest.mark.parametrize("service", SERVICES)
def test_no_image_can_import_another_service(compose: Compose, service: str) -> None:
    """Each holds itself and common, and neither a compiler nor an installer."""
    foreign = [each for each in SERVICES if each != service]
    look = (
        "import shutil; from importlib.util import find_spec; "
        f"print([n for n in {[*foreign, 'pip', 'ensurepip']} if find_spec(n.replace('-', '_'))], "
        "[n for n in ('gcc', 'cc', 'ld', 'pip', 'pip3', 'uv') if shutil.which(n)])"
    )
    run = ("run", "--rm", "--no-deps", "--entrypoint", "python", service)

    assert compose.run(*run, "-c", look).strip() == "[] []"


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.usefixtures("compose")
def test_no_image_lends_rights_or_has_what_everybody_may_change(service: str) -> None:
    """No program runs as another account, and no file is open to all, but in folders such as /var/tmp."""
    lent, open_to_all = ("-type", "f", "-perm", "/6000"), ("!", "-type", "l", "-perm", "-2", "!", "-perm", "-1000")
    find = ("find", f"lumilio/{service}:test", "/", "-xdev", "(", *lent, ")", "-o", "(", *open_to_all, ")")

    found = subprocess.run(
        ["docker", "run", "--rm", "--user", "0", "--network", "none", "--entrypoint", *find],
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout == ""
