-- Why: what an event causes belongs to the trace of the request that caused the event, if traces are collected.
alter table outbox add column trace text check (char_length(trace) <= 100);
