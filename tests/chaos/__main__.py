# ruff: noqa: T201
"""`make chaos`: an hour of bad luck, told in a line of figures per experiment; status 1 if anything was lost."""

import asyncio
import json
import logging
import sys
import tempfile
import time
import traceback
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import structlog

from tests.chaos import disk_model, folder_storm
from tests.chaos.defects import find_defects
from tests.chaos.figures import Figures, line
from tests.chaos.guesses import guess
from tests.chaos.model import explore_for_long
from tests.chaos.power import cut_power
from tests.chaos.replicas import replace
from tests.chaos.scarce import run_short
from tests.chaos.storm import storm
from tests.chaos.upgrade import NotHere, upgrade

RESULTS = Path("bench/chaos.json")
INSTALLATIONS = 8
CUTS = 10

Experiment = Callable[[Path], Awaitable[Figures]]

EXPERIMENTS: dict[str, Experiment] = {
    **{
        f"power cuts {seed}": partial(cut_power, cuts=CUTS, whole=False, seed=seed)
        for seed in range(1, INSTALLATIONS + 1)
    },
    "storm": partial(storm, files=500),
    "storm of wipes": partial(storm, files=1000, wipes=30),
    "storm over a folder": partial(storm, files=2000, seed=1),
    "full disks and the like": partial(run_short, rounds=3),
    "deliberate defects": find_defects,
    "model": partial(explore_for_long, runs=300, steps=50),
    "storm in folders": partial(folder_storm.storm, files=5000, blows=20),
    "folders": partial(disk_model.explore_for_long, runs=150, steps=30),
    "contract": partial(guess, minutes=20),
    "upgrade": partial(upgrade, uploads=1000),
    "replicas": partial(replace, asked=90, killed=10),
    "power cuts of all": partial(cut_power, cuts=2 * CUTS, whole=True),
}


async def main(*wanted: str) -> bool:
    """Run the experiments whose names begin as wanted, or all of them; True when each one held."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    results = {
        name: await told(name, experiment)
        for name, experiment in EXPERIMENTS.items()
        if not wanted or name.startswith(wanted)
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=2) + "\n")
    return bool(results) and None not in results.values()


async def told(name: str, experiment: Experiment) -> Figures | None:
    """One experiment in a folder of its own, told in a line; None when it did not hold."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="lumilio-chaos-") as folder:
        try:
            figures = await experiment(Path(folder))
        except NotHere as reason:
            print(f"{name:<24} not run: {reason}", flush=True)
            return {}
        except Exception:  # noqa: BLE001  # the others are worth knowing as well
            traceback.print_exc()
            print(f"{name:<24} FAILED", flush=True)
            return None
    figures["duration s"] = time.monotonic() - began
    print(line(name, figures), flush=True)
    return figures


if __name__ == "__main__":
    sys.exit(0 if asyncio.run(main(*sys.argv[1:])) else 1)
