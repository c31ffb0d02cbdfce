-- Sliding windows: core/src/record/window.rs, rule for rule. A window stays the bytes that it
-- is kept as: how many events, and for each its second and how often, the oldest first.

local EXACT, PARTS = 20, 12
local MOST_SECONDS = 4294967295

-- Whole seconds, rounded up, so that nothing kept in seconds ends early.
local function ceil_seconds(millis)
  return min(ceil(millis / 1000), MOST_SECONDS)
end

-- The limits of a lane's failures, and what follows from them.
local function read_limits(packed, at)
  local max_one, one, max_other, other, lock_after = take('>I2I4I2I4I2', packed, at)
  local longest, part = max(one, other), 1
  if max_one > EXACT or max_other > EXACT then
    part = max(ceil(longest / PARTS), 1)
  end
  return {
    { most = max_one, seconds = one },
    { most = max_other, seconds = other },
    lock_after = lock_after,
    longest = longest,
    part = part,
    fewest = min(max_one, max_other),
  }
end

-- The time under which an event in this second is noted.
local function event_time(limits, second)
  local part = limits.part
  if part == 1 then
    return second
  end
  return min(ceil(second / part) * part, MOST_SECONDS)
end

-- Where the window at `at` of so many entries ends, and how many events that are; nothing
-- if it is odd.
local function walk_window(value, at, entries)
  local events = 0
  for from = at + 5, at + 5 * entries, 5 do
    local many = byte(value, from)
    if not many or many == 0 then
      return nil
    end
    events = events + many
  end
  return at + 5 * entries + 1, events
end

-- When an event of this time leaves the window; one in the future counts as now.
local function ends(time, limit, now)
  return min(time * 1000, now) + limit.seconds * 1000
end

-- Seconds until one more event is within the limit; 0 when it is now.
local function wait_for(value, at, over, limit, now)
  local count = 0
  for from = at + 1, over - 1, 5 do
    local time, many = take('>I4B', value, from)
    if ends(time, limit, now) > now then
      count = count + many
    end
  end
  local surplus, left = count + 1 - limit.most, 0
  if surplus <= 0 then
    return 0
  end
  for from = at + 1, over - 1, 5 do
    local time, many = take('>I4B', value, from)
    local leaves = ends(time, limit, now)
    if leaves > now then
      left = left + many
      if left >= surplus then
        return max(ceil((leaves - now) / 1000), 1)
      end
    end
  end
  return limit.seconds
end

-- The same for both limits: the longer wait.
local function wait(value, at, over, limits, now)
  return max(wait_for(value, at, over, limits[1], now), wait_for(value, at, over, limits[2], now))
end

-- The events from `from` on, without those that no limit counts, and none later than
-- `latest`. What stays as it is is copied in one piece.
local function prune(value, from, over, limits, latest, now)
  local kept, clean, span = '', from, limits.longest * 1000
  for at = from, over - 1, 5 do
    local time = take('>I4', value, at)
    local is_gone = time * 1000 + span <= now
    if is_gone or time > latest then
      kept = kept .. sub(value, clean, at - 1)
      if not is_gone then
        kept = kept .. pack('>I4', latest) .. sub(value, at + 4, at + 4)
      end
      clean = at + 5
    end
  end
  return kept .. sub(value, clean, over - 1)
end

-- The same events and one more.
local function charge(events, time)
  local size = #events
  if size > 0 then
    local last, many = take('>I4B', events, size - 4)
    if last == time and many < 255 then
      return sub(events, 1, size - 1) .. char(many + 1)
    end
  end
  return events .. pack('>I4B', time, 1)
end

