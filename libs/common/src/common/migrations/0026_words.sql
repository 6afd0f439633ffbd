-- Why: people look for photos by a part of a file's name and by words that were said of them, in any script, without waiting.

-- As it is looked for: neither case nor accents count, and what only looks different is the same.
create function fold_text(words text) returns text language sql immutable strict parallel safe
return normalize(
    regexp_replace(casefold(normalize(words, NFKD) collate pg_unicode_fast), '[\u0300-\u036f]', '', 'g'), NFKC
);

-- Where a common word is found everywhere, only the newest of it are wanted. So what is indexed says its season too, a
-- quarter of a year, and seasons are looked through one by one until a page is full.
create function text_season(at timestamp) returns int language sql immutable strict parallel safe
return extract(year from at)::int * 4 + extract(quarter from at)::int;

-- All that can be looked for in a text: each letter, pair and three in a row, as numbers that differ by owner and season.
create function text_grams(owner int, season int, words text) returns int[] language sql immutable parallel safe
return (
    select array_agg(distinct (hashtextextended(gram, owner * 100000::bigint + season) >> 32)::int)
    from (
        select letter, letter || lead(letter) over following,
               letter || lead(letter) over following || lead(letter, 2) over following
        from string_to_table(words, null) with ordinality spelt (letter, place)
        window following as (order by place)
    ) starts (one, two, three), unnest(array[one, two, three]) gram
    where strpos(gram, ' ') = 0
);
-- What a text has in which these words stand.
create function sought_grams(owner int, season int, words text[]) returns int[] language sql immutable parallel safe
return (
    select array_agg((hashtextextended(substr(word, place, 3), owner * 100000::bigint + season) >> 32)::int)
    from unnest(words) word, generate_series(1, greatest(char_length(word) - 2, 1)) place
);

-- What an asset is found by: its file's name, title, description and tags, folded. Very long descriptions are cut.
create function asset_words(file_name text, facts jsonb, edits jsonb) returns text language sql immutable parallel safe
return trim(regexp_replace(fold_text(left(concat_ws(' ',
    file_name, (facts || edits) ->> 'title', (facts || edits) ->> 'description',
    translate(coalesce(edits -> 'tags', facts -> 'keywords', '[]') #>> '{}', '[]",', '    ')
), 5000)), '\s+', ' ', 'g'));

create table asset_texts (
    asset_id uuid primary key references assets on delete cascade,
    owner_id int not null,
    sort_at timestamp not null,
    words text not null
);

create function follow_words() returns trigger language plpgsql as $$
begin
    insert into asset_texts as x (asset_id, owner_id, sort_at, words)
    select a.asset_id, a.owner_id, a.sort_at,
           asset_words(a.original_filename, coalesce(m.facts, '{}'), coalesce(m.edits, '{}'))
    from assets a
    left join asset_metadata m on m.asset_id = a.asset_id
    where a.asset_id = new.asset_id
    on conflict (asset_id) do update
    set owner_id = excluded.owner_id, sort_at = excluded.sort_at, words = excluded.words
    where (x.owner_id, x.sort_at, x.words) is distinct from (excluded.owner_id, excluded.sort_at, excluded.words);
    return null;
end
$$;
create trigger assets_worded after insert on assets for each row execute function follow_words();
create trigger assets_reworded after update on assets
for each row when (
    (old.owner_id, old.sort_at, old.original_filename) is distinct from (new.owner_id, new.sort_at, new.original_filename)
) execute function follow_words();
create trigger asset_metadata_worded after insert or update of facts, edits on asset_metadata
for each row execute function follow_words();

insert into asset_texts (asset_id, owner_id, sort_at, words)
select a.asset_id, a.owner_id, a.sort_at,
       asset_words(a.original_filename, coalesce(m.facts, '{}'), coalesce(m.edits, '{}'))
from assets a
left join asset_metadata m on m.asset_id = a.asset_id;
create index asset_texts_timeline on asset_texts (owner_id, sort_at desc, asset_id desc);
-- Each season is asked of this, and each would look through what waits to be put into it: nothing waits.
create index asset_texts_grams on asset_texts using gin (text_grams(owner_id, text_season(sort_at), words))
    with (fastupdate = off);
