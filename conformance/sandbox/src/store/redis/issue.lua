-- Creates a session. Returns 1, or 0 if the key exists.
--
-- KEYS  1 the session
-- ARGV  1 tenant, 2 digest of the code, 3 lifetime in seconds, 4 limit or '', 5 failed attempts, 6 locked at, or '',
--       7 how long to keep it, in milliseconds
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', KEYS[1], 't', ARGV[1], 'd', ARGV[2], 'i', string.format('%.0f', now), 'l', ARGV[3], 'm', ARGV[4],
  'f', ARGV[5], 'k', ARGV[6], 'x', '0', 'u', '0', 's', '0')
redis.call('PEXPIRE', KEYS[1], ARGV[7])
return 1
