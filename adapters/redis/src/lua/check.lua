-- check: core/src/record/destination.rs, `check` and `judge`, next to the data. It is the
-- only rule that is written twice; a suite compares both over ten thousand random records.

local ODD, VERIFIED, WRONG, EXHAUSTED, MALFORMED, EXPIRED = 0, 1, 2, 3, 4, 5
local THROTTLED, LOCKED, UNKNOWN, APPROVED = 9, 10, 11, 12
-- The verdict of each ended state: verified, exhausted, expired, cancelled, undeliverable.
local OF_END = { 6, EXHAUSTED, EXPIRED, 7, 8 }
local CLOCK_SLACK = 5000 -- milliseconds
local MEMO = 60 * 1000 -- milliseconds
local ASK = '>c8c6c8c16c6BBI8I2I4I2I4I2I2I4I2I4I2'

-- Flags of a guess.
local DIGITS, ALPHANUMERIC, HAS_MARK, HAS_TIME, FENCED, WAITS = 1, 2, 4, 8, 16, 32

local function is_set(flags, flag)
  return math.floor(flags / flag) % 2 == 1
end

-- A guess as the adapter packs it (src/check.rs).
local function read_ask(packed)
  local ask, open, device = {}, { {}, {} }, { {}, {} }
  ask.tag, ask.nonce, ask.purpose, ask.digest, ask.mark, ask.length, ask.flags, ask.at,
    open[1].max, open[1].seconds, open[2].max, open[2].seconds, open.lock_after,
    device[1].max, device[1].seconds, device[2].max, device[2].seconds, device.lock_after =
    struct.unpack(ASK, packed)
  ask.limits = { open, device }
  return ask
end

-- Compares all sixteen bytes, wherever the first difference is. Lua gives no promise of
-- constant time, and needs none here: both are HMACs under a key that the server does not
-- have, so that the time of a comparison tells nothing of the code or of another guess.
local function is_same(one, other)
  local differences = 0
  local a, b = { string.byte(one, 1, 16) }, { string.byte(other, 1, 16) }
  for n = 1, 16 do
    if a[n] ~= b[n] then
      differences = differences + 1
    end
  end
  return differences == 0
end

local function find(record, ask)
  for _, session in ipairs(record.sessions) do
    if session.nonce == ask.nonce and string.sub(session.tags, 1, 8) == ask.purpose then
      return session
    end
  end
end

local function channel(session)
  return math.floor(session.way / 16)
end

-- The memos that are still fresh, as bytes each.
local function fresh_memos(value, session, now)
  local fresh = {}
  for n = 1, session.memos do
    local from = session.memos_at + 11 * n - 10
    local at = struct.unpack('>I4', value, from + 6)
    if now <= at * 1000 + MEMO then
      fresh[#fresh + 1] = string.sub(value, from, from + 10)
    end
  end
  return fresh
end

-- The verdict of the same attempt, if it came within the last minute.
local function recall(value, session, ask, now)
  if not is_set(ask.flags, HAS_MARK) then
    return nil
  end
  for _, memo in ipairs(fresh_memos(value, session, now)) do
    if string.sub(memo, 1, 6) == ask.mark then
      local outcome = string.byte(memo, 11)
      if outcome == 255 then
        return { VERIFIED, channel(session), 0 }
      end
      return outcome == 0 and { EXHAUSTED, 0, 0 } or { WRONG, outcome, 0 }
    end
  end
end

-- Why a guess is not taken, in the order of the core; nothing if it is.
local function refusal(record, session, ask, limits, now)
  if session.state ~= 0 then
    return { OF_END[session.state], 0, 0 }
  end
  if now >= session.expires or now + CLOCK_SLACK < session.opened then
    return { EXPIRED, 0, 0 }
  end
  local left = math.max(session.max_attempts - session.attempts, 0)
  local alphabet = session.form < 16 and DIGITS or ALPHANUMERIC
  if not is_set(ask.flags, alphabet) or ask.length ~= session.form % 16 then
    return { MALFORMED, left, 0 }
  end
  local lane = record.lanes[limits.lane]
  if lane.locked == 1 then
    return { LOCKED, left, 0 }
  end
  local seconds = wait(lane.failures, limits, now)
  return seconds and { THROTTLED, left, seconds }
end

-- Whether any of the session's codes is the guess; all are compared. A decoy never is.
local function hits(value, session, ask)
  local hit = false
  for n = 1, session.codes do
    local from = session.at + 54 + 16 * (n - 1)
    if is_same(string.sub(value, from, from + 15), ask.digest) then
      hit = true
    end
  end
  return hit and math.floor(session.flags / 2) % 2 == 0
end

-- Where an approval of the session is counted; nothing if nowhere.
local function prefix(value, session)
  return string.sub(value, session.prefix_at, session.over - 1)
end

-- The session's bytes after a guess.
local function session_bytes(value, session, ask, outcome, now)
  local at, codes = session.at, ''
  if session.state == 0 then
    codes = string.sub(value, at + 54, session.memos_at - 1)
  end
  local memos = string.sub(value, session.memos_at, session.prefix_at - 1)
  if is_set(ask.flags, HAS_MARK) then
    local kept = fresh_memos(value, session, now)
    kept[#kept + 1] = ask.mark .. struct.pack('>I4B', ceil_seconds(now), outcome)
    memos = string.char(#kept) .. table.concat(kept)
  end
  return string.sub(value, at, at + 6)
    .. string.char(session.state)
    .. string.sub(value, at + 8, at + 35)
    .. struct.pack('>I4', session.ended)
    .. string.sub(value, at + 40, at + 44)
    .. string.char(session.attempts)
    .. string.sub(value, at + 46, at + 52)
    .. string.char(#codes / 16)
    .. codes
    .. memos
    .. prefix(value, session)
end

-- Charges first, then compares.
local function judge(value, record, session, ask, limits, now)
  local lane = record.lanes[limits.lane]
  charge_failure(lane, limits, now)
  session.attempts = math.min(session.attempts + 1, 255)
  local left = math.max(session.max_attempts - session.attempts, 0)
  local verdict, outcome = { WRONG, left, 0 }, left
  if hits(value, session, ask) then
    succeed(lane, limits, now)
    session.state, verdict, outcome = 1, { VERIFIED, channel(session), 0 }, 255
    if session.flags >= 8 then
      verdict = { APPROVED, channel(session), 0, prefix(value, session) }
    end
  elseif left == 0 then
    session.state, verdict = 2, { EXHAUSTED, 0, 0 }
  end
  if session.state ~= 0 then
    session.ended = math.max(ceil_seconds(now), 1)
  end
  session.bytes = session_bytes(value, session, ask, outcome, now)
  return verdict
end

-- ARGV: a packed guess. Answers {verdict, attempts left or channel, seconds to wait}, and
-- the prefix after APPROVED; ODD for whatever is no destination's record, which the core
-- then judges.
local function check(keys, args)
  local value, ask, moment = redis.call('GET', keys[1]), read_ask(args[1]), server_time()
  local life = life_at(moment, is_set(ask.flags, FENCED))
  local now = is_set(ask.flags, HAS_TIME) and ask.at or moment
  local record = value and read(value)
  if value and not record then
    return { ODD, 0, 0 }
  end
  local session = record and record.tag == ask.tag and find(record, ask)
  if not session then
    return { UNKNOWN, 0, 0 }
  end
  if record.life ~= life then
    return { EXPIRED, 0, 0 }
  end
  local recalled = recall(value, session, ask, now)
  if recalled then
    -- A caller that waits for replicas must not be told before they have the approval, and
    -- WAIT promises to wait for writes of its own connection only.
    if is_set(ask.flags, WAITS) then
      redis.call('SET', keys[1], value, 'KEEPTTL')
    end
    return recalled
  end
  local lane = session.flags % 2 + 1
  local limits = ask.limits[lane]
  limits.lane = lane
  local refused = refusal(record, session, ask, limits, now)
  if refused then
    return refused
  end
  local verdict = judge(value, record, session, ask, limits, now)
  -- In this order: making room may drop sessions, whose retention then no longer counts.
  local bytes = record_bytes(value, record)
  write(keys[1], bytes, keep_until(record), moment)
  return verdict
end
