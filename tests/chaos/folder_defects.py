"""Mistakes in being true to people's own folders, and the tests that must see them."""

from tests.chaos.defect import Defect

SCANS = "services/syncer/src/syncer/scans.py"
READING = "services/syncer/src/syncer/reading.py"
SCANNING = "services/syncer/src/syncer/queries/scanning.py"
APPLYING = "services/syncer/src/syncer/queries/applying.py"
FOUND = "services/ingest/src/ingest/found.py"
OUTAGES = "tests/integration/test_outages.py"
TRUTH = "tests/integration/test_scan_truth.py"

FOLDER_DEFECTS = (
    Defect(
        "nobody looks again after a walk",
        SCANS,
        """
                 reporting.cancel()
-            await asyncio.to_thread(self.holding.look)
-            await asyncio.to_thread(held.check)
""",
        f"{OUTAGES}::test_what_was_opened_before_the_marker_was_seen_is_looked_at_again",
    ),
    Defect(
        "a walk of whatever lies there",
        SCANS,
        """
-            look = Look(held.path, self.area, ignored, frozenset(known))
+            look = Look(self.holding.repository.root, self.area, ignored, frozenset(known))
""",
        f"{OUTAGES}::test_what_lies_there_for_no_longer_than_a_walk_is_not_walked",
    ),
    Defect(
        "missing by half a walk",
        SCANS,
        """
-        if is_alarming or not tally.is_whole:
+        if is_alarming:
""",
        f"{OUTAGES}::test_a_folder_that_cannot_be_read_says_nothing_of_its_files",
    ),
    Defect(
        "nobody is asked",
        SCANS,
        """
         if self.area.is_whole and not tally.files:
-            return True
+            return False
""",
        f"{OUTAGES}::test_when_all_of_few_files_are_gone_somebody_is_asked",
    ),
    Defect(
        "changes without a lease",
        SCANS,
        """
             async with conn.transaction():
-                await self.holding.check(conn)
                 if not await apply(conn):
""",
        "tests/integration/test_two_syncers.py::test_a_scan_without_its_lease_applies_nothing",
    ),
    Defect(
        "a move told by the number of a file alone",
        SCANNING,
        """
-          and (d.size, d.modified_ns, d.inode) = (once.size, once.modified_ns, once.inode)
+          and d.inode = once.inode
...
-            select size, modified_ns, inode, max(path) filter (where kind = 'new') as path
+            select inode, max(path) filter (where kind = 'new') as path
...
-            group by size, modified_ns, inode
+            group by inode
""",
        f"{TRUTH}::test_a_number_that_was_used_again_is_no_move",
    ),
    Defect(
        "a missing file that is somewhere is shown",
        APPLYING,
        """
                 join file_records f on f.file_record_id = batch.file_record_id
                 where a.asset_id = batch.asset_id
-                  and a.content_hash = f.content_hash
                   and a.missing_since is not null
             )
             select batch.path, batch.moved_to, batch.asset_id, a.owner_id
""",
        f"{TRUTH}::test_a_text_that_was_a_picture_shows_nothing_by_moving",
    ),
    Defect(
        "an asset without a file stays",
        FOUND,
        """
-            await queries.hide_forsaken(conn, [one.asset_id for one in rest if one.asset_id is not None])
""",
        f"{TRUTH}::test_an_asset_whose_only_file_became_another_asset_is_hidden",
    ),
    Defect(
        "a file that is being written is taken",
        READING,
        """
-    if files.seen(os.fstat(descriptor)) != seen:
-        return nothing
""",
        "tests/integration/test_sync_promises.py::test_a_file_that_changes_while_it_is_read_is_not_taken",
    ),
)
