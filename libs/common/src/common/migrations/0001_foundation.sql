-- Why: the record. Disk and these tables are the truth; everything on the bus can be rebuilt from them.

-- One row. `epoch` names this history of the database; a restore is to give it a new one, so that message ids differ.
create table server (
    single boolean primary key default true check (single),
    epoch uuid not null default gen_random_uuid()
);
insert into server default values;

create table users (
    user_id int generated always as identity primary key,
    username text not null unique check (char_length(username) between 3 and 50),
    email text not null unique check (char_length(email) <= 254),
    password_hash text not null,
    is_admin boolean not null default false,
    is_active boolean not null default true,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    last_login timestamptz
);

-- Only hashes of tokens; a family is one login and dies whole when one of its tokens is used twice. A token's successor is
-- derived from it with the server's secret, so that nothing here can be replayed.
create table refresh_tokens (
    token_hash bytea primary key check (octet_length(token_hash) = 32),
    family_id uuid not null,
    user_id int not null references users on delete cascade,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    used_at timestamptz,
    revoked_at timestamptz
);
create index refresh_tokens_family on refresh_tokens (family_id);
create index refresh_tokens_user on refresh_tokens (user_id);

-- A managed tree of originals on disk; `root` is absolute, every other path is relative to one.
create table repositories (
    repository_id uuid primary key default uuidv7(),
    name text not null,
    root bytea not null unique,
    storage_strategy text not null default 'date' check (storage_strategy in ('date', 'flat', 'cas')),
    duplicate_names text not null default 'uuid' check (duplicate_names in ('uuid', 'rename', 'overwrite')),
    is_default boolean not null default false,
    state text not null default 'online' check (state in ('online', 'offline', 'readonly')),
    created_at timestamptz not null default now()
);
create unique index repositories_default on repositories (is_default) where is_default;

-- One photo, video or audio of one owner; its identity is the content.
-- gateway: first block and trashed_at; ingest: stored_at; processor: what it sees in the bytes.
create table assets (
    asset_id uuid primary key default uuidv7(),
    owner_id int not null references users,
    content_hash bytea not null check (octet_length(content_hash) = 32),
    size bigint not null check (size > 0),
    kind text not null check (kind in ('photo', 'video', 'audio')),
    mime_type text not null,
    original_filename text not null,
    uploaded_at timestamptz not null default now(),
    trashed_at timestamptz,

    stored_at timestamptz,

    width int,
    height int,
    taken_at timestamp,
    taken_offset_minutes int,
    taken_source text,
    taken_offset_source text,
    thumbhash bytea,
    perceptual_hash bigint,
    sort_at timestamp not null generated always as (coalesce(taken_at, uploaded_at at time zone 'UTC')) stored,

    unique (owner_id, content_hash)
);
create index assets_timeline on assets (owner_id, sort_at desc, asset_id desc) where trashed_at is null;
create index assets_kinds on assets (owner_id, kind, sort_at desc, asset_id desc) where trashed_at is null;

-- A person's act of sending bytes; the contract's task_id. Staged bytes live under `staged_name` until it is settled.
create table uploads (
    upload_id bigint generated always as identity primary key,
    owner_id int not null references users,
    repository_id uuid not null references repositories,
    asset_id uuid not null references assets on delete cascade,
    staged_name text not null unique,
    file_name text not null,
    size bigint not null,
    state text not null default 'staged' check (state in ('staged', 'stored', 'duplicate')),
    created_at timestamptz not null default now(),
    settled_at timestamptz
);
create index uploads_staged on uploads (asset_id) where state = 'staged';
create index uploads_recent on uploads (owner_id, upload_id desc);

-- One path in a repository. Paths are bytes because file names need not be UTF-8.
create table file_records (
    file_record_id bigint generated always as identity primary key,
    repository_id uuid not null references repositories,
    path bytea not null,
    display_name text not null,
    asset_id uuid references assets on delete set null,
    size bigint not null,
    modified_ns bigint not null,
    inode bigint not null,
    state text not null default 'present' check (state in ('present', 'missing', 'corrupt')),
    generation bigint not null default 0,
    verified_at timestamptz not null default now(),
    unique (repository_id, path)
);
create index file_records_asset on file_records (asset_id);

-- `facts` is what we read in the file, `edits` is what a person says; edits win.
create table asset_metadata (
    asset_id uuid primary key references assets on delete cascade,
    facts jsonb not null default '{}',
    notes text[] not null default '{}',
    edits jsonb not null default '{}'
);

create table thumbnails (
    asset_id uuid not null references assets on delete cascade,
    size text not null check (size in ('small', 'medium', 'large')),
    repository_id uuid not null references repositories,
    path bytea not null,
    mime_type text not null,
    width int not null,
    height int not null,
    bytes bigint not null,
    hash bytea not null check (octet_length(hash) = 32),
    primary key (asset_id, size)
);

-- Work is a row. `next_at` is null when there is nothing to do (blocked, done, failed), so those rows are not in the index
-- that claims walk. Claiming and renewing touch no column of any index or its predicate, so they are heap-only updates.
create table asset_stages (
    asset_id uuid not null references assets on delete cascade,
    stage text not null,
    owner_id int not null,
    lane smallint not null default 0,
    state text not null check (state in ('blocked', 'pending', 'running', 'done', 'failed')),
    next_at timestamptz,
    lease_epoch bigint not null default 0,
    lease_until timestamptz,
    deaths int not null default 0,
    failures int not null default 0,
    error_class text check (error_class in ('transient', 'permanent', 'poison', 'waiting')),
    error text,
    changed_at timestamptz not null default now(),
    primary key (asset_id, stage),
    check ((state in ('pending', 'running')) = (next_at is not null)),
    check ((state = 'running') = (lease_until is not null)),
    check (state <> 'failed' or error is not null)
) with (fillfactor = 70);
create index asset_stages_due on asset_stages (stage, lane, next_at, asset_id) where next_at is not null;
create index asset_stages_errors on asset_stages (stage, changed_at) where error is not null;

-- Events written with the change they announce; the relay publishes them, at least once.
create table outbox (
    outbox_id bigint generated always as identity primary key,
    subject text not null,
    owner_id int,
    body jsonb not null,
    created_at timestamptz not null default now(),
    published_at timestamptz
) with (autovacuum_vacuum_scale_factor = 0.02);
create index outbox_unpublished on outbox (outbox_id) where published_at is null;
create index outbox_published on outbox (published_at) where published_at is not null;

create table dead_letters (
    dead_letter_id bigint generated always as identity primary key,
    subject text not null,
    body bytea not null,
    reason text not null,
    received_at timestamptz not null default now()
);

-- What must be one in the whole system: named, held by database time.
create table leases (
    name text primary key,
    holder uuid not null,
    lease_until timestamptz not null
);
