# ruff: noqa: T201
"""A library of a million assets, made by SQL in a minute or two, and always the same one.

`python -m tests.support.million URL [ASSETS]` fills a migrated database and tells whom to sign in as.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from common import db, passwords
from common.db import Connection

PASSWORD = "a long enough password"
SHARES = {"million": 80, "many": 90, "some": 95, "fewer": 98, "few": 99, "none": 100}
"""Of a hundred assets in a row, the numbers below which are whose."""
FILLED = [
    *("assets", "file_records", "asset_metadata", "asset_stages"),
    *("stack_keys", "asset_tags", "labels", "album_assets", "asset_texts"),
]

PICK = """
    create function pg_temp.pick(number bigint, salt int, among int) returns int language sql immutable
    return abs(hashint8extended(number, salt) % among)::int
"""
# Some of a few, often the first ones: the square of an even choice.
CHOOSE = """
    create function pg_temp.choose(number bigint, salt int, words text[]) returns text language sql immutable
    return words[1 + (pg_temp.pick(number, salt, 1000) ^ 2 / 1e6 * cardinality(words))::int % cardinality(words)]
"""
ASSETS = """
    insert into assets (asset_id, owner_id, content_hash, size, kind, mime_type, original_filename, uploaded_at,
                        stored_at, trashed_at, missing_since, archived_at, width, height, taken_at, thumbhash, liked,
                        rating, camera_make, camera, lens, iso, duration, latitude, longitude, country, region, city)
    select (lpad(to_hex((extract(epoch from uploaded_at) * 1000)::bigint), 12, '0') || '7' || substr(md5(n::text), 1, 3)
               || '8' || substr(md5(n::text), 4, 15))::uuid,
           (%(owners)s::int[])[1 + (select count(*) from unnest(%(shares)s::int[]) share where n %% 100 >= share)],
           sha256(n::text::bytea), 1000000 + n, kind,
           case kind when 'video' then 'video/mp4' when 'audio' then 'audio/mpeg'
                else case when pg_temp.pick(n, 1, 20) = 0 then 'image/x-canon-cr2' else 'image/jpeg' end end,
           case when pg_temp.pick(n, 2, 200) = 0 then format('東京旅行_%%s.jpg', n)
                when pg_temp.pick(n, 2, 200) = 1 then format('Été à la plage %%s.JPG', n)
                when age < 0.1 and pg_temp.pick(n, 2, 4000) = 2 then format('grandma-birthday-cake-%%s.jpg', n)
                when kind = 'video' then format('MVI_%%s.MP4', lpad((n %% 10000)::text, 4, '0'))
                when kind = 'audio' then format('Recording %%s.mp3', n)
                when pg_temp.pick(n, 2, 10) < 3 then format('PXL_%%s_%%s.jpg', to_char(taken_at, 'YYYYMMDD'), n)
                else format('IMG_%%s.JPG', lpad((n %% 10000)::text, 4, '0')) end,
           uploaded_at, uploaded_at,
           case when pg_temp.pick(n, 3, 1000) < 5 then uploaded_at + interval '1 day' end,
           case when pg_temp.pick(n, 3, 1000) = 5 then uploaded_at + interval '1 day' end,
           case when pg_temp.pick(n, 3, 1000) between 6 and 15 then uploaded_at + interval '1 day' end,
           case when kind <> 'audio' then 4000 end, case when kind <> 'audio' then 3000 end,
           case when pg_temp.pick(n, 4, 100) > 2 then taken_at end,
           substr(sha256(n::text::bytea), 1, 21), pg_temp.pick(n, 5, 50) = 0,
           case pg_temp.pick(n, 6, 100) when 0 then 5 when 1 then 4 when 2 then 4 when 3 then 3 when 4 then 2 end,
           split_part(camera, ' ', 1), substr(camera, strpos(camera, ' ') + 1),
           case when camera like 'Canon EOS%%' then
                     pg_temp.choose(n, 7, array['EF 50mm f/1.8', 'EF 24-70mm f/2.8L', 'EF 100mm f/2.8L', 'MP-E 65mm'])
                when camera is not null then split_part(camera, ' ', 2) || ' back camera' end,
           case when camera is not null then 100 << pg_temp.pick(n, 8, 6) end,
           case when kind <> 'photo' then 5 + pg_temp.pick(n, 9, 600) end,
           -60 + 130 * pg_temp.pick(place, 11, 10000) / 1e4 + pg_temp.pick(n, 12, 1000) / 1e4,
           -180 + 359 * pg_temp.pick(place, 13, 10000) / 1e4 + pg_temp.pick(n, 14, 1000) / 1e4,
           'Country ' || place %% 60, 'Region ' || place %% 200, 'City ' || place
    from (
        select n, age, uploaded_at, taken_at, kind,
               case when kind = 'audio' or pg_temp.pick(n, 15, 25) = 0 then null
                    when pg_temp.pick(n, 16, 20000) = 0 then 'Leica M11'
                    when age < 0.1 then 'Canon PowerShot G3'
                    when age < 0.35 then pg_temp.choose(n, 17, array['Canon EOS 5D', 'Apple iPhone 4'])
                    when age < 0.7 then pg_temp.choose(n, 17, array['Apple iPhone 7', 'Canon EOS 6D'])
                    else pg_temp.choose(n, 17, array['Apple iPhone 13', 'Canon EOS R5', 'FUJIFILM X-T4']) end as camera,
               case when pg_temp.pick(n, 18, 5) > 0
                    then (pg_temp.pick(n / 50, 19, 1000) ^ 3 / 1e9 * 400)::int end as place
        from (
            select n, age, timestamptz '2019-06-01 12:00Z' + age * interval '2700 days' as uploaded_at,
                   case when age < 0.55 then timestamp '2005-01-01 08:00' + age / 0.55 * interval '5325 days'
                        when age < 0.675 then timestamp '2019-08-01' + (age - 0.55) / 0.125 * interval '31 days'
                        else timestamp '2019-09-01' + (age - 0.675) / 0.325 * interval '2600 days'
                   end + pg_temp.pick(n, 20, 7200) * interval '1 s' as taken_at,
                   case pg_temp.pick(n, 21, 100) when 0 then 'audio' when 1 then 'video' when 2 then 'video'
                        when 3 then 'video' when 4 then 'video' else 'photo' end as kind
            from (select n, n::float / %(assets)s as age from generate_series(1, %(assets)s) n) numbered
        ) dated
    ) placed
"""
FILES = """
    insert into file_records (repository_id, path, display_name, asset_id, size, modified_ns, inode, content_hash)
    select %(repository)s, convert_to(format('%%s/%%s/%%s-%%s', owner_id, to_char(sort_at, 'YYYY/MM'), size,
           original_filename), 'UTF8'), original_filename, asset_id, size, 0, size, content_hash
    from assets
"""
# What the columns were derived from, as a trigger would have done it.
METADATA = """
    insert into asset_metadata (asset_id, facts)
    select asset_id, jsonb_strip_nulls(jsonb_build_object(
               'taken_time', taken_at, 'camera_make', camera_make, 'camera_model', camera, 'lens_model', lens,
               'iso_speed', iso, 'rating', rating, 'duration', duration, 'gps_latitude', latitude,
               'gps_longitude', longitude, 'country', country, 'region', region, 'city', city,
               'dimensions', '4000x3000', 'resolution', '12MP', 'f_number', 2.8, 'exposure_time', '1/125',
               'exposure', 0,
               'title', case when pg_temp.pick(size, 30, 100) = 0 then initcap(pg_temp.choose(size, 31, %(words)s)) end,
               'description', case when pg_temp.pick(size, 30, 100) between 1 and 5 then concat_ws(' ',
                   pg_temp.choose(size, 32, %(words)s), pg_temp.choose(size, 33, %(words)s), 'with',
                   pg_temp.choose(size, 34, %(words)s), 'number' || size, '日本の夏') end,
               'keywords', nullif(array_to_json(array_remove(array[
                   case when pg_temp.pick(size, 35, 10) < 3
                        then 'Family/' || pg_temp.choose(size, 36, array['Anna', 'Ben', 'Clara', 'Dan', 'Eva']) end,
                   case when pg_temp.pick(size, 37, 10) = 0 then 'Places/' || city end,
                   case when pg_temp.pick(size, 38, 20000) = 0 then 'Sky/Comet' end,
                   case when sort_at < '2007-01-01' and pg_temp.pick(size, 39, 8) = 0 then 'Events/Expo' end
               ], null))::jsonb, '[]')))
    from assets
"""
STAGES = """
    insert into asset_stages (asset_id, stage, owner_id, state, error, error_class)
    select asset_id, stage, owner_id, case when is_broken then 'failed' else 'done' end,
           case when is_broken then 'no image' end, case when is_broken then 'permanent' end
    from assets,
         unnest(array['place', 'render']) stage,
         lateral (select stage = 'render' and pg_temp.pick(size, 40, 5000) = 0 as is_broken) broken
"""
STACKS = """
    insert into stack_keys (owner_id, kind, key, asset_id, role)
    select owner_id, 'burst', (size / 300)::text, asset_id, 'frame'
    from assets
    where size %% 300 < 5
"""
TAGS = """
    insert into tags (owner_id, path)
    select distinct owner_id, path
    from assets
    join asset_metadata using (asset_id), tag_paths(facts -> 'keywords')
    where facts ? 'keywords'
    order by owner_id, path
"""
TAGGED = """
    insert into asset_tags (tag_id, asset_id, sort_at, is_own)
    select tag_id, asset_id, sort_at, is_own
    from assets
    join asset_metadata using (asset_id), tag_paths(facts -> 'keywords')
    join tags using (path)
    where facts ? 'keywords'
      and tags.owner_id = assets.owner_id
"""
LABELS = """
    insert into labels (asset_id, label, owner_id, sort_at, score, source)
    select asset_id,
           case pg_temp.pick(size, 50, 5000) when 0 then 'Parus major' else pg_temp.choose(size, 51, %(words)s) end,
           owner_id, sort_at, 0.5 + pg_temp.pick(size, 52, 50) / 100.0, 'species'
    from assets
    where kind = 'photo'
      and pg_temp.pick(size, 53, 5) = 0
"""
# Every 16th asset of the first owner is in the large album, and a few in small ones.
ALBUMS = """
    insert into albums (owner_id, album_name)
    select %(first)s, case n when 1 then 'Large' else 'Album ' || n end from generate_series(1, 50) n
"""
IN_ALBUMS = """
    insert into album_assets (album_id, asset_id, position, added_by, sort_at, is_there)
    select album_id, asset_id, row_number() over (partition by album_id order by sort_at) << 40, %(first)s, sort_at,
           trashed_at is null and missing_since is null
    from assets
    join albums on album_name = case when size / 100 %% 16 = 0 then 'Large'
                                     when pg_temp.pick(size, 60, 1000) = 0
                                     then 'Album ' || 2 + pg_temp.pick(size, 61, 49) end
    where assets.owner_id = %(first)s
"""
WORDED = """
    insert into asset_texts (asset_id, owner_id, sort_at, words)
    select asset_id, owner_id, sort_at, asset_words(original_filename, facts, edits)
    from assets
    join asset_metadata using (asset_id)
"""
COUNTS = """
    insert into day_counts (owner_id, day, kind, shown, files, bytes)
    select owner_id, sort_at::date, kind, sum(is_shown::int), count(*), sum(size) from assets group by 1, 2, 3
"""
MONTHS = """
    insert into month_counts (owner_id, month, kind, shown, files, bytes)
    select owner_id, date_trunc('month', day)::date, kind, sum(shown), sum(files), sum(bytes)
    from day_counts
    group by 1, 2, 3
"""
STATEMENTS = (ASSETS, FILES, METADATA, STAGES, STACKS, TAGS, TAGGED, LABELS, ALBUMS, IN_ALBUMS, WORDED, COUNTS, MONTHS)
WORDS = [
    *("summer", "winter", "garden", "beach", "mountain", "river", "birthday", "wedding", "dinner", "evening"),
    *("grandmother", "cousin", "bicycle", "sailing", "festival", "school", "concert", "market", "harbour", "castle"),
    *("forest", "meadow", "lighthouse", "waterfall", "snowman", "picnic", "carousel", "telescope", "eclipse"),
    "zeppelin",
]


@dataclass(frozen=True)
class Library:
    """What was made: the owners by name, the first of whom has 80 of 100 assets, the repository and the large album."""

    owners: dict[str, int]
    repository_id: UUID
    album_id: int


async def seed(database_url: str, *, assets: int = 1_000_000) -> Library:
    """Fill a migrated database; everybody's password is `PASSWORD`. What triggers would do is done at once."""
    async with db.alone(database_url) as conn:
        owners = await _users(conn)
        repository = await _one(
            conn,
            "insert into repositories (name, root) values ('Million', '/million'::bytea) returning repository_id",
        )
        values = {
            "assets": assets,
            "owners": list(owners.values()),
            "shares": list(SHARES.values())[:-1],
            "first": owners["million"],
            "repository": repository,
            "words": WORDS,
        }
        async with _without_indexes(conn):
            for statement in (PICK, CHOOSE):
                await conn.execute(statement)
            for statement in STATEMENTS:
                await conn.execute(statement, values)
        await conn.execute("vacuum analyze")
        album = await _one(conn, "select album_id from albums where album_name = 'Large'")
    return Library(owners, repository, album)


async def _users(conn: Connection) -> dict[str, int]:
    password_hash = passwords.hashed(PASSWORD)
    made = "insert into users (username, email, password_hash) values (%s, %s, %s) returning user_id"
    return {name: await _one(conn, made, name, f"{name}@localhost", password_hash) for name in SHARES}


@asynccontextmanager
async def _without_indexes(conn: Connection) -> AsyncIterator[None]:
    """Indexes are made in the end at once, and neither triggers nor foreign keys are asked."""
    found = await conn.execute(
        """
        select indexrelid::regclass::text, pg_get_indexdef(indexrelid)
        from pg_index i
        where indrelid = any(%s::regclass[])
          and not exists (select from pg_constraint c where c.conindid = i.indexrelid)
        """,
        (FILLED,),
    )
    indexes = dict(await found.fetchall())
    await conn.execute("set session_replication_role = replica")
    for name in indexes:
        await conn.execute(f"drop index {name}".encode())
    yield
    await conn.execute("set maintenance_work_mem = '256MB'")
    for definition in indexes.values():
        await conn.execute(definition.encode())
    await conn.execute("set session_replication_role = origin")


async def _one(conn: Connection, statement: str, *values: object) -> Any:
    return (await (await conn.execute(statement.encode(), values)).fetchall())[0][0]


async def _main(database_url: str, assets: str = "1000000") -> None:
    began = time.monotonic()
    library = await seed(database_url, assets=int(assets))
    print(f"{assets} assets in {time.monotonic() - began:.0f} s: {library}; the password is {PASSWORD!r}")


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
