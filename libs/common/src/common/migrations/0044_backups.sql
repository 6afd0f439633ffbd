-- Why: whoever looks after a server wants to know when it was backed up last and whether that went well. And a database
-- that was restored knows nothing of what arrived after its backup, so nothing that lay on the disk by then is a leftover.

create table backups (
    backup_id bigint generated always as identity primary key,
    folder text not null,
    state text not null default 'running' check (state in ('running', 'made', 'failed')),
    began_at timestamptz not null default now(),
    ended_at timestamptz,
    bytes bigint,
    originals bigint,
    error text,
    check ((state = 'running') = (ended_at is null)),
    check ((state = 'failed') = (error is not null))
);
create index backups_made on backups (ended_at desc) where state = 'made';

-- When this history of the database began with a backup; null where it began with nothing.
alter table server add column restored_at timestamptz;
