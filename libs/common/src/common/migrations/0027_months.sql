-- Why: a timeline of decades begins with its months, and adding up ten thousand days for each look is too slow.

-- The same as in `day_counts`, added up by month; `month` is its first day.
create table month_counts (
    owner_id int not null references users on delete cascade,
    month date not null,
    kind text not null,
    shown int not null,
    files int not null,
    bytes bigint not null,
    primary key (owner_id, month, kind)
);
insert into month_counts (owner_id, month, kind, shown, files, bytes)
select owner_id, date_trunc('month', day)::date, kind, sum(shown), sum(files), sum(bytes)
from day_counts
group by 1, 2, 3;

-- What lists leave out, and uploads that needed no room.
create index assets_hidden on assets (owner_id) where not is_shown;
create index uploads_duplicates on uploads (owner_id) include (size) where state = 'duplicate';
