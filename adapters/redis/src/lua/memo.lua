-- Attempts that named themselves, and their verdicts: remembered in the session for a minute.

local MEMO = 60 * 1000 -- milliseconds

-- The memos that are still fresh, as bytes: eleven each.
local function fresh_memos(value, session, now)
  local fresh = ''
  for from = session.memos_at + 1, session.prefix_at - 1, 11 do
    if now <= take('>I4', value, from + 6) * 1000 + MEMO then
      fresh = fresh .. sub(value, from, from + 10)
    end
  end
  return fresh
end

-- What the attempt of this mark led to: 255 for an approval, else the attempts left.
local function recall(value, session, mark, now)
  local fresh = fresh_memos(value, session, now)
  for from = 1, #fresh, 11 do
    if sub(fresh, from, from + 5) == mark then
      return byte(fresh, from + 10)
    end
  end
end

-- The memos with one more, and their count before them.
local function remember(value, session, mark, outcome, now)
  local memos = fresh_memos(value, session, now) .. mark .. pack('>I4B', ceil_seconds(now), outcome)
  return char(#memos / 11) .. memos
end

