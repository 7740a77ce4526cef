-- Takes a session's code out of use in favour of its successor's, and gives what that inherits: whether this one was
-- used, its wrong codes, and since when it is locked. It changes no more afterwards, so that nothing is lost before the
-- successor is written. A session that has a successor already gives its name, and stays as it is.
--
-- KEYS  1 the session
-- ARGV  1 tenant, 2 the key of the successor
local held = redis.call('HMGET', KEYS[1], 't', 's', 'n', 'u', 'f', 'k')
if held[1] ~= ARGV[1] then return {} end
if held[2] == '1' and held[3] then return {held[3]} end
redis.call('HSET', KEYS[1], 's', '1', 'n', ARGV[2])
return {held[4], held[5], held[6]}
