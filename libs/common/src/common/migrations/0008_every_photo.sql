-- Why: every still picture with right metadata. What a person says about it has columns of its own, which win; pictures that
-- belong together find each other by what they have in common; derived files that are no thumbnails get a table.

-- gateway: the time that a person says it was taken; null means that the file's word counts.
alter table assets
    add column edited_taken_at timestamp,
    add column edited_offset_minutes int;
alter table assets
    alter column sort_at set expression as (coalesce(edited_taken_at, taken_at, uploaded_at at time zone 'UTC'));

-- `version` is of the reader that read the facts, so that a better one finds what it should read again. `edited_place` is
-- where the position lies that a person gave, which the processor looks up.
alter table asset_metadata
    add column version int not null default 0,
    add column edited_place jsonb;

-- Assets of one owner with the same key belong together, whichever came first: a Live Photo's still and video, a raw file and
-- its JPEG, the frames of a burst. `role` is what the asset is among them. Nothing else says who is paired.
create table stack_keys (
    owner_id int not null references users,
    kind text not null check (kind in ('live', 'raw', 'burst')),
    key text not null,
    asset_id uuid not null references assets on delete cascade,
    role text not null check (role in ('still', 'motion', 'raw', 'developed', 'frame')),
    primary key (owner_id, kind, key, asset_id)
);
create index stack_keys_asset on stack_keys (asset_id);

-- Files made from an original that are no thumbnails; `motion` is the video that a motion photo carries inside.
create table renditions (
    asset_id uuid not null references assets on delete cascade,
    kind text not null,
    repository_id uuid not null references repositories,
    path bytea not null,
    mime_type text not null,
    bytes bigint not null,
    hash bytea not null check (octet_length(hash) = 32),
    primary key (asset_id, kind)
);
