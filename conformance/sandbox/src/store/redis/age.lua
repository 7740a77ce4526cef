-- Moves every timer of a session into the past.
--
-- KEYS  1 the session
-- ARGV  1 tenant, 2 by how many milliseconds, with a minus sign
local held = redis.call('HMGET', KEYS[1], 't', 'k')
if held[1] ~= ARGV[1] then return 0 end
redis.call('HINCRBY', KEYS[1], 'i', ARGV[2])
if tonumber(held[2] or '') then redis.call('HINCRBY', KEYS[1], 'k', ARGV[2]) end
return 1
