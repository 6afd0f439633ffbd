-- Why: several people use one server. Each sign-in is seen and can be ended, programs get keys of their own, guessing is slow
-- whatever restarts, and what was done to accounts can be read afterwards.

-- Nobody is mistaken for somebody else by the case of a letter. The quotas are null where there is none.
create unique index users_username_folded on users (lower(username));
create unique index users_email_folded on users (lower(email));
alter table users
    add column quota_bytes bigint check (quota_bytes >= 0),
    add column quota_files bigint check (quota_files >= 0);

-- A sign-in, which lives as long as its row: ending it is deleting it, and its refresh tokens go along.
create table sessions (
    session_id uuid primary key,
    user_id int not null references users on delete cascade,
    created_at timestamptz not null default now(),
    used_at timestamptz not null default now(),
    expires_at timestamptz not null,
    user_agent text not null default '' check (char_length(user_agent) <= 200),
    address text not null default '' check (char_length(address) <= 100)
);
create index sessions_user on sessions (user_id, used_at desc, session_id desc);
delete from refresh_tokens where family_id in (select family_id from refresh_tokens where revoked_at is not null);
insert into sessions (session_id, user_id, created_at, used_at, expires_at)
select family_id, user_id, min(created_at), max(created_at), max(expires_at) from refresh_tokens group by family_id, user_id;
alter table refresh_tokens
    drop column revoked_at,
    add constraint refresh_tokens_session foreign key (family_id) references sessions on delete cascade;

-- Only the hash of a key. What it may do is fixed when it is made.
create table api_keys (
    key_id int generated always as identity primary key,
    user_id int not null references users on delete cascade,
    key_hash bytea not null unique check (octet_length(key_hash) = 32),
    name text not null check (char_length(name) between 1 and 100),
    scopes text[] not null check (
        cardinality(scopes) > 0 and scopes <@ array['read', 'upload', 'edit', 'delete', 'share', 'admin']
    ),
    created_at timestamptz not null default now(),
    expires_at timestamptz,
    used_at timestamptz
);
create index api_keys_user on api_keys (user_id, key_id desc);

-- Who may become a user, made by an administrator and good for once.
create table invites (
    invite_id int generated always as identity primary key,
    token_hash bytea not null unique check (octet_length(token_hash) = 32),
    invited_by int not null references users on delete cascade,
    is_admin boolean not null,
    quota_bytes bigint check (quota_bytes >= 0),
    quota_files bigint check (quota_files >= 0),
    created_at timestamptz not null default now(),
    expires_at timestamptz not null
);
create index invites_inviter on invites (invited_by);

-- Who may choose a new password without the old one; a newer token takes the place of an older one.
create table password_resets (
    user_id int primary key references users on delete cascade,
    token_hash bytea not null unique check (octet_length(token_hash) = 32),
    expires_at timestamptz not null
);

-- How often somebody tried since when; `subject` is the hash of a name or an address. At the limit it is the time of the lock.
create table tries (
    subject bytea primary key check (octet_length(subject) = 32),
    count int not null,
    ends_at timestamptz not null
);
create index tries_ends on tries (ends_at);

-- What happened, for good. No reference ties a line to a user: it outlives them.
create table audit (
    audit_id bigint generated always as identity primary key,
    happened_at timestamptz not null default now(),
    action text not null,
    user_id int,
    key_id int,
    address text not null default '',
    about text not null default '',
    details jsonb not null default '{}'
);
create index audit_action on audit (action, audit_id desc);
create index audit_user on audit (user_id, audit_id desc);

create function refuse_rewriting() returns trigger language plpgsql as $$
begin
    raise exception using
        errcode = 'insufficient_privilege',
        message = 'the audit is only ever added to';
end
$$;
create trigger audit_rows before update or delete on audit for each row execute function refuse_rewriting();
create trigger audit_whole before truncate on audit for each statement execute function refuse_rewriting();
