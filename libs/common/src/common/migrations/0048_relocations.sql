-- Why: an operator changes how the inbox of a repository is ordered, and what lies there already is to follow.

-- The wish, worked off by ingest; one of a repository at a time. `marked_at` is when the marker said so, `listed_to` how far
-- the originals of this `round` are listed (null at its end), and `tidied_at` when nothing was left to do. `trouble` is what
-- keeps it waiting.
create table relocations (
    relocation_id bigint generated always as identity primary key,
    repository_id uuid not null references repositories on delete cascade,
    strategy text not null check (strategy in ('date', 'flat', 'cas', 'captured')),
    clash text not null default 'uuid' check (clash in ('uuid', 'rename')),
    state text not null default 'running' check (state in ('running', 'stopped', 'done')),
    asked_at timestamptz not null default now(),
    marked_at timestamptz,
    round int not null default 1,
    listed_to bytea default '',
    ended_at timestamptz,
    tidied_at timestamptz,
    trouble text,
    check ((state = 'running') = (ended_at is null))
);
create unique index relocations_running on relocations (repository_id) where state = 'running';
create index relocations_open on relocations (relocation_id) where tidied_at is null;

-- One original that is to lie elsewhere: where it was, and the name that it gets when that is free, or once it moved the one
-- that it has got.
create table moves (
    relocation_id bigint not null references relocations on delete cascade,
    file_record_id bigint not null,
    source bytea not null,
    goal bytea not null,
    state text not null default 'due' check (state in ('due', 'moved', 'left')),
    reason text,
    primary key (relocation_id, file_record_id),
    check ((state = 'left') = (reason is not null))
);
create index moves_due on moves (relocation_id, file_record_id) where state = 'due';
create index moves_file on moves (file_record_id);
