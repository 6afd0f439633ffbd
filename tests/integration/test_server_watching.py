"""Whether an inference server is there, and what it offers, is known however it says so."""

import asyncio
import subprocess
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from socket import inet_aton

import grpc
from grpc_health.v1 import health_pb2_grpc
from grpc_health.v1.health import aio as health
from grpc_health.v1.health_pb2 import HealthCheckResponse
from zeroconf import IPVersion, ServiceInfo
from zeroconf.asyncio import AsyncZeroconf

from ml_dispatcher import answers, dialling, discovery, servers
from ml_dispatcher.server import Times
from ml_dispatcher.servers import Servers
from ml_dispatcher.tasks import Model, Task
from tests.support.inference import EMBED_IMAGE, EMBED_TEXT, Fake, served
from tests.support.waiting import until

QUICK = Times(connect=1, answer=0.3, beat=0.1, listen=0.1, leave=0.1)
HASTY = Times(connect=0.3, answer=0.3, beat=0.1, listen=0.1, leave=0.1)
SLOW = Times(connect=1, answer=0.3, beat=60, listen=60, leave=60)
PICTURE = Task.EMBED_IMAGE


def offered(known: Servers, number: int = 0) -> list[str]:
    return known.seen()[number].tasks


def offers(known: Servers, tasks: set[str]) -> bool:
    return set(offered(known)) == tasks


def complaint(known: Servers, number: int = 0) -> str:
    return known.seen()[number].complaint or ""


def complains(known: Servers, words: str, number: int = 0) -> bool:
    return words in complaint(known, number)


async def embed(known: Servers) -> None:
    assert (await known.ask(PICTURE, b"picture", "image/webp", answers.embedding)).dim == 8


async def test_servers_are_understood_however_they_tell_what_they_offer() -> None:
    """In a stream that ends, one that stays, or with one word; changes are heard of each, also that a task is gone."""
    fakes = [Fake(telling=telling) for telling in ("ends", "stays", "once")]
    async with AsyncExitStack() as stack:
        for fake in fakes:
            await stack.enter_async_context(served(fake))
        async with servers.opened([fake.address for fake in fakes], times=QUICK) as known:
            await until(lambda: known.slots(PICTURE, model=Model("fake", 8)) == 12)
            for fake in fakes:
                fake.slots, fake.tasks = 5, (EMBED_IMAGE, "ocr")
                fake.say()
            await until(lambda: known.slots(PICTURE) == 15, what="its slots are others")
            assert all(offered(known, number) == ["embed_image", "texts"] for number in range(3))


async def test_every_generation_of_servers_is_asked_by_its_own_names() -> None:
    """The oldest tell no version; each service of a server has a number of its own of questions at once."""
    generations = {
        ("clip_embed", "clip_image_embed", "bioclip_embed", "clip_classify", "bioclip_classify", "smart_classify"): {
            *("embed_text", "embed_image", "classify"),
        },
        ("clip_text_embed", "clip_image_embed", "face_detect_and_embed", "ocr", "vlm_generate"): {
            *("embed_text", "embed_image", "faces", "texts"),
        },
        (EMBED_TEXT, EMBED_IMAGE): {"embed_text", "embed_image"},
        ("bioclip_text_embed", "dream"): set(),
    }
    fake = Fake(telling="stays")
    async with served(fake), servers.opened([fake.address], times=QUICK) as known:
        for tasks, expected in generations.items():
            fake.tasks, fake.version = tasks, "" if "clip_embed" in tasks else "1.0"
            fake.say()
            await until(partial(offers, known, expected), what=str(expected))
        assert complaint(known) == "offers nothing of use"

        fake.tasks, fake.others = (EMBED_TEXT, EMBED_IMAGE), (("bioclip", ("bioclip_classify",)), ("", ("ocr",)))
        fake.say()
        await until(lambda: len(offered(known)) == 4)
        assert known.seen()[0].slots == 12
        assert (await known.hear(Task.CLASSIFY, b"", "image/webp", bytes)).name == "bioclip_classify"
        assert fake.seen[-1].meta["service"] == "bioclip"


async def test_what_no_server_would_say_is_not_believed() -> None:
    """Another protocol, thousands of tasks or services, names that cannot be read; and numbers are cut."""
    lies = {
        "version '2.0' of the protocol": Fake(version="2.0"),
        "version 'one' of the protocol": Fake(version="one"),
        "tells of 10000 tasks": Fake(tasks=tuple(f"task_{number}" for number in range(10_000))),
        "tells of 65 services": Fake(others=tuple((f"service_{number}", ("ocr",)) for number in range(70))),
        "names that nobody can read": Fake(tasks=("ocr", "x" * 201)),
        "names that nobody can": Fake(others=(("a\nb", ("ocr",)),), tasks=()),
        "larger than any may be": Fake(tasks=("x" * (17 << 20),)),
        "does not tell what it offers": Fake(telling="nothing"),
    }
    for words, liar in lies.items():
        async with served(liar), servers.opened([liar.address], times=SLOW) as known:
            await until(partial(complains, known, words), what=words)
            assert known.slots(PICTURE) == known.slots(Task.TEXTS) == 0
    boaster = Fake(slots=1_000_000)
    async with served(boaster), servers.opened([boaster.address], times=SLOW) as known:
        await until(known.models)
        assert known.slots(PICTURE) == 64


async def test_one_that_warms_up_is_waited_for_and_found_as_soon_as_it_is_well() -> None:
    """Without waiting out the time for which it would be left alone, where it has health checks."""
    fake, probes = Fake(telling="warming"), health.HealthServicer()
    await probes.set("", HealthCheckResponse.NOT_SERVING)

    async with served(fake, also=lambda server: health_pb2_grpc.add_HealthServicer_to_server(probes, server)):
        times = Times(connect=1, answer=0.3, beat=60, listen=60, leave=0.2)
        async with servers.opened([fake.address], times=times) as known:
            await until(lambda: "models are loading" in complaint(known))
            assert not known.seen()[0].is_there
            fake.telling = "ends"
            await probes.set("", HealthCheckResponse.SERVING)
            await until(known.models)
            await embed(known)


async def test_one_that_falls_silent_is_noticed() -> None:
    """No connection breaks when a machine loses its power; it is dialled anew, and used when it is back."""
    fake = Fake(telling="stays")
    async with served(fake), servers.opened([fake.address], times=HASTY) as known:
        await until(known.models)
        fake.telling = "silent"
        await until(lambda: complains(known, "does not answer any more"))
        assert not known.seen()[0].is_there

        fake.telling = "stays"
        fake.going.set()
        await until(known.models)
        await embed(known)


def certificate(folder: Path) -> tuple[bytes, bytes]:
    """A key and a certificate for this machine, that is an authority of its own."""
    key, chain = folder / "key.pem", folder / "chain.pem"
    what = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    command = ["openssl", "req", "-x509", *what.split(), "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*command, "-keyout", key, "-out", chain], check=True, capture_output=True)
    return key.read_bytes(), chain.read_bytes()


async def test_servers_are_asked_encrypted_where_that_is_wanted_and_by_sockets(tmp_path: Path) -> None:
    """Who has no certificate of the authority, or speaks in the open, is sent nothing; a socket needs none."""
    key, chain = certificate(tmp_path)
    fake, open_one, local = Fake(), Fake(), Fake(address=f"unix:{tmp_path}/ml.sock")
    credentials = grpc.ssl_server_credentials([(key, chain)])
    async with served(fake, credentials), served(open_one), served(local):
        addresses = [fake.address, open_one.address, local.address]
        async with servers.opened(addresses, dial=dialling.encrypted(chain), times=HASTY) as known:
            await until(lambda: known.slots(PICTURE, model=Model("fake", 8)) == 8)
            await until(lambda: complains(known, "cannot be reached", 1))
            await embed(known)
        async with servers.opened([fake.address], dial=dialling.encrypted(None), times=HASTY) as known:
            await until(lambda: complains(known, "CERTIFICATE_VERIFY_FAILED"))
    assert open_one.seen == []


def announcement(name: str, address: str, port: int) -> ServiceInfo:
    kind = discovery.KIND
    return ServiceInfo(kind, f"{name}.{kind}", addresses=[inet_aton(address)], port=port, server=f"{name}.local.")


async def test_servers_of_the_network_are_found_and_forgotten_when_they_are_gone() -> None:
    """Only where they are is believed; those outside of one's own network are not asked."""
    fake = Fake()
    async with AsyncZeroconf(interfaces=["127.0.0.1"], ip_version=IPVersion.V4Only) as zeroconf:  # noqa: SIM117
        async with servers.opened([], times=QUICK) as known:
            looking = asyncio.create_task(discovery.run(known.found, ["127.0.0.1"]))
            async with served(fake):
                there = announcement("lumen-hub-abcde", "127.0.0.1", int(fake.address.rpartition(":")[2]))
                elsewhere = announcement("elsewhere", "93.184.216.34", 50051)
                await asyncio.gather(*(zeroconf.async_register_service(one) for one in (elsewhere, there)))
                await until(known.models)
                assert [one.address for one in known.seen()] == [fake.address]
            await until(lambda: not known.seen()[0].is_there)
            await zeroconf.async_unregister_service(there)
            await until(lambda: known.seen() == [])
            looking.cancel()
            await asyncio.wait([looking])
