-- Why: who leaves is kept out at once, and what becomes of their photos is worked off afterwards, some at a time, by
-- whatever process is there; what they asked for as administrators outlives them.

create table departures (
    user_id int primary key references users on delete cascade,
    fate text not null check (fate in ('transfer', 'trash_and_purge')),
    receiver_id int references users check (receiver_id <> user_id),
    asked_by int references users on delete set null,
    asked_at timestamptz not null default now(),
    check ((fate = 'transfer') = (receiver_id is not null))
);
create index departures_receiver on departures (receiver_id) where receiver_id is not null;

alter table purges
    drop constraint purges_asked_by_fkey,
    add constraint purges_asked_by_fkey foreign key (asked_by) references users on delete set null;
alter table sync_operations
    drop constraint sync_operations_requested_by_fkey,
    add constraint sync_operations_requested_by_fkey foreign key (requested_by) references users on delete set null;
