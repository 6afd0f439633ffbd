"""Three assets that differ in everything, and which of them each field of a filter means."""

from typing import Any

from common.db import Pool
from tests.support.given import Repository, User
from tests.support.rows import do

# A: an old raw photo from Fiji with all that can be known. B: a video from Paris. C: a recording that says nothing.
MADE = """
    insert into assets (owner_id, content_hash, size, kind, mime_type, original_filename, uploaded_at, taken_at, liked)
    select {owner}, sha256(name::bytea), 1, kind, mime, name, uploaded, taken, name = 'A'
    from (values
        ('A', 'photo', 'image/x-canon-cr2', timestamptz '2026-01-01 00:00Z', timestamp '2001-02-03 04:05'),
        ('B', 'video', 'video/mp4', '2026-01-02 00:00Z', '2026-01-01 12:00'),
        ('C', 'audio', 'audio/mpeg', '2026-01-03 00:00Z', null)
    ) made (name, kind, mime, uploaded, taken);
    insert into asset_metadata (asset_id, facts)
    select asset_id, facts::jsonb
    from assets
    join (values
        ('A', '{{"camera_make": "Canon", "camera_model": "5D", "lens_model": "50mm", "iso_speed": 100, "rating": 5,
                 "gps_latitude": -17.5, "gps_longitude": 179.5, "country": "Fiji", "region": "North", "city": "Labasa",
                 "keywords": ["Places/Fiji/Labasa", "100%_\\\\\\\\"]}}'),
        ('B', '{{"camera_make": "Apple", "camera_model": "iPhone", "rating": 3, "gps_latitude": 48.8,
                 "gps_longitude": 2.3, "iso_speed": 3200, "country": "France", "city": "Paris",
                 "keywords": ["Places"]}}')
    ) said (name, facts) on name = original_filename
    where owner_id = {owner};
    insert into file_records (repository_id, path, display_name, asset_id, size, modified_ns, inode)
    select '{repository}', '{folder}'::bytea || path, '', asset_id, 1, 0, 0
    from assets
    join (values ('A', '\\x612f62ff2f782e6a7067'::bytea), ('B', 'a%2Fb/c.mp4'), ('C', 'ab/x.mp3')) at (name, path)
      on name = original_filename
    where owner_id = {owner};
    insert into labels (asset_id, label, owner_id, sort_at, score, source)
    select asset_id, 'Parus major', owner_id, sort_at, 0.9, 'species'
    from assets where original_filename = 'A' and owner_id = {owner};
    insert into stack_keys (owner_id, kind, key, asset_id, role)
    select owner_id, stacks.kind, key, asset_id, 'frame'
    from assets, (values ('burst', '1', 'AB'), ('live', '2', 'C')) stacks (kind, key, names)
    where names like '%' || original_filename || '%' and owner_id = {owner};
    insert into asset_stages (asset_id, stage, owner_id, state, error)
    select asset_id, 'render', owner_id, case original_filename when 'A' then 'failed' else 'done' end,
           case original_filename when 'A' then 'no image' end
    from assets where owner_id = {owner};
    insert into albums (owner_id, album_name) values ({owner}, 'One');
    insert into album_assets (album_id, asset_id, position)
    select album_id, asset_id, 1
    from albums join assets using (owner_id) where original_filename <> 'A' and owner_id = {owner};
"""
CASES: list[tuple[dict[str, Any], str]] = [
    ({}, "CBA"),
    ({"type": "PHOTO"}, "A"),
    ({"types": ["PHOTO", "AUDIO"]}, "CA"),
    ({"types": []}, ""),
    ({"owner_id": 999_999}, ""),
    ({"raw": True}, "A"),
    ({"raw": False}, "CB"),
    ({"rating": 5}, "A"),
    ({"rating": 0}, "C"),
    ({"rating_range": {"from": 3}}, "BA"),
    ({"rating_range": {"to": 3}}, "CB"),
    ({"liked": True}, "A"),
    ({"liked": False}, "CB"),
    ({"date": {"from": "2026-01-02T00:00:00Z"}}, "CB"),
    ({"date": {"from": "2026-01-02T01:00:00+01:00", "to": "2026-01-03T00:00:00Z"}}, "B"),
    ({"taken": {"to": "2001-02-03T04:05:01"}}, "A"),
    ({"taken": {"from": "2001-02-03T04:05:01", "to": "2026-01-01T12:00:00"}}, ""),
    ({"camera_make": "Canon"}, "A"),
    ({"camera": "iPhone"}, "B"),
    ({"lens": "50mm"}, "A"),
    ({"iso": {"from": 101}}, "B"),
    ({"iso": {"from": 100, "to": 100}}, "A"),
    ({"country": "Fiji"}, "A"),
    ({"region": "North"}, "A"),
    ({"city": "Paris"}, "B"),
    ({"has_gps": True}, "BA"),
    ({"has_gps": False}, "C"),
    ({"bbox": {"west": 0, "south": 40, "east": 10, "north": 50}}, "B"),
    ({"bbox": {"west": 170, "south": -20, "east": -170, "north": 0}}, "A"),
    ({"bbox": {"west": -170, "south": -90, "east": 170, "north": 90}}, "B"),
    ({"bbox": {"west": 10, "south": 50, "east": 20, "north": 40}}, ""),
    ({"tag": "Places"}, "BA"),
    ({"tag": "Places/Fiji"}, "A"),
    ({"tag": "places"}, ""),
    ({"tag": "100%_\\\\"}, "A"),
    ({"tag": "100__\\\\"}, ""),
    ({"untagged": True}, "C"),
    ({"untagged": False}, "BA"),
    ({"label": "Parus major"}, "A"),
    ({"label": "'; drop table assets; --"}, ""),
    ({"album_id": 1}, "CB"),
    ({"album_id": 2}, ""),
    ({"stack": "burst"}, "BA"),
    ({"stack": "live"}, ""),
    ({"stage_state": {"state": "failed"}}, "A"),
    ({"stage_state": {"state": "failed", "stage": "place"}}, ""),
    ({"stage_state": {"state": "done", "stage": "render"}}, "CB"),
    ({"stage_state": {"state": "pending"}}, ""),
    ({"repository_id": "REPOSITORY"}, "CBA"),
    ({"repository_id": "00000000-0000-0000-0000-000000000000"}, ""),
    ({"repository_id": "REPOSITORY", "folder": "a"}, "A"),
    ({"repository_id": "REPOSITORY", "folder": "a%2Fb/"}, "B"),
    ({"repository_id": "REPOSITORY", "folder": "a%"}, ""),
    ({"repository_id": "REPOSITORY", "folder": "%"}, ""),
    ({"archived": "only"}, ""),
    ({"archived": "any"}, "CBA"),
    ({"trashed": True}, ""),
    ({"ids": []}, ""),
    ({"tag": "Places", "album_id": 1}, "B"),
    ({"tag": "Places", "label": "Parus major", "rating": 5, "raw": True, "stack": "burst"}, "A"),
    ({"camera": "5D", "city": "Paris"}, ""),
    ({"has_gps": True, "taken": {"from": "2020-01-01T00:00:00"}, "iso": {"from": 1}}, "B"),
    ({"city": "𠮷\u0301%_\\"}, ""),
]
"""What is asked for, and the names of what is meant, the newest first."""


async def make_three(pool: Pool, user: User, repository: Repository, *, folder: str = "") -> None:
    """They are this user's from now on, and lie in this folder of the repository."""
    told = {"owner": user.user_id, "repository": repository.repository_id, "folder": folder}
    for statement in MADE.format(**told).split(";\n"):
        await do(pool, statement)
