-- note adds an entry to the history that no change of the spec makes.
-- ARGV: what happened, who did it, details, a number, and a reference that identifies a repeated
-- call. All but the first may be ''.
-- Returns {'noted'} or {'bare'}: the campaign has no spec.
note(KEYS, {'what', ARGV[1], 'who', ARGV[2], 'detail', ARGV[3], 'n', ARGV[4], 'ref', ARGV[5]})
return {redis.call('EXISTS', KEYS[1]) == 1 and 'noted' or 'bare'}
