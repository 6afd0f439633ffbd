-- Why: a map of a million pictures, and folders with a hundred thousand files, are looked at in milliseconds.

-- A place on the map as one number: both coordinates of the square world of web maps, 24 bits each, taken in turns. What
-- begins with the same bits lies in the same square, so a square of any size is a span of numbers. The poles, which such
-- maps do not have, lie in their outermost squares.
create function spread_bits(number bigint) returns bigint language plpgsql immutable strict parallel safe as $$
declare
    bits bigint := number;
begin
    bits := (bits | (bits << 16)) & x'0000ffff0000ffff'::bigint;
    bits := (bits | (bits << 8)) & x'00ff00ff00ff00ff'::bigint;
    bits := (bits | (bits << 4)) & x'0f0f0f0f0f0f0f0f'::bigint;
    bits := (bits | (bits << 2)) & x'3333333333333333'::bigint;
    return (bits | (bits << 1)) & x'5555555555555555'::bigint;
end
$$;
create function map_cell(latitude double precision, longitude double precision) returns bigint
language sql immutable strict parallel safe
return spread_bits(least(16777215, floor((longitude + 180) / 360 * 16777216)::bigint))
     | (spread_bits(greatest(0, least(16777215, floor(
           (0.5 - asinh(tan(radians(greatest(-85.06, least(85.06, latitude))))) / (2 * pi())) * 16777216
       )::bigint))) << 1);
create index assets_map on assets (owner_id, map_cell(latitude, longitude), asset_id) include (latitude, longitude)
    where is_shown and latitude is not null and longitude is not null;

-- The owner of a file's asset stands beside its path, so that a person's folders are found without looking at anybody
-- else's files. `folder` ends with a slash, or is empty at the root.
create function folder_of(path bytea) returns bytea language sql immutable strict parallel safe
return case when position('\x2f'::bytea in path) = 0 then ''::bytea
            else substring(path from 1 for length(path) + 1 - position('\x2f'::bytea in reverse(path))) end;
alter table file_records
    add column owner_id int,
    add column folder bytea generated always as (folder_of(path)) stored;
update file_records f
set owner_id = a.owner_id
from assets a
where a.asset_id = f.asset_id;

create function follow_owner() returns trigger language plpgsql as $$
begin
    new.owner_id := (select owner_id from assets where asset_id = new.asset_id);
    return new;
end
$$;
create trigger file_records_owned before insert on file_records
for each row when (new.asset_id is not null) execute function follow_owner();
create trigger file_records_given before update on file_records
for each row when (new.asset_id is distinct from old.asset_id) execute function follow_owner();
create function follow_hands() returns trigger language plpgsql as $$
begin
    update file_records set owner_id = new.owner_id where asset_id = new.asset_id;
    return null;
end
$$;
create trigger assets_given after update of owner_id on assets
for each row when (old.owner_id <> new.owner_id) execute function follow_hands();
create index file_records_folders on file_records (owner_id, repository_id, folder, path)
    where owner_id is not null and state <> 'missing';
