"""Deliberate defects, each put into a copy of the code; a test that lets one of them live is worth nothing."""

import asyncio
import os
import shutil
import sys
from pathlib import Path

from tests.chaos.defect import Defect
from tests.chaos.figures import Figures
from tests.chaos.folder_defects import FOLDER_DEFECTS

ROOT = Path(__file__).parents[2]
COPIED = ("libs", "services", "deploy", "tests", "pyproject.toml")
MEMBERS = ("common", "gateway", "ingest", "processor", "syncer", "lumilio")
TESTS_FAILED = 1

FILES = "libs/common/src/common/files.py"
DERIVED = "libs/common/src/common/derived_files.py"
PURGE = "services/ingest/src/ingest/purge.py"
PURGES = "tests/integration/test_purge.py"
QUERIES = "libs/common/src/common/queries.py"
UPLOADS = "services/gateway/src/gateway/uploads.py"
STAGING = "services/gateway/src/gateway/staging.py"
HOUSEKEEPING = "services/ingest/src/ingest/housekeeping.py"
SIDECARS = "libs/common/src/common/sidecars.py"
WRITE_BACK = "services/processor/src/processor/write_back.py"
TRANSCODING = "services/processor/src/processor/transcoding.py"
FILMS = "tests/integration/test_transcoding_faults.py"
FAULTS = "tests/integration/test_write_back_faults.py"


DEFECTS = (
    *FOLDER_DEFECTS,
    Defect(
        "event in a second transaction",
        UPLOADS,
        """
+        await conn.commit()
         await outbox.add(conn, event)
""",
        "tests/integration/test_gateway_crashes.py::"
        "test_a_crash_after_any_step_of_an_upload_leaves_all_of_it_or_nothing",
    ),
    Defect(
        "lease never taken over",
        QUERIES,
        """
-                  and (lease_until is null or lease_until <= now())
+                  and lease_until is null
""",
        "tests/integration/test_stages.py::test_a_dead_workers_row_comes_first",
    ),
    Defect(
        "no fence",
        QUERIES,
        """
-        where asset_id = %s and stage = %s and lease_epoch = %s and state = 'running'
+        where asset_id = %s and stage = %s and %s::bigint is not null and state = 'running'
         returning true
""",
        "tests/integration/test_stages.py::test_of_two_claims_the_newer_writes",
    ),
    Defect(
        "no fsync of the bytes",
        STAGING,
        """
-        os.fsync(self.descriptor)
""",
        "tests/chaos/test_power.py",
    ),
    Defect(
        "no fsync of the folder",
        FILES,
        """
         named(from_folder, name, to_folder, new_name)
-        os.fsync(to_folder)
""",
        "tests/integration/test_ingest.py::test_the_order_on_disk_and_in_the_database",
    ),
    Defect(
        "rename over the target",
        FILES,
        """
-        os.link(name, new_name, src_dir_fd=from_folder, dst_dir_fd=to_folder, follow_symlinks=False)
+        os.rename(name, new_name, src_dir_fd=from_folder, dst_dir_fd=to_folder)
""",
        "tests/unit/test_files.py::test_a_taken_name_is_never_replaced",
    ),
    Defect(
        "purge of other bytes",
        FILES,
        """
-        if hash_open(descriptor) != content_hash:
+        if len(hash_open(descriptor)) != len(content_hash):
""",
        f"{PURGES}::test_nothing_goes_unless_record_path_and_bytes_are_what_was_listed",
    ),
    Defect(
        "purge of what has another record",
        PURGE,
        """
-            if not await queries.lock_listed(conn, claim.asset_id, file.file_record_id, epoch=claim.epoch):
-                return False
""",
        f"{PURGES}::test_nothing_goes_unless_record_path_and_bytes_are_what_was_listed",
    ),
    Defect(
        "placing during a purge",
        "services/ingest/src/ingest/handlers.py",
        """
-        if asset.is_going:
-            raise Wait("the photo is being purged", after=BUSY_RETRY_SECONDS)
""",
        f"{PURGES}::test_what_is_sent_while_its_file_goes_is_placed_after_that",
    ),
    Defect(
        "clean-up without the lock",
        HOUSEKEEPING,
        """
-        is_abandoned = await asyncio.to_thread(self._is_abandoned, repository, path, now)
         async with self.pool.connection() as conn:
             state = await queries.lock_upload_state(conn, name.decode(errors="replace"))
-            if state == "staged" or (state is None and not is_abandoned):
-                return
+        is_abandoned = await asyncio.to_thread(self._is_abandoned, repository, path, now)
+        if state != "staged" and (state is not None or is_abandoned):
             await asyncio.to_thread(files.forget, repository.root, path)
""",
        "tests/integration/test_gateway_crashes.py::test_cleaning_looks_at_a_file_before_it_asks_for_its_row",
    ),
    Defect(
        "answer before the commit",
        UPLOADS,
        """
-        async with self.pool.connection() as conn, conn.pipeline() as pipeline:
+        conn = await self.pool.getconn()
+        async with conn.pipeline() as pipeline:
...
                 upload.file.keep()  # the commit that follows may happen even if we hear nothing of it
+
+        async def commit_later() -> None:
+            await asyncio.sleep(0.1)
+            await conn.commit()
+            await self.pool.putconn(conn)
+
+        asyncio.create_task(commit_later())
         return answer
""",
        "tests/integration/test_gateway_uploads.py::test_nobody_is_told_before_the_bytes_are_durable_and_have_rows",
    ),
    Defect(
        "no fsync of a sidecar",
        SIDECARS,
        """
         file.flush()
-        os.fsync(file.fileno())
""",
        f"{FAULTS}::test_the_order_of_writing",
    ),
    Defect(
        "no fsync of the folder of a sidecar",
        SIDECARS,
        """
                 os.rename(temporary, name, src_dir_fd=directory, dst_dir_fd=directory)
-            os.fsync(directory)
""",
        f"{FAULTS}::test_the_order_of_writing",
    ),
    Defect(
        "sidecar replaced without a look",
        SIDECARS,
        """
-            elif not _is_still(root, path, instead_of):
-                raise Changed
""",
        "tests/integration/test_write_back.py::test_what_was_changed_since_it_was_read_is_not_replaced",
    ),
    Defect(
        "nobody looks again",
        WRITE_BACK,
        """
-            await self._look_again(claim)
""",
        f"{FAULTS}::test_a_worker_that_slept_has_others_look_again",
    ),
    Defect(
        "no look at the fence amid a film",
        TRANSCODING,
        """
-        if again is None:
-            raise LeaseLost
""",
        f"{FILMS}::test_who_lost_the_lease_stops",
    ),
    Defect(
        "a film of a lost lease stays",
        TRANSCODING,
        """
-                for one in made if is_certain else ():
-                    await self._forget_own(claim, original, one)
                 raise
""",
        f"{FILMS}::test_one_that_is_too_late_takes_its_file_away",
    ),
    Defect(
        "a film named before it is whole",
        DERIVED,
        """
-    temporary = b".%s.tmp" % uuid4().hex.encode()
+    temporary = name
""",
        "tests/unit/test_files.py::test_where_every_file_has_a_name_one_in_the_making_is_hidden",
    ),
)


async def find_defects(folder: Path) -> Figures:
    """Every test passes on an undamaged copy, and each defect is found by its test."""
    sound = _copy(folder / "sound")
    code, told = await _run(sound, *dict.fromkeys(defect.found_by for defect in DEFECTS))
    assert code == 0, f"the undamaged copy fails:\n{told}"
    missed = [defect.name for defect in DEFECTS if not await _is_found(defect, folder)]
    assert not missed, f"not found: {', '.join(missed)}"
    return {"defects": len(DEFECTS), "found": len(DEFECTS)}


async def _is_found(defect: Defect, folder: Path) -> bool:
    copy = _copy(folder / defect.name.replace(" ", "-"))
    defect.apply(copy)
    code, told = await _run(copy, defect.found_by)
    assert code in {0, TESTS_FAILED}, f"the test of {defect.name!r} could not run:\n{told}"
    return code == TESTS_FAILED


def _copy(folder: Path) -> Path:
    """The code and its tests, without anything that was built from them."""
    folder.mkdir()
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        else:
            shutil.copy(ROOT / name, folder / name)
    return folder


async def _run(copy: Path, *tests: str) -> tuple[int, str]:
    """How tests end in a copy, and what they say; an AssertionError when other code than the copy's is imported."""
    sources = [os.fspath(source) for source in (*copy.glob("*/*/src"), *copy.glob("*/src"))]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sources)}
    asked = ", ".join(f"{name}.__file__" for name in MEMBERS)
    code, places = await _python(copy, environment, "-c", f"import {', '.join(MEMBERS)}; print({asked})")
    assert code == 0, places
    assert all(place.startswith(os.fspath(copy)) for place in places.split()), f"not the copy's: {places}"
    return await _python(copy, environment, "-m", "pytest", "-n", "0", "-x", "-p", "no:cacheprovider", *tests)


async def _python(copy: Path, environment: dict[str, str], *arguments: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        cwd=copy,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    told, _ = await process.communicate()
    return process.returncode or 0, told.decode()
