-- Tells a session that has a successor which one is the last, so that nobody need follow them one by one.
--
-- KEYS  1 the session
-- ARGV  1 tenant, 2 the key of the last
if redis.call('HGET', KEYS[1], 't') == ARGV[1] then redis.call('HSET', KEYS[1], 'n', ARGV[2]) end
return 1
