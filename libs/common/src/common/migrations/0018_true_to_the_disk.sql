-- Why: people keep folders of their own in a repository and change them with other programs; what lies there is in the
-- catalogue soon, stays itself when it moves, and is never lost by our mistake.

-- Whose assets become what is found in a repository; null means the first administrator's.
alter table repositories
    add column owner_id int references users,
    add column offline_reason text,
    add column watched text;

-- syncer: since when no file of it is left. It is hidden, kept, and comes back with its file.
alter table assets add column missing_since timestamptz;

-- found: there, but not what its asset is, or of none; to be read, or read and to be registered. other: nothing we
-- take.
-- `content_hash` and `mime_type` are of what was read there last, `size`, `modified_ns` and `inode` of the file then.
-- `read_after` is when it is to be read (again), null when it need not be; `trouble` is why that could not be done.
-- `missed` counts the whole scans that did not find it. `scrubbed_at` is when its bytes were compared last.
alter table file_records
    alter column display_name set default '',
    add column content_hash bytea check (octet_length(content_hash) = 32),
    add column mime_type text,
    add column read_after timestamptz,
    add column trouble text,
    add column missing_since timestamptz,
    add column missed int not null default 0,
    add column scrubbed_at timestamptz,
    drop constraint file_records_state_check,
    add constraint file_records_state_check check (state in ('found', 'present', 'missing', 'corrupt', 'other')),
    add constraint file_records_missing_check check (missing_since is null or state = 'missing');
update file_records f
set content_hash = a.content_hash, mime_type = a.mime_type
from assets a
where a.asset_id = f.asset_id;
create index file_records_unread on file_records (repository_id, read_after) where read_after is not null;
create index file_records_waiting on file_records (file_record_id) where state = 'found' and read_after is null;
create index file_records_gone on file_records (repository_id, inode) where state = 'missing';
create index file_records_gone_content on file_records (repository_id, content_hash) where state = 'missing';
create index file_records_scrub on file_records (repository_id, scrubbed_at nulls first) where state = 'present';
create index file_records_odd on file_records (repository_id, state) where state <> 'present';

-- The folders of the user area and when the names in each changed last, as far as that says something.
create table folders (
    repository_id uuid not null references repositories on delete cascade,
    path bytea not null,
    parent bytea not null,
    modified_ns bigint not null,
    primary key (repository_id, path)
);
create index folders_parent on folders (repository_id, parent);

-- A run over a repository or a folder of it, wished for or done. `asks` is how many files it would have to call missing,
-- which a person is to allow; `allowed` is what a person said.
create table sync_operations (
    operation_id bigint generated always as identity primary key,
    repository_id uuid not null references repositories on delete cascade,
    folder bytea not null default '',
    reason text not null
        check (reason in ('startup', 'daily', 'full', 'quick', 'watch', 'return', 'vanished', 'requested')),
    is_quick boolean not null default false,
    state text not null default 'queued' check (state in ('queued', 'running', 'done', 'partial', 'asking', 'failed')),
    requested_by int references users,
    allowed int,
    asks int,
    counts jsonb not null default '{}',
    error text,
    requested_at timestamptz not null default now(),
    started_at timestamptz,
    ended_at timestamptz
);
create index sync_operations_recent on sync_operations (repository_id, operation_id desc);
create index sync_operations_open on sync_operations (repository_id, operation_id) where state in ('queued', 'running');
