"""The Kubernetes manifests, as they are written: files, what is in them, and what a pod of each looks like."""

import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from shutil import which
from typing import Any, NamedTuple

import yaml

ROOT = Path(__file__).parents[2] / "deploy" / "kubernetes"
OVERLAYS = sorted(path.name for path in (ROOT / "overlays").iterdir())
WITH_PODS = {"Deployment", "StatefulSet", "Job", "CronJob"}
PATCHES = {"components/nats-cluster/nats.yaml", "components/replica/gateway.yaml"}
"""What is said here stands in a file of another component otherwise."""


class Workload(NamedTuple):
    """Something that runs pods, and what its pods are."""

    name: str
    kind: str
    labels: dict[str, str]
    pod: dict[str, Any]

    @property
    def container(self) -> dict[str, Any]:
        """The only one there is."""
        (container,) = self.pod["containers"]
        return dict(container)


def objects() -> list[dict[str, Any]]:
    """Every object of base and components."""
    files = sorted(ROOT.glob("base/*.yaml")) + sorted(ROOT.glob("components/*/*.yaml"))
    wanted = [path for path in files if path.name != "kustomization.yaml" and _relative(path) not in PATCHES]
    return [found for path in wanted for found in read(path)]


def read(path: Path) -> list[dict[str, Any]]:
    """The objects of a file."""
    return list(_parsed(path))


def kustomizations() -> dict[str, dict[str, Any]]:
    """Every kustomization, by its folder."""
    return {_relative(path.parent): read(path)[0] for path in sorted(ROOT.rglob("kustomization.yaml"))}


def workloads() -> list[Workload]:
    """Whatever runs pods, in base and components."""
    return [_workload(found) for found in objects() if found["kind"] in WITH_PODS]


def of_kind(kind: str) -> list[dict[str, Any]]:
    """The objects of a kind in base and components."""
    return [found for found in objects() if found["kind"] == kind]


def settings() -> dict[str, set[str]]:
    """Which settings each file or kustomization says, by its place."""
    lines = (ROOT / "base" / "settings.env").read_text().splitlines()
    said = {"base": {line.partition("=")[0] for line in lines if line and not line.startswith("#")}}
    for folder, kustomization in kustomizations().items():
        for made in kustomization.get("configMapGenerator", []):
            if made["name"] == "lumilio-settings" and "literals" in made:
                said[folder] = {literal.partition("=")[0] for literal in made["literals"]}
    return said


def secrets() -> dict[str, dict[str, str]]:
    """The Secrets that the template shows."""
    return {found["metadata"]["name"]: found["stringData"] for found in read(ROOT / "secrets.example.yaml")}


def built(overlay: str) -> list[dict[str, Any]]:
    """What `kubectl kustomize` makes of an overlay; only where there is kubectl."""
    command = ["kubectl", "kustomize", str(ROOT / "overlays" / overlay)]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    return [dict(found) for found in yaml.safe_load_all(made.stdout)]


def custom_kinds() -> dict[str, dict[str, Any]]:
    """The schema of each kind that is no part of Kubernetes."""
    return dict(read(Path(__file__).with_name("custom_resources.yaml"))[0])


def can_build() -> bool:
    """Whether this machine has kubectl."""
    return which("kubectl") is not None


def selectors(found: Any) -> Iterator[dict[str, Any]]:
    """Every selector of pods of this namespace in an object, wherever it stands."""
    if isinstance(found, list):
        for one in found:
            yield from selectors(one)
    elif isinstance(found, dict):
        if "namespaceSelector" not in found:
            yield from (found[key] for key in ("podSelector", "labelSelector", "selector") if key in found)
        for one in found.values():
            yield from selectors(one)


def chooses(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    """Whether a selector, or the plain labels of a Service, means a pod."""
    is_plain = not {"matchLabels", "matchExpressions"} & set(selector)
    wanted = selector if is_plain else selector.get("matchLabels", {})
    expressions = [] if is_plain else selector.get("matchExpressions", [])
    return all(labels.get(key) == value for key, value in wanted.items()) and all(
        labels.get(one["key"]) in one["values"] for one in expressions
    )


@cache
def _parsed(path: Path) -> list[dict[str, Any]]:
    return [dict(found) for found in yaml.safe_load_all(path.read_text())]


def _workload(found: dict[str, Any]) -> Workload:
    spec = found["spec"]["jobTemplate"]["spec"] if found["kind"] == "CronJob" else found["spec"]
    labels = spec["template"]["metadata"]["labels"]
    return Workload(found["metadata"]["name"], found["kind"], labels, spec["template"]["spec"])


def _relative(path: Path) -> str:
    return str(path.relative_to(ROOT))
