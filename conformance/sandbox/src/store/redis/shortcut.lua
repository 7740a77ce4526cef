-- Points a superseded session directly at the last of its successors, so that the next resend follows one link only.
--
-- KEYS  1 the session
-- ARGV  1 tenant, 2 the key of the last successor
if redis.call('HGET', KEYS[1], 't') == ARGV[1] then redis.call('HSET', KEYS[1], 'n', ARGV[2]) end
return 1
