-- Why: the inbox complete. How a repository keeps its files moves into its marker, which people can edit and which
-- travels with the disk; uploads can be repeated and asked for; trashed originals know where they came from.

-- `private_root` is where `.lumilio` lies for a root that may not be written to; null means in the root itself.
alter table repositories
    drop column storage_strategy,
    drop column duplicate_names,
    add column private_root bytea unique;

-- A key makes repeating an upload harmless; `failed` is an upload whose bytes could not be kept, with the reason.
alter table uploads
    add column idempotency_key text check (char_length(idempotency_key) between 1 and 255),
    add column error text,
    drop constraint uploads_state_check,
    add constraint uploads_state_check check (state in ('staged', 'stored', 'duplicate', 'failed')),
    add constraint uploads_failed_check check ((state = 'failed') = (error is not null));
create unique index uploads_idempotency on uploads (owner_id, idempotency_key) where idempotency_key is not null;

-- The path that an original in the trash goes back to; null for one that is not there.
alter table file_records add column trashed_from bytea;

-- A stage that is not worked on for a while: who wants it so, why, and until when it lasts at most.
create table stage_pauses (
    stage text primary key,
    paused_by int not null references users,
    reason text not null,
    paused_at timestamptz not null default now(),
    until timestamptz not null
);
