-- Takes the place of a session that was named as a successor and never written, so that its successor can inherit from the
-- session before, and whoever was to write it finds that it is too late.
--
-- KEYS  1 the session that is missing
-- ARGV  1 tenant, 2 the key of its successor, 3 for how many milliseconds it is kept
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('HSET', KEYS[1], 't', ARGV[1], 'd', '', 'i', '0', 'l', '0', 'm', '', 'f', '0', 'k', '', 'x', '0', 'u', '0',
  's', '1', 'n', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
