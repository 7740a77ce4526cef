-- One verify call on one session, as one indivisible step: expiry, state, comparison, count and use. It decides what
-- Record::attempt decides (record.rs); a test runs both side by side.
--
-- KEYS  1 the session
-- ARGV  1 tenant, 2 digest of the code, 3 retry ('1', '0' or ''), 4 limit ('' for the session's own), 5 lifetime in
--       seconds ('' for the session's own), 6 lock in seconds ('' for one that does not end), 7 what the wrong code
--       that reaches the limit is told, 8 the order of the terminal states, separated by commas,
--       9 and 10 the ends of the names of the fields for counts and for use
local n, o = ARGV[9], ARGV[10]
local held = redis.call('HMGET', KEYS[1], 't', 'd', 'i', 'l', 'm', 'f' .. n, 'k' .. n, 'x' .. n, 'u' .. o, 's')
if not held[1] then return {'unknown_session', 0, '', '', ''} end
if held[1] ~= ARGV[1] then return {'foreign', 0, '', '', ''} end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local issued, life = tonumber(held[3]), tonumber(held[4])
local limit = tonumber(held[5])
if limit and ARGV[4] ~= '' then limit = tonumber(ARGV[4]) end
local failed, locked = tonumber(held[6] or 0), tonumber(held[7] or '')
local invalidated, used, superseded = held[8] == '1', held[9] == '1', held[10] == '1'
local may_retry = ARGV[3] ~= '0'
local lock = tonumber(ARGV[6])

local function write(...) redis.call('HSET', KEYS[1], ...) end
local function number(value) return string.format('%.0f', value) end
local function set_lock()
  locked = now
  write('k' .. n, number(now))
end
local function is_locked() return locked and (not lock or now < locked + lock * 1000) end

local function answer(outcome)
  local left = limit and number(math.max(limit - failed, 0)) or ''
  local wait = ''
  if lock and locked then wait = number(math.ceil(math.max(locked + lock * 1000 - now, 0) / 1000)) end
  return {outcome, locked and 1 or 0, left, wait, number(issued)}
end

if not locked and may_retry and limit and failed >= limit then set_lock() end

local holds = {
  already_used = function() return used end,
  attempts_exhausted = function() return invalidated or is_locked() end,
  expired = function()
    local seconds = life
    if ARGV[5] ~= '' then seconds = math.min(seconds, tonumber(ARGV[5])) end
    return now >= issued + seconds * 1000 or superseded or (locked and not is_locked())
  end,
}
for outcome in string.gmatch(ARGV[8], '[^,]+') do
  if holds[outcome]() then return answer(outcome) end
end

-- Both are keyed digests of one length. Lua keeps one copy of each string, so that this compares two addresses.
if held[2] == ARGV[2] then
  write('u' .. o, '1')
  return answer('approved')
end
failed = failed + 1
write('f' .. n, number(failed))
if not may_retry then
  write('x' .. n, '1')
  return answer('wrong_code')
end
if limit and failed >= limit then
  set_lock()
  return answer(ARGV[7])
end
return answer('wrong_code')
