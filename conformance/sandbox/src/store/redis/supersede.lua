-- Takes a session's code out of use in favour of its successor's, and gives what that inherits: its wrong codes since the
-- last success, and since when it is locked, unless a lock that has ended has paid for them. It changes no more
-- afterwards, so that nothing is lost before the successor is written. A session that has a successor already gives the
-- key of that as well, and stays as it is.
--
-- KEYS  1 the session
-- ARGV  1 tenant, 2 the key of the successor, 3 lock in seconds ('' for one that does not end)
local held = redis.call('HMGET', KEYS[1], 't', 's', 'n', 'u', 'f', 'k')
if held[1] ~= ARGV[1] then return {} end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local failed, locked = held[5], held[6]
local lock, since = tonumber(ARGV[3]), tonumber(locked)
if held[4] == '1' or (lock and since and now >= since + lock * 1000) then failed, locked = '0', '' end
if held[2] == '1' and held[3] then return {failed, locked, held[3]} end
redis.call('HSET', KEYS[1], 's', '1', 'n', ARGV[2])
return {failed, locked, ''}
