-- Takes a session's code out of use, and gives what its successor inherits: whether it was used, its wrong codes, and
-- since when it is locked. It changes no more afterwards, so that nothing is lost before the successor is written.
--
-- KEYS  1 the session
-- ARGV  1 tenant
local held = redis.call('HMGET', KEYS[1], 't', 'u', 'f', 'k')
if held[1] ~= ARGV[1] then return {} end
redis.call('HSET', KEYS[1], 's', '1')
return {held[2], held[3], held[4]}
