-- check: core/src/record/destination/check.rs, next to the data. It is the only rule that is
-- written twice; a suite compares both over ten thousand random records.

local ODD, VERIFIED, WRONG, EXHAUSTED, MALFORMED, EXPIRED = 0, 1, 2, 3, 4, 5
local THROTTLED, LOCKED, UNKNOWN = 9, 10, 11
-- The verdict of each ended state: verified, exhausted, expired, cancelled, undeliverable.
local OF_END = { 6, EXHAUSTED, EXPIRED, 7, 8 }
local CLOCK_SLACK = 5000 -- milliseconds

-- A verdict as one number: which, attempts left or the channel, seconds to wait. A table would
-- cost the server as much as reading the record does.
local function told(verdict, left, seconds)
  return verdict + 16 * left + 4096 * (seconds or 0)
end

local function attempts_left(session)
  return session.most > session.attempts and session.most - session.attempts or 0
end

-- The verdict of an earlier attempt of the same mark. Nothing is told as right after its time:
-- the write of the attempt may have come late.
local function recalled(session, outcome, now)
  if outcome == 255 then
    return now >= session.expires and EXPIRED or told(VERIFIED, floor(session.way / 16))
  end
  return outcome == 0 and EXHAUSTED or told(WRONG, outcome)
end

-- Why a guess is not taken, in the order of the core; nothing if it is.
local function refusal(value, session, lane, manner, limits, now)
  if session.state ~= 0 then
    return OF_END[session.state]
  end
  if now >= session.expires or now + CLOCK_SLACK < session.opened then
    return EXPIRED
  end
  local form, left = session.form, attempts_left(session)
  if form % 16 ~= manner.length or not (form < 16 and manner.digits or form > 15 and manner.alphanumeric) then
    return told(MALFORMED, left)
  end
  if lane.locked == 1 then
    return told(LOCKED, left)
  end
  -- So few failures close no window, whenever they were.
  if lane.failures < limits.fewest then
    return nil
  end
  local seconds = wait(value, lane.failures_at, lane.over, limits, now)
  if seconds > 0 then
    return told(THROTTLED, left, seconds)
  end
end

-- Whether any of the session's codes is the guess; all are compared. A decoy never is. Lua
-- gives no promise of constant time, and needs none here: both are HMACs under a key that the
-- server does not have, so that the time of a comparison tells nothing of the code or of
-- another guess.
local function hits(value, session, digest)
  local hit = false
  for from = session.at + SESSION_BYTES, session.memos_at - 1, 16 do
    hit = sub(value, from, from + 15) == digest or hit
  end
  return hit and session.flags % 4 < 2
end

-- What the guess does to its lane: a wrong one is one failure more, a right one ends the
-- streak. Gives the events of the window.
local function settle(value, lane, limits, second, hit, now)
  if hit then
    lane.streak, lane.last_failure = 0, 0
    return sub(value, lane.failures_at + 1, lane.over - 1)
  end
  local time, events = event_time(limits, second), ''
  if lane.over > lane.failures_at + 1 then
    events = prune(value, lane.failures_at + 1, lane.over, limits, time, now)
  end
  local until_then = min(second + limits.longest, MOST_SECONDS)
  if lane.keep_until < until_then then
    lane.keep_until = until_then
  end
  local streak = lane.last_failure * 1000 + STREAK_MEMORY <= now and 0 or lane.streak
  lane.streak, lane.last_failure = min(streak + 1, 65535), second
  if lane.streak >= limits.lock_after then
    lane.locked = 1
  end
  return charge(events, time)
end

-- The record with the lane and the session as they are now.
local function record_bytes(value, lane, events, session, memos)
  local at, attempts = session.at, char(session.attempts)
  local before = sub(value, 1, lane.at - 1)
    .. pack(LANE, lane.locked, lane.streak, lane.last_failure, lane.keep_until)
    .. sub(value, lane.at + 11, lane.failures_at - 1) .. char(#events / 5) .. events
  if session.state == 0 and not memos then
    return before .. sub(value, lane.over, at + 44) .. attempts .. sub(value, at + 46)
  end
  memos = memos or sub(value, session.memos_at, session.prefix_at - 1)
  if session.state == 0 then
    return before .. sub(value, lane.over, at + 44) .. attempts
      .. sub(value, at + 46, session.memos_at - 1) .. memos .. sub(value, session.prefix_at)
  end
  -- The codes of a session go with its end.
  return before .. sub(value, lane.over, at + 6) .. char(session.state)
    .. sub(value, at + 8, at + 35) .. pack('>I4', session.ended) .. sub(value, at + 40, at + 44)
    .. attempts .. sub(value, at + 46, at + 52) .. '\0' .. memos .. sub(value, session.prefix_at)
end

-- Judges the guess and charges it. Gives the answer, the record, and until when all is kept; ODD
-- and no record where a full one is for the core to make do with.
local function judge(value, session, lane, limits, digest, mark, latest, now)
  local second, hit = ceil_seconds(now), hits(value, session, digest)
  local events = settle(value, lane, limits, second, hit, now)
  session.attempts = min(session.attempts + 1, 255)
  local left = attempts_left(session)
  local answer, outcome, memos = told(WRONG, left), left, nil
  if hit then
    session.state, outcome, answer = 1, 255, told(VERIFIED, floor(session.way / 16))
    if session.flags > 7 then
      answer = char(floor(session.way / 16)) .. sub(value, session.prefix_at, session.over - 1)
    end
  elseif left == 0 then
    session.state, answer = 2, EXHAUSTED
  end
  if session.state ~= 0 then
    session.ended = max(second, 1)
  end
  if mark then
    memos = remember(value, session, mark, outcome, now)
  end
  local bytes = record_bytes(value, lane, events, session, memos)
  latest = max(latest, session_keeps(session))
  -- Making room may drop sessions, whose retention then no longer counts.
  if #bytes > LARGEST - 2 * 5 then
    local idle = lane == open and device or open
    local most = LARGEST - first_failure(events == '') - first_failure(idle.over == idle.failures_at + 1)
    if #bytes > most then
      bytes, latest = make_room(bytes, device.over + #events + lane.failures_at + 1 - lane.over, most)
    end
    if #bytes > most then
      return ODD
    end
  end
  local open_keeps, device_keeps = lane_keeps(open), lane_keeps(device)
  return answer, bytes, open_keeps and device_keeps and max(open_keeps, device_keeps, latest)
end

-- ARGV: a packed guess. Answers a number, or the channel and the prefix of an
-- approval that is counted; ODD for whatever is no destination's record, or a full one, which
-- the core then judges.
local function check(keys, args)
  local moment, key, packed = server_time(), keys[1], args[1]
  local value = call('GET', key)
  if not value then
    return UNKNOWN
  end
  if #value > LARGEST or #value < HEADER or sub(value, 1, 2) ~= '\1\1' then
    return ODD
  end
  local head, nonce, purpose, digest, manner, mark, at = take(GUESS, packed)
  local is_sound, session, latest = walk(value, nonce, purpose)
  if not is_sound then
    return ODD
  end
  local its_head, its_life = take('>c10c8', value)
  if not session or its_head ~= head then
    return UNKNOWN
  end
  manner = manners[manner] or read_manner(manner)
  if its_life ~= life_at(moment, manner.fenced) then
    return EXPIRED
  end
  local now = manner.has_time and at or moment
  mark = manner.has_mark and mark
  local outcome = mark and recall(value, session, mark, now)
  if outcome then
    -- A caller that waits for replicas must not be told before they have the approval, and
    -- WAIT promises to wait for writes of its own connection only.
    if manner.waits then
      call('SET', key, value, 'KEEPTTL')
    end
    return recalled(session, outcome, now)
  end
  local lane, limits = open, manner.open
  if session.flags % 2 == 1 then
    lane, limits = device, manner.device
  end
  local refused = refusal(value, session, lane, manner, limits, now)
  if refused then
    return refused
  end
  local answer, bytes, garbage_after = judge(value, session, lane, limits, digest, mark, latest, now)
  if bytes then
    write(key, bytes, garbage_after, moment)
  end
  return answer
end

