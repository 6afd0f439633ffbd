-- Why: the same picture comes twice, as it was taken and as somebody sent it on. Which ones look alike is found as soon as a
-- picture's fingerprint or vector is known, with or without any model, and people say what becomes of them.

-- The fingerprint of each picture and film in which enough can be seen to tell it from others: one of a black frame or a
-- clear sky is like thousands. It is written with what it follows from, so that of two that are looked at at once at least
-- one sees the other.
create table likenesses (
    asset_id uuid primary key references assets on delete cascade,
    owner_id int not null references users on delete cascade,
    hash bigint not null
);

-- Where at most seven bits of 64 differ, at most one differs in one of their four quarters at least: so those are asked for
-- what is in them, and for what would be with one bit turned.
create index likenesses_same on likenesses (owner_id, hash, asset_id);
create index likenesses_first on likenesses (owner_id, ((hash & 65535)::int));
create index likenesses_second on likenesses (owner_id, ((hash >> 16 & 65535)::int));
create index likenesses_third on likenesses (owner_id, ((hash >> 32 & 65535)::int));
create index likenesses_fourth on likenesses (owner_id, ((hash >> 48 & 65535)::int));
create function near_quarters(quarter int) returns int[] language sql immutable parallel safe
return array[
    quarter, quarter # 1, quarter # 2, quarter # 4, quarter # 8, quarter # 16, quarter # 32, quarter # 64, quarter # 128,
    quarter # 256, quarter # 512, quarter # 1024, quarter # 2048, quarter # 4096, quarter # 8192, quarter # 16384,
    quarter # 32768
];

-- Assets that are to be compared with all others of their owner. Nobody waits here for whoever takes one out, and one that
-- is gone by then is nothing to be done: so no row is asked for, and one asset may stand here twice.
create table likeness_due (
    due_id bigint generated always as identity primary key,
    asset_id uuid not null
) with (autovacuum_vacuum_scale_factor = 0.02);

-- Two that look alike: by so many bits of their fingerprints, by their vectors where both have one. What a person has said
-- is no duplicate stays here for ever. The owner is that of the first.
create table likeness_pairs (
    asset_id uuid not null references assets on delete cascade,
    other_id uuid not null references assets on delete cascade,
    owner_id int not null references users on delete cascade,
    bits smallint,
    distance real,
    dismissed_at timestamptz,
    primary key (asset_id, other_id),
    check (asset_id < other_id)
);
create index likeness_pairs_other on likeness_pairs (other_id);
create index likeness_pairs_open on likeness_pairs (owner_id, asset_id, other_id) where dismissed_at is null;

-- A file's paths are told where an asset has several.
create index file_records_present on file_records (asset_id) where state = 'present';

create function tells_apart(hash bigint) returns boolean language sql immutable parallel safe
return bit_count(hash::bit(64)) between 12 and 52;

create function follow_likeness() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' and old.perceptual_hash is distinct from new.perceptual_hash then
        delete from likeness_pairs where asset_id = new.asset_id and dismissed_at is null;
        delete from likeness_pairs where other_id = new.asset_id and dismissed_at is null;
    end if;
    if tg_op = 'UPDATE' and old.owner_id <> new.owner_id then
        update likeness_pairs set owner_id = new.owner_id where asset_id = new.asset_id;
    end if;
    if new.kind <> 'audio' and tells_apart(new.perceptual_hash) then
        insert into likenesses (asset_id, owner_id, hash)
        values (new.asset_id, new.owner_id, new.perceptual_hash)
        on conflict (asset_id) do update
        set owner_id = excluded.owner_id, hash = excluded.hash;
        insert into likeness_due (asset_id) values (new.asset_id);
    else
        delete from likenesses where asset_id = new.asset_id;
    end if;
    return null;
end
$$;
create trigger assets_likened after insert on assets
for each row when (new.perceptual_hash is not null) execute function follow_likeness();
create trigger assets_likened_again after update on assets
for each row when (
    (old.owner_id, old.perceptual_hash) is distinct from (new.owner_id, new.perceptual_hash)
) execute function follow_likeness();

-- Of those with the very same fingerprint the first stands for all: when it goes, another one does.
create function follow_first_likeness() returns trigger language plpgsql as $$
begin
    insert into likeness_due (asset_id)
    select asset_id
    from likenesses
    where owner_id = old.owner_id and hash = old.hash
    order by asset_id
    limit 1;
    return null;
end
$$;
create trigger likenesses_gone after delete on likenesses for each row execute function follow_first_likeness();
create trigger likenesses_changed after update on likenesses
for each row when ((old.owner_id, old.hash) is distinct from (new.owner_id, new.hash))
execute function follow_first_likeness();

create function follow_vector() returns trigger language plpgsql as $$
begin
    insert into likeness_due (asset_id)
    select asset_id
    from likenesses
    where asset_id = new.asset_id
      and exists (select from embedding_spaces s where s.space_id = new.space_id and s.state = 'current');
    return null;
end
$$;
create trigger embeddings_likened after insert or update of vector on embeddings
for each row when (new.frame = 0) execute function follow_vector();

-- What is there already.
insert into likenesses (asset_id, owner_id, hash)
select asset_id, owner_id, perceptual_hash
from assets
where kind <> 'audio' and tells_apart(perceptual_hash);
insert into likeness_due (asset_id)
select asset_id
from likenesses
order by asset_id;
