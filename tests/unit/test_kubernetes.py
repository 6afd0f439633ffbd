"""The promises of the Kubernetes manifests, held against the files and against the code that they run."""

from collections.abc import Iterable
from typing import Any

import jsonschema_rs
import msgspec
import pytest
import yaml

from common import streams
from common.settings import PREFIX, Settings
from gateway.main import Settings as GatewaySettings
from ingest.main import IngestSettings
from lumilio.backup.retention import BackupSettings
from lumilio.main import parser
from lumilio.migrations import StreamSettings
from ml_dispatcher.settings import DispatcherSettings
from ml_server.settings import MlServerSettings
from processor.main import ProcessorSettings, photos_at_once
from syncer.main import SyncerSettings
from tests.support import manifests
from tests.support.manifests import Workload

SERVICES: dict[str, type[msgspec.Struct]] = {
    "gateway": GatewaySettings,
    "ingest": IngestSettings,
    "processor": ProcessorSettings,
    "syncer": SyncerSettings,
    "ml-dispatcher": DispatcherSettings,
    "ml-server": MlServerSettings,
}
COMMANDS: dict[str, type[msgspec.Struct]] = {
    "migrate": StreamSettings,
    "backup": BackupSettings,
    "command": BackupSettings,
}
OURS = 10001
EVERYWHERE = {"repositories", "private"}
WRITES = {"gateway": EVERYWHERE, "ingest": EVERYWHERE, "processor": EVERYWHERE, "syncer": {"repositories"}}
"""A syncer declares a repository offline when it cannot be written to."""
ELSEWHERE = {"cnpg.io/cluster", "acme.cert-manager.io/http01-solver"}
"""Labels that an operator gives to pods of its own."""
BUILT_IN = {"v1", "apps/v1", "batch/v1", "policy/v1", "autoscaling/v2", "networking.k8s.io/v1"}
HEALTH_PORT, GATEWAY_PORT, ML_PORT = 8081, 8080, 50051
CLOSE_SECONDS = 5

every_workload = pytest.mark.parametrize("workload", manifests.workloads(), ids=lambda workload: workload.name)
every_service = pytest.mark.parametrize(
    "workload", [one for one in manifests.workloads() if one.name in SERVICES], ids=lambda one: one.name
)
every_overlay = pytest.mark.parametrize("overlay", manifests.OVERLAYS)
needs_kubectl = pytest.mark.skipif(not manifests.can_build(), reason="kubectl is not installed")


def test_every_service_runs_and_so_do_migrations_and_backups() -> None:
    """Nothing that the product consists of is missing."""
    names = {workload.name for workload in manifests.workloads()}

    assert names == {*SERVICES, *COMMANDS, "nats", "postgres"}


@every_workload
def test_pods_are_restricted(workload: Workload) -> None:
    """No pod runs as root, gains rights, writes to its image or may talk to Kubernetes."""
    pod, container = workload.pod, workload.container

    assert pod["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False, "a Service called LUMILIO would set LUMILIO_PORT"
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod)
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert not any("hostPath" in volume for volume in pod["volumes"])


@every_workload
def test_all_of_ours_are_one_account(workload: Workload) -> None:
    """What one service writes another can read: all have the account that the images have."""
    if workload.name != "postgres":
        security = workload.pod["securityContext"]

        assert [security[key] for key in ("runAsUser", "runAsGroup", "fsGroup")] == [OURS] * 3


@every_workload
def test_resources_are_said(workload: Workload) -> None:
    """Every pod says what it needs, and has a limit of memory and of scratch."""
    resources = workload.container["resources"]

    assert set(resources["requests"]) == {"cpu", "memory"}
    assert "memory" in resources["limits"]
    assert all("sizeLimit" in volume["emptyDir"] for volume in workload.pod["volumes"] if "emptyDir" in volume)


def test_the_processor_has_memory_for_each_of_its_cores() -> None:
    """It decodes no more at once than fits, so less would leave a core idle."""
    (processor,) = [one for one in manifests.workloads() if one.name == "processor"]
    limits = processor.container["resources"]["limits"]
    cores, memory = int(limits["cpu"]), int(limits["memory"].removesuffix("Gi")) << 30

    assert photos_at_once(cores, memory, films=1) == cores


@every_workload
def test_images_are_named_as_they_are_built(workload: Workload) -> None:
    """Images are `lumilio/SERVICE` with the version of the kustomization; others have a version of their own."""
    image = workload.container["image"]
    set_by = [image for one in manifests.kustomizations().values() for image in one.get("images", [])]

    if workload.name in {"nats", "postgres"}:
        assert ":" in image
        assert not image.endswith(":latest")
    else:
        assert image == f"lumilio/{workload.name if workload.name in SERVICES else 'lumilio'}"
        assert [one["newTag"] for one in set_by if one["name"] == image] == ["0.1.0"]


@every_service
def test_services_are_asked_how_they_are(workload: Workload) -> None:
    """Each is asked at the port and the paths that it answers at, and a slow start is no reason to end it."""
    container, said = workload.container, _settings()
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    asked = {name: container[f"{name}Probe"]["httpGet"] for name in ("startup", "readiness", "liveness")}

    assert ports["health"] == int(said["LUMILIO_HEALTH_PORT"]) == HEALTH_PORT
    assert said["LUMILIO_HEALTH_HOST"] == "0.0.0.0"
    assert asked == {
        "startup": {"path": "/live", "port": "health"},
        "readiness": {"path": "/ready", "port": "health"},
        "liveness": {"path": "/live", "port": "health"},
    }


@every_workload
def test_whoever_is_stopped_has_the_time_to_end(workload: Workload) -> None:
    """A pod is killed only after its Service forgot it, requests ended and work was given back."""
    if workload.name in SERVICES:
        before = workload.container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        needed = before + float(_settings()["LUMILIO_STOP_SECONDS"]) + CLOSE_SECONDS

        assert workload.pod["terminationGracePeriodSeconds"] >= needed + 10
        assert (before > 0) == (workload.name == "gateway")
    else:
        assert workload.pod["terminationGracePeriodSeconds"] >= 30


@every_service
def test_replicas_are_spread_and_not_all_taken_at_once(workload: Workload) -> None:
    """Replicas go to different nodes where they can, and a drained node takes one at a time."""
    spread = workload.pod["topologySpreadConstraints"]
    budgets = [
        found for found in manifests.of_kind("PodDisruptionBudget") if found["metadata"]["name"] == workload.name
    ]

    assert {one["topologyKey"] for one in spread} == {"kubernetes.io/hostname", "topology.kubernetes.io/zone"}
    assert [budget["spec"]["maxUnavailable"] for budget in budgets] == [1]


@every_service
def test_only_who_must_may_write_to_repositories(workload: Workload) -> None:
    """Who only looks has mounts that can only be read."""
    mounts = {mount["name"]: mount for mount in workload.container["volumeMounts"]}
    for name in EVERYWHERE & set(mounts):
        assert mounts[name].get("readOnly", False) == (name not in WRITES.get(workload.name, set()))
    assert ("repositories" in mounts) == (workload.name != "ml-server")


@every_workload
def test_the_environment_says_what_the_code_reads(workload: Workload) -> None:
    """Every variable that a pod gets by name is a setting of its program, and no required one is missing."""
    kind = (SERVICES | COMMANDS).get(workload.name)
    if kind is None:
        return
    given = {variable["name"] for variable in workload.container["env"]}
    known = _names(kind) | _names(Settings) | ({"LUMILIO_SERVER"} if workload.name in COMMANDS else set())

    assert given <= known
    assert _required(kind) <= given | set(_settings())


@every_workload
def test_commands_are_ones_that_there_are(workload: Workload) -> None:
    """What a Job runs is what `lumilio` understands."""
    if workload.name == "command":
        assert workload.container["command"] == ["sleep", "infinity"]
    elif workload.name in COMMANDS:
        assert parser().parse_args(workload.container["args"]).run
    elif workload.name in SERVICES:
        assert not {"args", "command"} & set(workload.container)


def test_the_config_map_says_what_the_code_reads() -> None:
    """A setting with a slip of the pen would be passed over in silence, so every one is of some service."""
    known = set().union(*(_names(kind) for kind in SERVICES.values()))

    for place, said in manifests.settings().items():
        assert said <= known, place
        assert said, place


def test_settings_of_the_config_map_are_taken() -> None:
    """The gateway starts with what stands there."""
    fields = {name.removeprefix(PREFIX).lower(): value for name, value in _settings().items()}
    given = {**fields, "database_url": "d", "nats_url": "n", "jwt_secret": "x" * 32}

    for kind in SERVICES.values():
        known = {
            name: value for name, value in ({"models": "/models"} | given).items() if name in kind.__struct_fields__
        }
        msgspec.convert(known, kind, strict=False)


@every_workload
def test_secrets_and_config_maps_have_the_keys_that_are_asked_for(workload: Workload) -> None:
    """Nothing is asked of a Secret that its template lacks, nor of a ConfigMap that nobody makes."""
    templates, made = manifests.secrets(), _config_maps()
    for variable in workload.container.get("env", []):
        if "secretKeyRef" in variable.get("valueFrom", {}):
            asked = variable["valueFrom"]["secretKeyRef"]
            assert asked["key"] in templates[asked["name"]]
    for source in workload.container.get("envFrom", []):
        assert source["configMapRef"]["name"] in made
    for volume in workload.pod["volumes"]:
        if "secret" in volume:
            assert {one["key"] for one in volume["secret"]["items"]} <= set(templates[volume["secret"]["secretName"]])
        if "configMap" in volume:
            assert volume["configMap"]["name"] in made


def test_no_secret_is_in_the_template() -> None:
    """What stands there is a place to fill, and the gateway would not start with it."""
    for name, values in manifests.secrets().items():
        assert all("REPLACE-ME" in value for key, value in values.items() if key != "username"), name


@every_workload
def test_volumes_are_claimed_and_mounted(workload: Workload) -> None:
    """Every mount has its volume, every volume its claim, and nothing is claimed for nobody."""
    claims = {claim["metadata"]["name"] for claim in manifests.of_kind("PersistentVolumeClaim")}
    used = {
        one["persistentVolumeClaim"]["claimName"] for one in workload.pod["volumes"] if "persistentVolumeClaim" in one
    }
    mounted = {mount["name"] for mount in workload.container["volumeMounts"]}

    assert used <= claims
    assert mounted - {"data"} == {volume["name"] for volume in workload.pod["volumes"]}


def test_every_selector_means_some_pod() -> None:
    """A Service, a budget or a policy that means nobody is a slip of the pen."""
    pods = [workload.labels for workload in manifests.workloads()]
    for found in manifests.objects():
        for selector in manifests.selectors(found.get("spec", {})):
            if not ELSEWHERE & set(selector.get("matchLabels", {})):
                assert any(manifests.chooses(selector, labels) for labels in pods), (
                    found["metadata"]["name"],
                    selector,
                )


def test_services_lead_to_ports_that_are_open() -> None:
    """The port of a Service is one of the pods that it means."""
    for service in manifests.of_kind("Service"):
        for workload in manifests.workloads():
            if manifests.chooses(service["spec"]["selector"], workload.labels):
                ports = {port["name"] for port in workload.container["ports"]}
                assert {port["targetPort"] for port in service["spec"]["ports"]} <= ports


def test_nobody_is_reached_who_is_not_named() -> None:
    """All traffic is refused in both directions, then allowed path by path, and each path has both of its ends."""
    policies = {policy["metadata"]["name"]: policy["spec"] for policy in manifests.of_kind("NetworkPolicy")}

    assert policies["deny-by-default"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    assert _reached("Ingress") == {
        ("gateway", GATEWAY_PORT),
        *((service, HEALTH_PORT) for service in SERVICES),
        ("ml-server", ML_PORT),
        ("postgres", 5432),
        *(("nats", port) for port in (4222, 6222, 8222)),
    }
    assert {name for name, labels in _labels().items() if labels.get("lumilio/uses") == "record"} == {
        *(set(SERVICES) - {"ml-server"}),
        *COMMANDS,
    }


def test_every_path_has_two_ends() -> None:
    """Who may ask somebody is somebody whom that one lets in; so commands that sign in reach the server."""
    entered = _paths("Ingress", "from")

    assert ("command", "gateway", GATEWAY_PORT) in _paths("Egress", "to")

    for asking, asked, port in _paths("Egress", "to"):
        assert (asked, asking, port) in entered, (asking, asked, port)


@every_overlay
def test_overlays_name_what_is_there(overlay: str) -> None:
    """Everything that an overlay or a component builds on is a file or a folder, and its patches can be read."""
    for folder, kustomization in manifests.kustomizations().items():
        for name in (*kustomization.get("resources", []), *kustomization.get("components", [])):
            assert (manifests.ROOT / folder / name).exists(), (folder, name)
        for patch in kustomization.get("patches", []):
            text = patch["patch"] if "patch" in patch else (manifests.ROOT / folder / patch["path"]).read_text()
            assert list(yaml.safe_load_all(text))


def test_the_cluster_keeps_every_message_on_all_of_its_nodes() -> None:
    """Three nodes, three copies, and never two nodes on one machine."""
    patch, _ = manifests.read(manifests.ROOT / "components/nats-cluster/nats.yaml")
    made = manifests.kustomizations()["components/nats-cluster"]["configMapGenerator"]
    literals = [literal for one in made for literal in one.get("literals", [])]

    assert patch["spec"]["replicas"] == 3
    assert literals == ["LUMILIO_STREAM_REPLICAS=3"]
    assert [one["whenUnsatisfiable"] for one in patch["spec"]["template"]["spec"]["topologySpreadConstraints"]] == [
        "DoNotSchedule"
    ]


@needs_kubectl
@every_overlay
def test_overlays_build(overlay: str) -> None:
    """What comes out is whole: one namespace, no image without a version, the settings of this overlay."""
    built = manifests.built(overlay)
    images = {_pod(found)["containers"][0]["image"] for found in built if found["kind"] in manifests.WITH_PODS}

    assert {found["metadata"].get("namespace", "lumilio") for found in built} == {"lumilio"}
    assert all(":" in image and not image.endswith(":latest") for image in images)
    assert {"Deployment", "Job", "CronJob", "NetworkPolicy", "PodDisruptionBudget"} <= {
        found["kind"] for found in built
    }


@needs_kubectl
@every_overlay
def test_overlays_are_what_kubernetes_takes(overlay: str) -> None:
    """Each object follows the schema of Kubernetes 1.30, 1.32 and the newest, and knows no other fields."""
    validate = pytest.importorskip("kubernetes_validate")
    for found in manifests.built(overlay):
        if found["kind"] not in manifests.custom_kinds():
            for version in ("1.30", "1.32", validate.latest_version()):
                validate.validate(found, version, strict=True)


def test_custom_resources_are_what_their_projects_take() -> None:
    """Each object of a kind that is no part of Kubernetes follows its reference, and knows no other fields."""
    found = {one["kind"]: one for one in manifests.objects() if one["apiVersion"] not in BUILT_IN}
    schemas = manifests.custom_kinds()

    assert found.keys() == schemas.keys()
    for one in manifests.objects():
        if one["kind"] in schemas:
            jsonschema_rs.validate(schemas[one["kind"]], one)
    for kind, one in found.items():
        with pytest.raises(jsonschema_rs.ValidationError):
            jsonschema_rs.validate(schemas[kind], {**one, "spec": {**one["spec"], "replicas": 1}})


def test_the_database_is_found_from_other_namespaces() -> None:
    """KEDA asks it from its own namespace, where a name without ours means nothing."""
    for key in ("uri", "replica-uri"):
        assert ".lumilio.svc:5432/" in manifests.secrets()["lumilio-database"][key]


def test_databases_know_all_letters() -> None:
    """Names of people and files are compared whatever their case, in other alphabets as well."""
    (cluster,) = manifests.of_kind("Cluster")
    (postgres,) = [one for one in manifests.workloads() if one.name == "postgres"]
    environment = {one["name"]: one.get("value", "") for one in postgres.container["env"]}

    assert "--builtin-locale=C.UTF-8" in environment["POSTGRES_INITDB_ARGS"]
    assert cluster["spec"]["bootstrap"]["initdb"]["builtinLocale"] == "C.UTF-8"


def test_a_password_of_digits_is_no_number() -> None:
    """NATS reads what its environment says as it reads its file, so a password stands there in quotes."""
    (nats,) = [one for one in manifests.workloads() if one.name == "nats"]

    assert {one["name"]: one.get("value") for one in nats.container["env"]}["NATS_PASSWORD"] == '"$(PASSWORD)"'


@needs_kubectl
def test_two_of_everything_run_in_a_cluster() -> None:
    """In the overlay `ha` nothing stands on one pod: who is not scaled has two, and who is scaled never has fewer."""
    built = manifests.built("ha")
    replicas = {
        found["metadata"]["name"]: found["spec"].get("replicas") for found in built if found["kind"] == "Deployment"
    }
    least = {
        found["spec"]["scaleTargetRef"]["name"]: found["spec"].get("minReplicas", found["spec"].get("minReplicaCount"))
        for found in built
        if found["kind"] in {"ScaledObject", "HorizontalPodAutoscaler"}
    }

    assert {name: count for name, count in replicas.items() if count} == {"syncer": 2, "ml-dispatcher": 2}
    assert least == {name: 2 for name, count in replicas.items() if count is None}


def test_messages_are_kept_as_the_code_wants_them() -> None:
    """The store has room for the stream, and takes its largest message."""
    text = (manifests.ROOT / "components/nats/nats.conf").read_text()

    assert f"max_payload: {streams.STREAM.max_msg_size}\n" in text
    assert f"max_file_store: {1024**3}\n" in text
    assert (streams.STREAM.max_bytes or 0) * 2 <= 1024**3


def _settings() -> dict[str, str]:
    lines = (manifests.ROOT / "base" / "settings.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def _names(kind: type[msgspec.Struct]) -> set[str]:
    return {PREFIX + name.upper() for name in kind.__struct_fields__}


def _required(kind: type[msgspec.Struct]) -> set[str]:
    return {PREFIX + field.name.upper() for field in msgspec.structs.fields(kind) if field.required}


def _config_maps() -> set[str]:
    return {made["name"] for one in manifests.kustomizations().values() for made in one.get("configMapGenerator", [])}


def _labels() -> dict[str, dict[str, str]]:
    return {workload.name: workload.labels for workload in manifests.workloads()}


def _chosen(selector: dict[str, Any]) -> set[str]:
    return {name for name, labels in _labels().items() if manifests.chooses(selector, labels)}


def _rules(direction: str) -> Iterable[tuple[set[str], dict[str, Any]]]:
    for policy in manifests.of_kind("NetworkPolicy"):
        for rule in policy["spec"].get(direction.lower(), []):
            yield _chosen(policy["spec"]["podSelector"]), rule


def _reached(direction: str) -> set[tuple[str, int]]:
    return {(name, port["port"]) for names, rule in _rules(direction) for name in names for port in rule["ports"]}


def _paths(direction: str, side: str) -> set[tuple[str, str, int]]:
    """Whom a policy is about, whom it names among the pods of this namespace, and the port."""
    return {
        (name, other, port["port"])
        for names, rule in _rules(direction)
        for name in names
        for peer in rule.get(side, [])
        if "podSelector" in peer and "namespaceSelector" not in peer
        for other in _chosen(peer["podSelector"])
        for port in rule["ports"]
    }


def _pod(found: dict[str, Any]) -> dict[str, Any]:
    spec = found["spec"]["jobTemplate"]["spec"] if found["kind"] == "CronJob" else found["spec"]
    pod: dict[str, Any] = spec["template"]["spec"]
    return pod
