from pathlib import Path

import pytest

from tests.chaos.defect import Defect
from tests.chaos.defects import DEFECTS, ROOT


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_each_deliberate_defect_still_fits_the_code(tmp_path: Path, defect: Defect) -> None:
    """`make chaos` proves that each is found; whoever changes its lines writes the defect anew here and now."""
    damaged = tmp_path / defect.file
    damaged.parent.mkdir(parents=True)
    damaged.write_text((ROOT / defect.file).read_text())

    defect.apply(tmp_path)

    compile(damaged.read_text(), defect.file, "exec")
    assert (ROOT / defect.found_by.partition("::")[0]).exists()
