-- When, and in which life of the server, a call is taken.
--
-- A library's locals live as long as the server process and this version of the library:
-- a restart, a full resynchronisation and a renewed generation all begin with none. Within
-- one process the life can only change by a promotion, which takes longer than the time
-- for which a witness is believed. Asking INFO in each call would cost a sixth of the
-- throughput.

local BELIEVED = 100 -- milliseconds
local UNFENCED = '\0\0\0\0\0\0\0\0'

-- What the sandbox knows only while a function runs, looked up once: a local is found in a
-- fifth of the time that a name in a table takes.
local call, byte, sub, char, format, floor, ceil, max, min, spread, pack, take

local function look_up()
  call, byte, sub, char, format = redis.call, string.byte, string.sub, string.char, string.format
  floor, ceil, max, min = math.floor, math.ceil, math.max, math.min
  spread, pack, take = unpack, struct.pack, struct.unpack
end

local life, read_at

-- The server's time in milliseconds since 1970. Every function begins with it.
local function server_time()
  if not call then
    look_up()
  end
  local time = call('TIME')
  return time[1] * 1000 + floor(time[2] / 1000)
end

-- A restarted server has another run id, a promoted one another replication id; the
-- generation is the operator's.
local function read_life()
  local info = call('INFO', 'server') .. call('INFO', 'replication')
  local run = string.match(info, 'run_id:(%x+)')
  local replication = string.match(info, 'master_replid:(%x+)')
  if not run or not replication then
    error('countersign: INFO shows no run_id or master_replid')
  end
  local hash = redis.sha1hex('countersign redis incarnation 1 ' .. GENERATION .. ' ' .. run .. ' ' .. replication)
  local bytes = string.gsub(sub(hash, 1, 16), '%x%x', function(pair)
    return char(tonumber(pair, 16))
  end)
  -- Zero would say that there is no fence.
  if bytes == UNFENCED then
    return '\0\0\0\0\0\0\0\1'
  end
  return bytes
end

-- Eight bytes that tell one life of the server from another.
local function life_at(now, fenced)
  if not fenced then
    return UNFENCED
  end
  if not life or now < read_at or now - read_at >= BELIEVED then
    life, read_at = read_life(), now
  end
  return life
end

-- The expiry of a key is garbage collection and decides nothing. It is set late: clocks of
-- replicas may differ, and a caller may bring its own time.
local MARGIN = 3600 * 1000

-- Most expiries are so many whole seconds after a guess, so that many writes share one: its
-- digits are made once.
local expiry, digits

-- Writes the value; without a time it stays until an operator resets the record.
local function write(key, value, garbage_after, now)
  if not garbage_after then
    call('SET', key, value)
    return
  end
  local at = (garbage_after > now and garbage_after or now) + MARGIN
  if at ~= expiry then
    expiry, digits = at, format('%.0f', at)
  end
  call('SET', key, value, 'PXAT', digits)
end

