-- Why: what was thrown away goes for good some day, and then exactly the files that were meant and nothing else.

-- gateway, ingest: why an asset belongs into the trash, in words for people.
alter table assets add column trash_reason text;
create index assets_trash on assets (owner_id, trashed_at desc, asset_id desc) where trashed_at is not null;
create index assets_expiring on assets (trashed_at) where trashed_at is not null;

-- The wish that an asset goes for good, worked off by its purge stage. Until it began anybody may call it off by deleting
-- it; once it began, files may be gone.
create table purges (
    asset_id uuid primary key references assets on delete cascade,
    asked_by int references users,
    reason text not null check (reason in ('asked', 'expired')),
    asked_at timestamptz not null default now(),
    began_at timestamptz
);

-- Exactly these files may be removed, each while its record and its bytes are what stands here.
create table intents (
    asset_id uuid not null references purges on delete cascade,
    file_record_id bigint not null,
    repository_id uuid not null references repositories,
    path bytea not null,
    content_hash bytea not null check (octet_length(content_hash) = 32),
    primary key (asset_id, file_record_id)
);
