"""The stubs beside the protocol are those of its text."""

import subprocess
import sys
from pathlib import Path

PROTOS = Path(__file__).parents[2] / "protos"
PROTO = "home_native/v1/ml_service.proto"


def test_stubs_are_those_of_the_protocol(tmp_path: Path) -> None:
    """`make protos` was run after its last change."""
    out = [f"--{kind}_out={tmp_path}" for kind in ("python", "pyi", "grpc_python")]
    subprocess.run([sys.executable, "-m", "grpc_tools.protoc", f"-I{PROTOS}", *out, PROTO], check=True, cwd=PROTOS)

    made = {path.name: path.read_text() for path in tmp_path.rglob("*.py*")}

    assert len(made) == 3
    for name, text in made.items():
        assert (PROTOS / "home_native/v1" / name).read_text() == text, f"run `make protos`: {name} is another"
