-- What is remembered of one lane's failures: core/src/record/gate.rs, rule for rule.

local STREAK_MEMORY = 400 * 24 * 3600 * 1000 -- milliseconds
local RETENTION = 15 * 60 * 1000 -- milliseconds

local function streak_ends(lane)
  return lane.last_failure * 1000 + STREAK_MEMORY
end

-- Counts a failure, before anybody knows whether it is one.
local function charge_failure(lane, limits, now)
  lane.failures = charge(lane.failures, limits, now)
  local streak = lane.streak
  if lane.locked == 0 and streak_ends(lane) <= now then
    streak = 0
  end
  lane.streak = math.min(streak + 1, 65535)
  lane.last_failure = ceil_seconds(now)
  if lane.streak >= limits.lock_after then
    lane.locked = 1
  end
  local until_then = math.min(ceil_seconds(now) + longest(limits), MOST_SECONDS)
  lane.keep_until = math.max(lane.keep_until, until_then)
end

-- A success takes its own charge out again and ends the streak; other failures stay.
local function succeed(lane, limits, now)
  take_back(lane.failures, event_time(limits, now))
  lane.streak, lane.last_failure, lane.locked = 0, 0, 0
end

-- Until when the record means something; nothing means until a reset.
local function keep_until(record)
  local latest = 0
  for _, lane in ipairs(record.lanes) do
    if lane.locked == 1 then
      return nil
    end
    latest = math.max(latest, lane.keep_until * 1000)
    if lane.streak > 0 then
      latest = math.max(latest, streak_ends(lane))
    end
  end
  for _, session in ipairs(record.sessions) do
    local over = session.state == 0 and session.expires or session.ended * 1000
    latest = math.max(latest, over + RETENTION)
  end
  return latest
end
