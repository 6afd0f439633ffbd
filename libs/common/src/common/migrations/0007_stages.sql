-- Why: people list, retry and pause the work on their photos, and the database itself refuses steps that no stage may take.

-- What lists and counts walk; done work is on no pile. A claim changes the state but not the pile, so it stays heap-only.
alter table asset_stages add column pile text generated always as (
    case state when 'done' then null when 'failed' then 'failed' else 'open' end
) stored;
create index asset_stages_piles on asset_stages (owner_id, pile, changed_at, asset_id, stage) where pile is not null;
drop index asset_stages_errors;

create function refuse_step() returns trigger language plpgsql as $$
begin
    raise exception using
        errcode = 'check_violation',
        message = format('the %s stage of asset %s cannot go from %s (epoch %s) to %s (epoch %s)', new.stage, new.asset_id,
                         coalesce(old.state, 'nothing'), old.lease_epoch, new.state, new.lease_epoch);
end
$$;

create trigger asset_stages_start before insert on asset_stages
for each row when (new.state in ('running', 'failed')) execute function refuse_step();

-- Work runs by a claim, which takes the next epoch and never a lease that lasts; only what runs gets done or fails; nothing
-- waits for its turn again. Everything may become due again.
create trigger asset_stages_step before update of state, lease_epoch on asset_stages
for each row when (
    new.lease_epoch <> old.lease_epoch + (new.state = 'running')::int
    or (new.state = 'running' and (old.state not in ('pending', 'running') or old.lease_until > now()))
    or (new.state in ('done', 'failed') and old.state not in ('running', new.state))
    or (new.state = 'blocked' and old.state <> 'blocked')
) execute function refuse_step();
