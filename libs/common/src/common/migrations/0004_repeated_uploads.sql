-- Why: an upload that is repeated under its idempotency key gets the answer that it got at first.
alter table uploads add column answered_duplicate boolean not null default false;
