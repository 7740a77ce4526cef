-- Invalidates a session's code in favour of a successor. A superseded session no longer changes, so no attempt is lost
-- before the successor is written.
--
-- Returns {failed attempts, locked at, ''}, which the successor inherits; {'0', '', ''} if the code was used or its
-- lock has ended. A session that already has a successor stays as it is, and its successor's key is returned as the
-- third value. Returns {} if the tenant has no such session.
--
-- KEYS  1 the session
-- ARGV  1 tenant, 2 the key of the successor, 3 lock in seconds ('' for one without end)
local session = redis.call('HMGET', KEYS[1], 't', 's', 'n', 'u', 'f', 'k')
if session[1] ~= ARGV[1] then return {} end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local failed, locked = session[5], session[6]
local lock, since = tonumber(ARGV[3]), tonumber(locked)
if session[4] == '1' or (lock and since and now >= since + lock * 1000) then failed, locked = '0', '' end
if session[2] == '1' and session[3] then return {failed, locked, session[3]} end
redis.call('HSET', KEYS[1], 's', '1', 'n', ARGV[2])
return {failed, locked, ''}
