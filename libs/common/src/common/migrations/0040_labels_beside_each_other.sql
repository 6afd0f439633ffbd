-- Why: what a model says and what a person taught in the same words took each other's place, and when the surer one said it
-- no longer, the word was lost. `labels` keeps each word once, as whoever is surest says it, so nothing that reads it changes,
-- lists by a label meet an asset once, and services of before go on as they did. New is that what others say in the same
-- words waits here, one for each source, and comes back when whoever was surer takes it back. A service of before does not
-- write here what it is less sure of, and leaves here what it said before until the asset is classified or learnt again.
create table lesser_labels (
    asset_id uuid not null references assets on delete cascade,
    label text not null,
    source text not null,
    score real not null,
    model text not null,
    primary key (asset_id, label, source)
);
create index lesser_labels_word on lesser_labels (label, source);

create function keep_lesser_label() returns trigger language plpgsql as $$
begin
    delete from lesser_labels
    where asset_id = new.asset_id and label = new.label and source = new.source;
    insert into lesser_labels (asset_id, label, source, score, model)
    values (old.asset_id, old.label, old.source, old.score, old.model)
    on conflict (asset_id, label, source) do update
    set score = excluded.score, model = excluded.model;
    return null;
end
$$;
create trigger labels_outdone after update on labels
for each row when (old.source <> new.source) execute function keep_lesser_label();

create function raise_lesser_labels() returns trigger language plpgsql as $$
begin
    with surest as (
        select distinct on (l.asset_id, l.label) l.asset_id, l.label, l.source, l.score, l.model
        from gone g
        join lesser_labels l on l.asset_id = g.asset_id and l.label = g.label
        order by l.asset_id, l.label, l.score desc, l.source
    ), raised as (
        delete from lesser_labels l
        using surest s
        where l.asset_id = s.asset_id and l.label = s.label and l.source = s.source
    )
    insert into labels (asset_id, label, owner_id, sort_at, score, source, model)
    select s.asset_id, s.label, a.owner_id, a.sort_at, s.score, s.source, s.model
    from surest s
    join assets a on a.asset_id = s.asset_id
    on conflict do nothing;
    return null;
end
$$;
create trigger labels_taken_back after delete on labels
referencing old table as gone for each statement execute function raise_lesser_labels();

create or replace function follow_taught() returns trigger language plpgsql as $$
begin
    delete from lesser_labels where asset_id = new.asset_id and source = 'learnt';
    delete from labels where asset_id = new.asset_id and source = 'learnt';
    delete from learnt_examples where asset_id = new.asset_id;
    insert into learnt_due (asset_id) values (new.asset_id);
    return null;
end
$$;
