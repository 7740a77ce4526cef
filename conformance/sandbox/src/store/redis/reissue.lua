-- Gives a session a new code, atomically. The old code becomes invalid, and its failed attempts still count, unless it
-- was used or its lock has ended. Returns 1, or 0 if the tenant has no such session.
--
-- KEYS  1 the session
-- ARGV  1 tenant, 2 digest of the code, 3 lifetime in seconds, 4 limit or '', 5 lock in seconds ('' for one without
--       end), 6 how long to keep it, in milliseconds
local session = redis.call('HMGET', KEYS[1], 't', 'u', 'f', 'k')
if session[1] ~= ARGV[1] then return 0 end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local failed, locked = session[3], session[4] or ''
local lock, since = tonumber(ARGV[5]), tonumber(locked)
if session[2] == '1' or (lock and since and now >= since + lock * 1000) then failed, locked = '0', '' end
redis.call('HSET', KEYS[1], 'd', ARGV[2], 'i', string.format('%.0f', now), 'l', ARGV[3], 'm', ARGV[4],
  'f', failed, 'k', locked, 'x', '0', 'u', '0', 's', '0')
redis.call('HDEL', KEYS[1], 'n')
redis.call('PEXPIRE', KEYS[1], ARGV[6])
return 1
