-- Records of destinations: core/src/record/codec, version 1. Reading is as strict as there:
-- whatever is odd about a value makes `read` give nothing, and then the core is asked, which
-- knows what is wrong with it.

local LARGEST = 1024
local HEADER = 18 -- version, kind, tag and life
local LANE = '>BI2I4I4'

-- Reads a window at `at`; gives its events and where it ends.
local function read_window(value, at)
  local events, count = {}, string.byte(value, at)
  if not count or at + 5 * count > #value then
    return nil
  end
  for n = 1, count do
    local time, many = struct.unpack('>I4B', value, at + 5 * n - 4)
    if many == 0 then
      return nil
    end
    events[n] = { time, many }
  end
  return events, at + 5 * count + 1
end

local function read_lane(value, at)
  if at + 10 > #value then
    return nil
  end
  local lane, sends, failures, over = {}, nil, nil, nil
  lane.locked, lane.streak, lane.last_failure, lane.keep_until = struct.unpack(LANE, value, at)
  sends, over = read_window(value, at + 11)
  if lane.locked > 1 or not sends then
    return nil
  end
  -- A check never touches the sends: they stay bytes.
  lane.sends = string.sub(value, at + 11, over - 1)
  failures, over = read_window(value, over)
  lane.failures = failures
  return failures and lane, over
end

-- Whether the small numbers of a session are in their ranges.
local function is_sound(session)
  local alphabet, length = math.floor(session.form / 16), session.form % 16
  local live = session.state == 0
  return session.state <= 5
    and math.floor(session.way / 16) <= 2 and session.way % 16 <= 3
    and alphabet <= 1 and length >= 4 and length <= 10
    and session.flags <= 15
    and live == (session.codes ~= 0) and live == (session.ended == 0)
end

-- Reads a session at `at`, without its codes, memos and prefix; gives where it ends.
local function read_session(value, at)
  if at + 53 > #value then
    return nil
  end
  local s = { at = at }
  s.nonce, s.state, s.tags, s.opened, s.expires, s.ended, s.lifetime, s.way, s.form, s.attempts,
    s.max_attempts, s.sends, s.last_send, s.flags, s.codes =
    struct.unpack('>c6xBc16I6I6I4c3BBBBBI4BB', value, at)
  s.memos_at = at + 54 + 16 * s.codes
  s.memos = string.byte(value, s.memos_at)
  if not s.memos or not is_sound(s) then
    return nil
  end
  -- A session that has a prefix ends with it.
  s.prefix_at = s.memos_at + 1 + 11 * s.memos
  s.over = s.prefix_at + (s.flags >= 8 and 8 or 0)
  return s, s.over
end

-- Reads a whole record; nothing if it is not exactly what the core would have written.
local function read(value)
  if #value > LARGEST or #value < HEADER then
    return nil
  end
  local version, kind = string.byte(value, 1, 2)
  if version ~= 1 or kind ~= 1 then
    return nil
  end
  local record, at = { sessions = {} }, HEADER + 1
  record.tag, record.life = string.sub(value, 3, 10), string.sub(value, 11, HEADER)
  record.lanes = {}
  for n = 1, 2 do
    record.lanes[n], at = read_lane(value, at)
    if not record.lanes[n] then
      return nil
    end
  end
  local count = string.byte(value, at)
  at = at + 1
  for n = 1, count or 0 do
    record.sessions[n], at = read_session(value, at)
    if not at then
      return nil
    end
  end
  return count and at == #value + 1 and record
end

local function lane_bytes(lane)
  local parts = { struct.pack(LANE, lane.locked, lane.streak, lane.last_failure, lane.keep_until), lane.sends }
  parts[3] = string.char(#lane.failures)
  for _, event in ipairs(lane.failures) do
    parts[#parts + 1] = struct.pack('>I4B', event[1], event[2])
  end
  return table.concat(parts)
end

-- Writes a record: the header as it was, lanes anew, each session's bytes. The oldest ended
-- sessions go until it fits; never a live one or a count.
local function record_bytes(value, record)
  local head = string.sub(value, 1, HEADER) .. lane_bytes(record.lanes[1]) .. lane_bytes(record.lanes[2])
  local size, sessions = #head + 1, record.sessions
  for _, session in ipairs(sessions) do
    session.bytes = session.bytes or string.sub(value, session.at, session.over - 1)
    size = size + #session.bytes
  end
  local at = 1
  while size > LARGEST and sessions[at] do
    if sessions[at].state == 0 then
      at = at + 1
    else
      size = size - #table.remove(sessions, at).bytes
    end
  end
  local parts = { head, string.char(#sessions) }
  for _, session in ipairs(sessions) do
    parts[#parts + 1] = session.bytes
  end
  return table.concat(parts)
end
