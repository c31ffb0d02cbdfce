-- Sliding windows: core/src/record/window.rs, rule for rule. A window is a list of events
-- {time in seconds, how many}, the oldest first; limits are two of {max, seconds}.

local EXACT, PARTS = 20, 12
local MOST_SECONDS = 4294967295

-- Whole seconds, rounded up, so that nothing kept in seconds ends early.
local function ceil_seconds(millis)
  return math.min(math.ceil(millis / 1000), MOST_SECONDS)
end

local function longest(limits)
  return math.max(limits[1].seconds, limits[2].seconds)
end

-- The time under which an event at `now` is noted.
local function event_time(limits, now)
  local part = 1
  if limits[1].max > EXACT or limits[2].max > EXACT then
    part = math.max(math.ceil(longest(limits) / PARTS), 1)
  end
  return math.min(math.ceil(ceil_seconds(now) / part) * part, MOST_SECONDS)
end

-- When an event of this time leaves the window; one in the future counts as now.
local function ends(time, limit, now)
  return math.min(time * 1000, now) + limit.seconds * 1000
end

-- Seconds until another event is within the limit; nothing when it is now.
local function wait_for(events, limit, now)
  local count = 0
  for _, event in ipairs(events) do
    if ends(event[1], limit, now) > now then
      count = count + event[2]
    end
  end
  local surplus = count + 1 - limit.max
  if surplus <= 0 then
    return nil
  end
  local left = 0
  for _, event in ipairs(events) do
    local over = ends(event[1], limit, now)
    if over > now then
      left = left + event[2]
      if left >= surplus then
        return math.max(math.ceil((over - now) / 1000), 1)
      end
    end
  end
  return limit.seconds
end

-- The same for both limits: the longer wait.
local function wait(events, limits, now)
  local first, second = wait_for(events, limits[1], now), wait_for(events, limits[2], now)
  if first and second then
    return math.max(first, second)
  end
  return first or second
end

-- Notes an event at `now`, and gives the events without those that no limit counts.
local function charge(events, limits, now)
  local kept, span, latest = {}, longest(limits) * 1000, event_time(limits, now)
  for _, event in ipairs(events) do
    if event[1] * 1000 + span > now then
      kept[#kept + 1] = { math.min(event[1], latest), event[2] }
    end
  end
  local last = kept[#kept]
  if last and last[1] == latest and last[2] < 255 then
    last[2] = last[2] + 1
  else
    kept[#kept + 1] = { latest, 1 }
  end
  return kept
end

-- Takes back one event of this time, the newest such.
local function take_back(events, time)
  for at = #events, 1, -1 do
    if events[at][1] == time then
      events[at][2] = events[at][2] - 1
      if events[at][2] == 0 then
        table.remove(events, at)
      end
      return
    end
  end
end
