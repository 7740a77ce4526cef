-- Writes a superseded placeholder for a session that was announced as a successor and never written. The new successor
-- inherits from the session before it, and the server that announced it can no longer write it. Returns 1, or 0 if the
-- session exists.
--
-- KEYS  1 the missing session
-- ARGV  1 tenant, 2 the key of its successor, 3 how long to keep it, in milliseconds
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('HSET', KEYS[1], 't', ARGV[1], 'd', '', 'i', '0', 'l', '0', 'm', '', 'f', '0', 'k', '', 'x', '0', 'u', '0',
  's', '1', 'n', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
