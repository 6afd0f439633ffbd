-- Why: lists are sorted by more than time, and each order is a walk along an index; so are the choices that had none yet. A
-- picture whose file tells no ISO has none.

alter table assets add column is_raw boolean not null generated always as (mime_type = any ('{
    image/x-adobe-dng, image/x-canon-cr2, image/x-canon-cr3, image/x-fuji-raf, image/x-minolta-mrw, image/x-nikon-nef,
    image/x-olympus-orf, image/x-panasonic-rw2, image/x-pentax-pef, image/x-raw, image/x-samsung-srw, image/x-sigma-x3f,
    image/x-sony-arw
}'::text[])) stored;

create index assets_names on assets (
    owner_id, lower(original_filename collate pg_c_utf8) desc, asset_id desc
) where is_shown;
create index assets_sizes on assets (owner_id, size desc, asset_id desc) where is_shown;
-- This one is of stars too: those of so many, and those of none, in the order of time.
create index assets_stars on assets (
    owner_id, (coalesce(rating, 0::smallint)) desc, sort_at desc, asset_id desc
) where is_shown;
drop index assets_ratings;
create index assets_raw on assets (owner_id, sort_at desc, asset_id desc) where is_shown and is_raw;
create index assets_regions on assets (owner_id, region, sort_at desc, asset_id desc)
    where is_shown and region is not null;
create index assets_isos on assets (owner_id, iso) where is_shown and iso is not null;
create index assets_nowhere on assets (owner_id, sort_at desc, asset_id desc) where is_shown and latitude is null;
create index assets_somewhere on assets (owner_id, latitude, longitude) where is_shown and latitude is not null;

create or replace function follow_metadata() returns trigger language plpgsql as $$
declare
    said jsonb := new.facts || new.edits;
    place jsonb := case when new.edits ? 'gps_latitude' then coalesce(new.edited_place, '{}') else new.facts end;
begin
    update assets a
    set rating = b.rating, camera_make = b.camera_make, camera = b.camera, lens = b.lens, iso = b.iso,
        duration = b.duration, latitude = b.latitude, longitude = b.longitude,
        country = b.country, region = b.region, city = b.city
    from (
        select case when found.rating between 1 and 5 then found.rating::smallint end as rating,
               left(found.camera_make, 200) as camera_make, left(found.camera_model, 200) as camera,
               left(found.lens_model, 200) as lens,
               case when found.iso_speed > 2147483647 then 2147483647 else found.iso_speed::int end as iso,
               found.duration, found.gps_latitude as latitude, found.gps_longitude as longitude,
               left(there.country, 200) as country, left(there.region, 200) as region, left(there.city, 200) as city
        from jsonb_to_record(said) found (
                 rating numeric, camera_make text, camera_model text, lens_model text, iso_speed numeric,
                 duration double precision, gps_latitude double precision, gps_longitude double precision
             ),
             jsonb_to_record(place) there (country text, region text, city text)
    ) b
    where a.asset_id = new.asset_id
      and (a.rating, a.camera_make, a.camera, a.lens, a.iso, a.duration, a.latitude, a.longitude,
           a.country, a.region, a.city)
          is distinct from (b.rating, b.camera_make, b.camera, b.lens, b.iso, b.duration, b.latitude, b.longitude,
                            b.country, b.region, b.city);
    return null;
end
$$;
update assets a
set iso = null
from asset_metadata m
where m.asset_id = a.asset_id
  and a.iso = 2147483647
  and (m.facts || m.edits) ->> 'iso_speed' is null;
