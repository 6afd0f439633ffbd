-- Why: whoever looks at a repository asks for its last run of each kind and for the one that waits for a person's word,
-- among the runs of years.

create index sync_operations_reason on sync_operations (repository_id, reason, operation_id desc);
create index sync_operations_asking on sync_operations (repository_id, operation_id desc) where state = 'asking';
