"""What stands in deploy/ for containers fits the code, and gives nothing away."""

import re
import subprocess
from pathlib import Path
from shutil import copy
from typing import Any

import msgspec
import pytest
import yaml

import gateway.main
from common.settings import PREFIX
from ingest.main import IngestSettings
from lumilio import nats_server
from ml_dispatcher import indexes
from ml_dispatcher.settings import DispatcherSettings
from ml_server.settings import MlServerSettings
from processor.main import ProcessorSettings, photos_at_once
from syncer.main import SyncerSettings

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
SETTINGS: dict[str, type[msgspec.Struct]] = {
    "gateway": gateway.main.Settings,
    "ingest": IngestSettings,
    "processor": ProcessorSettings,
    "syncer": SyncerSettings,
    "ml-dispatcher": DispatcherSettings,
    "ml-server": MlServerSettings,
}
COMMANDS = ("lumilio", "migrate")
OURS = [*SETTINGS, *COMMANDS]
READS_ONLY: dict[str, set[str]] = {"syncer": {"/repositories"}, "ml-dispatcher": set(), "ml-server": set()}
"""What they may write to all the same; a syncer declares a repository offline when it cannot be written to."""
VARIABLE = re.compile(r"\$\{(\w+)")


def variables(kind: type[msgspec.Struct]) -> set[str]:
    return {PREFIX + field.upper() for field in kind.__struct_fields__}


def image_environment() -> dict[str, str]:
    given = re.findall(r"\b(LUMILIO_\w+)=(\S+)", (DEPLOY / "Dockerfile").read_text())
    return dict(given)


@pytest.mark.parametrize("name", SERVICES)
def test_every_container_is_confined(name: str) -> None:
    """Whoever breaks into one finds no capability, no way to more rights and nothing to write to but its data."""
    service = SERVICES[name]

    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["user"]
    assert "memory" in service["deploy"]["resources"]["limits"]
    assert not {"privileged", "cap_add", "network_mode", "pid", "devices"} & service.keys()


@pytest.mark.parametrize("name", SERVICES)
def test_no_log_fills_the_disk(name: str) -> None:
    """An engine keeps all that a container ever said, unless it is told otherwise."""
    assert SERVICES[name]["logging"]["options"].keys() == {"max-size", "max-file"}


@pytest.mark.parametrize("name", [*SETTINGS, *COMMANDS])
def test_only_who_must_may_write_to_repositories(name: str) -> None:
    """Who only looks has mounts that can only be read, as in Kubernetes."""
    writable = {
        volume.split(":")[-1]: "ro" for volume in SERVICES[name]["volumes"] if not volume.endswith(":ro")
    }.keys() & {"/repositories", "/private"}

    assert writable == READS_ONLY.get(name, {"/repositories", "/private"})


def test_only_the_gateway_can_be_reached() -> None:
    """Database, bus and workers have no port of the machine, and by default the gateway is for the machine alone."""
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["gateway"]
    assert SERVICES["gateway"]["ports"] == ["${LUMILIO_LISTEN:-127.0.0.1}:${LUMILIO_PORT:-8080}:8080"]
    assert COMPOSE["networks"]["inside"] == {"internal": True}


@pytest.mark.parametrize("name", OURS)
def test_every_image_is_built_for_the_service_that_runs_it(name: str) -> None:
    """An image is called as its service, and made of a member of this repository."""
    image = SERVICES[name]["image"].split(":")[0].removeprefix("lumilio/")

    assert image == ("lumilio" if name in COMMANDS else name)
    assert (ROOT / ("deploy/local" if image == "lumilio" else f"services/{image}") / "pyproject.toml").exists()
    if name != "lumilio":  # which is the image that `migrate` is built for
        assert SERVICES[name]["build"]["args"]["SERVICE"] == image
        assert (DEPLOY / SERVICES[name]["build"]["context"] / SERVICES[name]["build"]["dockerfile"]).exists()


@pytest.mark.parametrize("name", SETTINGS)
def test_services_are_told_what_they_read(name: str) -> None:
    """Every name is a setting of the service, every setting that it cannot do without is given, and health is asked."""
    given = SERVICES[name]["environment"].keys()
    required = {PREFIX + field.name.upper() for field in msgspec.structs.fields(SETTINGS[name]) if field.required}

    assert given <= variables(SETTINGS[name])
    assert required <= given
    assert SERVICES[name]["healthcheck"]["test"] == ["CMD", "python", "-m", "common.healthcheck"]
    assert SERVICES[name]["env_file"] == ["settings.env"]


def test_only_the_gateway_knows_the_key_of_every_sign_in() -> None:
    """What another service does not need, nobody can take from it."""
    assert [name for name, service in SERVICES.items() if "LUMILIO_JWT_SECRET" in service["environment"]] == ["gateway"]


def test_images_name_settings_that_exist() -> None:
    """What an image presets is read by somebody, and its volumes lie where the services are told to look."""
    known = set().union(*map(variables, SETTINGS.values()))

    assert image_environment().keys() <= known
    assert image_environment()["LUMILIO_HEALTH_PORT"] == "8081"


def test_services_wait_for_the_schema_and_the_command_for_the_servers() -> None:
    """Nothing starts on an older schema, and `migrate` only when both servers answer."""
    workers = SETTINGS.keys() - {"ml-server"}

    assert all(
        SERVICES[name]["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}} for name in workers
    )
    assert SERVICES["migrate"]["depends_on"] == {
        "postgres": {"condition": "service_healthy"},
        "nats": {"condition": "service_healthy"},
    }
    assert SERVICES["migrate"]["command"][0] == "migrate"


def test_the_bus_is_as_durable_and_as_closed_as_the_embedded_one() -> None:
    """Both configurations say the same but for addresses, the store, where the password comes from, and other nodes."""
    embedded = nats_server.CONFIGURATION.format(
        port=4222,
        monitor_port=8222,
        max_payload=nats_server.MAX_PAYLOAD,
        max_file_store=nats_server.MAX_FILE_STORE,
        store='"/data"',
        user='"lumilio"',
        password="$NATS_PASSWORD",
    )
    mounted = next(volume.split(":")[0] for volume in SERVICES["nats"]["volumes"] if volume.endswith(":/etc/nats:ro"))
    ours = re.sub(r" *#.*", "", (DEPLOY / mounted / "nats.conf").read_text())
    for_clusters = ['lame_duck_grace_period: "5s"', 'lame_duck_duration: "30s"', "include ./cluster.conf"]

    same = embedded.replace("127.0.0.1", "0.0.0.0").replace("server_name: lumilio", "server_name: $SERVER_NAME")
    assert ours.split() == [*same.split(), *" ".join(for_clusters).split()]
    assert SERVICES["nats"]["environment"]["SERVER_NAME"] == "lumilio"
    assert re.sub(r"#.*", "", (DEPLOY / mounted / "cluster.conf").read_text()).strip() == ""


def test_the_database_loses_nothing_in_a_power_cut() -> None:
    """What services check at readiness is set where it cannot be missed, and pages carry checksums."""
    postgres = SERVICES["postgres"]

    assert {"-cfsync=on", "-cfull_page_writes=on", "-csynchronous_commit=on"} <= set(postgres["command"])
    assert "--data-checksums" in postgres["environment"]["POSTGRES_INITDB_ARGS"]


def test_the_database_has_room_for_its_largest_index() -> None:
    """What ml-dispatcher lets a build take fits beside the rest into the limit of memory, so nobody ends the server."""
    limit = SERVICES["postgres"]["deploy"]["resources"]["limits"]["memory"]

    assert int(limit.removesuffix("g")) * 1024 >= indexes.MOST_MEGABYTES + 256 + 512


def test_the_processor_has_memory_for_a_film_and_four_photos() -> None:
    """It decodes no more at once than fits, so less would leave cores idle that most machines have."""
    limit = SERVICES["processor"]["deploy"]["resources"]["limits"]["memory"]

    assert limit == "${LUMILIO_PROCESSOR_MEMORY:-4g}"
    assert photos_at_once(4, 4 << 30, films=1) == 4


def test_prometheus_finds_every_service() -> None:
    """The example names each as the network of the containers does, at the port that its image answers at."""
    (job,) = yaml.safe_load((DEPLOY / "monitoring/prometheus-compose.yaml").read_text())["scrape_configs"]
    port = image_environment()["LUMILIO_HEALTH_PORT"]

    asked = {target for one in job["static_configs"] for target in one["targets"]}

    assert asked == {f"{name}:{port}" for name in SETTINGS if "profiles" not in SERVICES[name]}
    assert job["job_name"] == "lumilio"


def test_every_variable_is_in_the_example(tmp_path: Path) -> None:
    """Whoever reads .env.example knows all that can be set; secrets have no value there, and no default elsewhere."""
    example = (DEPLOY / ".env.example").read_text()
    text = (DEPLOY / "compose.yaml").read_text()

    assert set(VARIABLE.findall(text)) <= set(re.findall(r"^#?(\w+)=", example, re.MULTILINE))
    secrets = set(re.findall(r"^(\w+)=$", example, re.MULTILINE))
    assert secrets == {"LUMILIO_POSTGRES_PASSWORD", "LUMILIO_NATS_PASSWORD", "LUMILIO_JWT_SECRET"}
    assert all(f"${{{secret}:?" in text and f"${{{secret}:-" not in text for secret in secrets)


def test_secrets_are_made_once_and_each_is_another(tmp_path: Path) -> None:
    """The first run makes a file that only its owner reads; the second one changes nothing."""
    for name in ("new-env.sh", ".env.example", "settings.env.example"):
        copy(DEPLOY / name, tmp_path)

    subprocess.run(["sh", tmp_path / "new-env.sh"], check=True)
    made = (tmp_path / ".env").read_text()
    subprocess.run(["sh", tmp_path / "new-env.sh"], check=True)

    secrets = re.findall(r"^LUMILIO_\w+=([0-9a-f]{64})$", made, re.MULTILINE)
    assert len(set(secrets)) == 3
    assert (tmp_path / ".env").stat().st_mode & 0o077 == 0
    assert (tmp_path / ".env").read_text() == made
    assert not re.search(r"^\w+=$", made, re.MULTILINE)
    assert (tmp_path / "settings.env").exists()


def test_the_context_of_images_is_small_and_has_no_secret() -> None:
    """Everything is left out but what images are made of; nothing that is let in is a secret or a catalogue."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    let_in = [line[1:] for line in lines if line.startswith("!")]

    assert "*" in lines
    assert sorted(let_in) == ["deploy/assemble.sh", "deploy/local", "libs", "protos", "requirements.lock", "services"]


def test_images_need_no_registry_but_for_their_base() -> None:
    """A base image is all that a build takes from a registry, and what it installs has its hash in the lock."""
    dockerfile = (DEPLOY / "Dockerfile").read_text()

    assert re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE) == ["${BASE}"] * 3
    assert not dockerfile.startswith("# syntax=")
    assert "USER 10001:10001" in dockerfile
    installs = re.findall(r"pip install.*", (DEPLOY / "assemble.sh").read_text())
    assert all("--require-hashes" in line or line.endswith("/assembly/wheels/*.whl") for line in installs)
