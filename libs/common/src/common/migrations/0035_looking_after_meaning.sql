-- Why: models come, go and take each other's place; somebody has to see how far that is, among a million assets, at a glance.

-- `since` when a space has its state; `seen_at` when a server last offered its model.
alter table embedding_spaces
    add column since timestamptz not null default now(),
    add column seen_at timestamptz not null default now();

-- Assets are walked along again now and then, from `begun_at` on; the walk has reached the last of them when `filled_at`
-- is later.
alter table inference_stages
    add column wanted_at timestamptz not null default now(),
    add column begun_at timestamptz not null default now(),
    add column filled_at timestamptz;

-- Servers as each dispatcher sees them; it says so again as long as it lives.
create table inference_servers (
    address text not null check (char_length(address) between 1 and 300),
    dispatcher uuid not null,
    is_there boolean not null,
    tasks text[] not null,
    model text,
    slots int not null,
    busy int not null,
    complaint text,
    seen_at timestamptz not null default now(),
    primary key (address, dispatcher)
);

-- How many rows of each stage of meaning are open, done or failed: changes are written down, and added up from time to time.
create table stage_counts (
    stage text primary key,
    open bigint not null,
    done bigint not null,
    failed bigint not null
);
create table stage_count_changes (
    change_id bigint generated always as identity primary key,
    stage text not null,
    changed_at timestamptz not null default now(),
    open int not null,
    done int not null,
    failed int not null
) with (autovacuum_vacuum_scale_factor = 0.02);
create table stage_minutes (
    stage text,
    minute timestamptz,
    done int not null,
    primary key (stage, minute)
);

create function count_meaning() returns trigger language plpgsql as $$
begin
    insert into stage_count_changes (stage, open, done, failed)
    values (
        coalesce(new.stage, old.stage),
        (new.pile is not distinct from 'open')::int - (old.pile is not distinct from 'open')::int,
        (new.stage is not null and new.pile is null)::int - (old.stage is not null and old.pile is null)::int,
        (new.pile is not distinct from 'failed')::int - (old.pile is not distinct from 'failed')::int
    );
    return null;
end
$$;

create trigger asset_stages_count_new after insert on asset_stages
for each row when (new.stage ~ '^(embed:|classify$|faces$|texts$)') execute function count_meaning();
create trigger asset_stages_count_gone after delete on asset_stages
for each row when (old.stage ~ '^(embed:|classify$|faces$|texts$)') execute function count_meaning();
create trigger asset_stages_count_step after update of state on asset_stages
for each row when (old.pile is distinct from new.pile and new.stage ~ '^(embed:|classify$|faces$|texts$)')
execute function count_meaning();

insert into stage_counts (stage, open, done, failed)
select stage, count(*) filter (where pile = 'open'), count(*) filter (where pile is null), count(*) filter (where pile = 'failed')
from asset_stages
where stage ~ '^(embed:|classify$|faces$|texts$)'
group by stage;
