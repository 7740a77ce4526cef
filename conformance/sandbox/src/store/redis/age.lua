-- Moves every timer of a session into the past.
--
-- Returns 1, or 0 if the tenant has no such session.
--
-- KEYS  1 the session
-- ARGV  1 tenant, 2 the number of milliseconds, negative
local session = redis.call('HMGET', KEYS[1], 't', 'k')
if session[1] ~= ARGV[1] then return 0 end
redis.call('HINCRBY', KEYS[1], 'i', ARGV[2])
if tonumber(session[2] or '') then redis.call('HINCRBY', KEYS[1], 'k', ARGV[2]) end
return 1
