-- Decides one verify call on one session, atomically: expiry, state, comparison, count and use. It must decide exactly
-- as SessionState::attempt does (engine/session_state.rs); a test runs both side by side.
--
-- Returns {outcome, 1 if locked, remaining attempts or '', remaining lock in seconds or '', time of issue}. The outcome
-- 'foreign' stands for another tenant's session.
--
-- KEYS  1 the session
-- ARGV  1 tenant, 2 digest of the code, 3 retry ('1', '0' or ''), 4 limit ('' for the session's own), 5 lifetime in
--       seconds ('' for the session's own), 6 lock in seconds ('' for one without end), 7 the outcome of the wrong code
--       that reaches the limit, 8 the terminal outcomes in order of precedence, separated by commas, 9 and 10 the
--       suffixes of the field names for counts and for use
--
-- Fields of a session: t tenant, d digest, i time of issue in ms, l lifetime in s, m limit, f failed attempts, k locked
-- at in ms, x ended by a wrong code without retry, u used, s superseded, n key of the successor
local counts, uses = ARGV[9], ARGV[10]
local session = redis.call('HMGET', KEYS[1], 't', 'd', 'i', 'l', 'm', 'f' .. counts, 'k' .. counts, 'x' .. counts,
  'u' .. uses, 's')
if not session[1] then return {'unknown_session', 0, '', '', ''} end
if session[1] ~= ARGV[1] then return {'foreign', 0, '', '', ''} end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local issued, lifetime = tonumber(session[3]), tonumber(session[4])
local limit = tonumber(session[5])
if limit and ARGV[4] ~= '' then limit = tonumber(ARGV[4]) end
local failed, locked = tonumber(session[6] or 0), tonumber(session[7] or '')
local invalidated, used, superseded = session[8] == '1', session[9] == '1', session[10] == '1'
local may_retry = ARGV[3] ~= '0'
local lock = tonumber(ARGV[6])

local function write(...) redis.call('HSET', KEYS[1], ...) end
local function number(value) return string.format('%.0f', value) end
local function set_lock()
  locked = now
  write('k' .. counts, number(now))
end
local function is_locked() return locked and (not lock or now < locked + lock * 1000) end

local function decision(outcome)
  local left = limit and number(math.max(limit - failed, 0)) or ''
  local wait = ''
  if lock and locked then wait = number(math.ceil(math.max(locked + lock * 1000 - now, 0) / 1000)) end
  return {outcome, locked and 1 or 0, left, wait, number(issued)}
end

if not locked and may_retry and limit and failed >= limit then set_lock() end

local applies = {
  already_used = function() return used end,
  attempts_exhausted = function() return invalidated or is_locked() end,
  expired = function()
    local seconds = lifetime
    if ARGV[5] ~= '' then seconds = math.min(seconds, tonumber(ARGV[5])) end
    return now >= issued + seconds * 1000 or superseded or (locked and not is_locked())
  end,
}
for outcome in string.gmatch(ARGV[8], '[^,]+') do
  if applies[outcome]() then return decision(outcome) end
end

-- Both are keyed digests of one length. Lua interns strings, so this compares two addresses.
if session[2] == ARGV[2] then
  write('u' .. uses, '1')
  return decision('approved')
end
failed = failed + 1
write('f' .. counts, number(failed))
if not may_retry then
  write('x' .. counts, '1')
  return decision('wrong_code')
end
if limit and failed >= limit then
  set_lock()
  return decision(ARGV[7])
end
return decision('wrong_code')
