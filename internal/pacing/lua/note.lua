-- note adds to the project's history what changes neither the pace nor the halts.
--
-- KEYS: history. ARGV: what, by, detail. Returns {now}.
record(KEYS[1], ARGV[1], ARGV[2], ARGV[3])
return {server_us()}
