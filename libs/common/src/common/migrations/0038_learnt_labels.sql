-- Why: people teach the server a word of their own by a few pictures, and find all others that show the same.

-- A word, and what was learnt of it: numbers by which a vector of its space is weighed, a last one behind them; what is not
-- below nought is meant. Who learns or applies it holds it until `lease_until`, and writes only while `lease_epoch` is what
-- they got. Vectors are gone through in the order of their assets, as far as `applied_to`. `error` says what it waits for,
-- until `turn_at`.
create table learnt_labels (
    label_id int generated always as identity primary key,
    owner_id int not null references users on delete cascade,
    label text not null check (char_length(label) between 1 and 100),
    state text not null default 'waiting' check (state in ('waiting', 'applying', 'ready', 'failed')),
    space_id int references embedding_spaces on delete set null,
    weights bytea,
    applied_to uuid,
    done int not null default 0,
    total int not null default 0,
    turn_at timestamptz not null default now(),
    lease_epoch bigint not null default 0,
    lease_until timestamptz,
    error text,
    created_at timestamptz not null default now(),
    learnt_at timestamptz,
    unique (owner_id, label),
    check (state not in ('applying', 'ready') or (space_id is not null and weights is not null)),
    check (state <> 'failed' or error is not null)
);

-- The pictures that it was learnt by: those that show it, and those that only seem to.
create table learnt_examples (
    label_id int not null references learnt_labels on delete cascade,
    asset_id uuid not null references assets on delete cascade,
    shows_it boolean not null,
    primary key (label_id, asset_id)
);
create index learnt_examples_asset on learnt_examples (asset_id);

-- Assets with new vectors, which the words are to be said of that somebody taught. It is written with the vector, so that
-- whoever comes too late for going through all of them finds it here. Nobody waits for whoever takes one out.
create table learnt_due (
    due_id bigint generated always as identity primary key,
    asset_id uuid not null
) with (autovacuum_vacuum_scale_factor = 0.02);

create or replace function follow_vector() returns trigger language plpgsql as $$
begin
    insert into likeness_due (asset_id)
    select asset_id
    from likenesses
    where asset_id = new.asset_id
      and exists (select from embedding_spaces s where s.space_id = new.space_id and s.state = 'current');
    insert into learnt_due (asset_id) values (new.asset_id);
    return null;
end
$$;

-- What somebody taught is of their own pictures: a new owner's words are said of what they get instead.
create function follow_taught() returns trigger language plpgsql as $$
begin
    delete from labels where asset_id = new.asset_id and source = 'learnt';
    delete from learnt_examples where asset_id = new.asset_id;
    insert into learnt_due (asset_id) values (new.asset_id);
    return null;
end
$$;
create trigger assets_taught_anew after update on assets
for each row when (old.owner_id <> new.owner_id) execute function follow_taught();
