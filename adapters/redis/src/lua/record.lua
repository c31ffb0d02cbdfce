-- Records of destinations: core/src/record/codec, version 1. Reading is as strict as there:
-- whatever is odd about a value makes walking it false, and then the core is asked, which
-- knows what is wrong with it.
--
-- A record stays bytes: walking it tells what lies where, and what a check does not change is
-- copied as it is. Tables are made once and filled again by each call, for in Lua making one
-- costs more than all that is written into it.

local LARGEST = 1024
local HEADER = 18 -- version, kind, tag and life
local LANE = '>BI2I4I4'
local EMPTY_LANE = '\0\0\0\0\0\0\0\0\0\0\0\0\0'
local SESSION = '>c6xBc8xxxxxxxxI6I6I4xxxBBBBxxxxxBB'
local SESSION_BYTES = 54 -- before its codes
local RETENTION = 15 * 60 * 1000 -- milliseconds
local STREAK_MEMORY = 400 * 24 * 3600 * 1000 -- milliseconds

-- Reads the lane at `at`, and where its failures lie.
local function walk_lane(lane, value, at)
  lane.at = at
  if sub(value, at, at + 12) == EMPTY_LANE then
    lane.locked, lane.streak, lane.last_failure, lane.keep_until = 0, 0, 0, 0
    lane.failures_at, lane.over, lane.failures = at + 12, at + 13, 0
    return true
  end
  if at + 11 > #value then
    return false
  end
  local sends
  lane.locked, lane.streak, lane.last_failure, lane.keep_until, sends =
    take('>BI2I4I4B', value, at)
  local failures_at = walk_window(value, at + 11, sends)
  local entries = failures_at and byte(value, failures_at)
  if not entries or lane.locked > 1 then
    return false
  end
  lane.failures_at = failures_at
  lane.over, lane.failures = walk_window(value, failures_at, entries)
  return lane.over
end

-- Until when a lane is remembered; nothing means until a reset.
local function lane_keeps(lane)
  if lane.locked == 1 then
    return nil
  end
  local windows = lane.keep_until * 1000
  if lane.streak == 0 then
    return windows
  end
  return max(windows, lane.last_failure * 1000 + STREAK_MEMORY)
end

-- Reads the session at `at`, and where its codes and memos lie; gives its nonce and its
-- purpose. One that has a prefix ends with it.
local function walk_session(session, value, at)
  if at + SESSION_BYTES > #value then
    return false
  end
  local nonce, state, purpose, opened, expires, ended, way, form, attempts, most, flags, codes =
    take(SESSION, value, at)
  local memos_at, is_live = at + SESSION_BYTES + 16 * codes, state == 0
  local memos = byte(value, memos_at)
  if not memos or state > 5 or is_live ~= (codes > 0) or is_live ~= (ended == 0)
    or way > 35 or way % 16 > 3 or form < 4 or form > 26 or (form > 10 and form < 20)
    or flags > 15 then
    return false
  end
  session.at, session.memos_at, session.prefix_at = at, memos_at, memos_at + 1 + 11 * memos
  session.over = session.prefix_at + (flags > 7 and 8 or 0)
  session.state, session.opened, session.expires, session.ended = state, opened, expires, ended
  session.way, session.form, session.flags = way, form, flags
  session.attempts, session.most = attempts, most
  return nonce, purpose
end

local function session_keeps(session)
  return (session.state == 0 and session.expires or session.ended * 1000) + RETENTION
end

local open, device = {}, {}
local one, other = {}, {}

-- Walks a whole record. Gives whether it is sound, its first session that is wanted, and
-- until when all others are kept.
local function walk(value, nonce, purpose)
  if not walk_lane(open, value, HEADER + 1) or not walk_lane(device, value, open.over) then
    return false
  end
  local count, at = byte(value, device.over), device.over + 1
  local here, found, latest = one, nil, 0
  for _ = 1, count or 0 do
    local its_nonce, its_purpose = walk_session(here, value, at)
    if not its_nonce then
      return false
    end
    at = here.over
    if not found and its_nonce == nonce and its_purpose == purpose then
      found, here = here, other
    else
      latest = max(latest, session_keeps(here))
    end
  end
  return count and at == #value + 1, found, latest
end

-- Room that is left for the first failure of a lane.
local function first_failure(empty)
  return empty and 5 or 0
end

-- The oldest ended sessions go until the record takes no more than `most`; never a live one or
-- a count. Gives the record, and until when its sessions are kept.
local function make_room(value, count_at, most)
  local count, size, latest, kept, at = byte(value, count_at), #value, 0, '', count_at + 1
  local left = count
  for _ = 1, count do
    walk_session(other, value, at)
    if size > most and other.state ~= 0 then
      left, size = left - 1, size - (other.over - at)
    else
      kept, latest = kept .. sub(value, at, other.over - 1), max(latest, session_keeps(other))
    end
    at = other.over
  end
  return sub(value, 1, count_at - 1) .. char(left) .. kept, latest
end

