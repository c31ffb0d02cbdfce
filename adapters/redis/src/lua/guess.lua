-- A guess as the adapter packs it (src/check.rs): 84 bytes.

local GUESS = '>c10c6c8c16c30c6I8' -- head, nonce, purpose, digest, manner, mark, time

local function is_set(flags, flag)
  return flags % (2 * flag) >= flag
end

-- How guesses are made (the code's length and letters, flags, limits), by the bytes that tell
-- it. There are as many ways as there are policies, and any number of guesses.
local MOST_MANNERS = 64
local manners, known = {}, 0

local function read_manner(packed)
  local length, flags = byte(packed, 1, 2)
  local manner = {
    length = length,
    digits = is_set(flags, 1),
    alphanumeric = is_set(flags, 2),
    has_mark = is_set(flags, 4),
    has_time = is_set(flags, 8),
    fenced = is_set(flags, 16),
    waits = is_set(flags, 32),
    open = read_limits(packed, 3),
    device = read_limits(packed, 17),
  }
  if known == MOST_MANNERS then
    manners, known = {}, 0
  end
  manners[packed], known = manner, known + 1
  return manner
end

