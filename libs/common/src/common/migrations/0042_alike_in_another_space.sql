-- Why: which pictures are alike was found by vectors of the space that counted then, and stayed when another one took its
-- place. Now everything is compared once more when a space begins to count: along the ids, as far as `walked_to`, by whoever
-- has time; nothing is left out when they end. A trigger notes it, so whatever switches does, also a service of before.
create table likeness_walks (
    space_id int primary key references embedding_spaces on delete cascade,
    walked_to uuid not null default '00000000-0000-0000-0000-000000000000'
);

create function follow_current_space() returns trigger language plpgsql as $$
begin
    delete from likeness_walks where space_id <> new.space_id;
    insert into likeness_walks (space_id) values (new.space_id)
    on conflict (space_id) do update
    set walked_to = excluded.walked_to;
    return null;
end
$$;
create trigger embedding_spaces_counted after update on embedding_spaces
for each row when (new.state = 'current' and old.state <> 'current') execute function follow_current_space();
