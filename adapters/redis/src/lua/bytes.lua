-- load and swap: bytes under a key, changed atomically. What they mean is told by the core.

-- ARGV: whether the store is fenced ('1' or '0').
-- Answers the value (or nothing), the time and the life, all three of one moment.
local function load(keys, args)
  local now = server_time()
  return { call('GET', keys[1]), now, life_at(now, args[1] == '1') }
end

-- ARGV: fenced, the life seen, whether a value was seen ('1' or '0'), the value seen, the
-- next value, from when on it is garbage (milliseconds, or nothing). Answers 1 if it was
-- written.
local function swap(keys, args)
  local now = server_time()
  if args[2] ~= life_at(now, args[1] == '1') then
    return 0
  end
  local held = call('GET', keys[1])
  local seen = args[3] == '1' and args[4]
  if held ~= seen then
    return 0
  end
  write(keys[1], args[5], tonumber(args[6]), now)
  return 1
end

-- ARGV: fenced. Answers the time, the life, and the values of the keys: nothing where there is
-- none, or none of ours. One MGET costs a tenth of as many GETs.
local function load_all(keys, args)
  local now = server_time()
  return { now, life_at(now, args[1] == '1'), call('MGET', spread(keys)) }
end

-- ARGV: fenced, the life seen, then for each key: the value seen, the next value, from when
-- on it is garbage (milliseconds, or nothing), from when on it may not be written (the same).
-- Answers for each key 1 if it was written. What cannot be written takes no other with it.
local function swap_all(keys, args)
  local now, written = server_time(), {}
  local same_life = args[2] == life_at(now, args[1] == '1')
  local held = call('MGET', spread(keys))
  for n, key in ipairs(keys) do
    local at = 4 * n - 1
    local before = tonumber(args[at + 3])
    written[n] = 0
    if same_life and not (before and now >= before) and held[n] == args[at]
      and pcall(write, key, args[at + 1], tonumber(args[at + 2]), now) then
      written[n] = 1
    end
  end
  return written
end

-- ARGV: fenced. Answers the life: for the start, where it needs no key.
local function whose(_, args)
  return life_at(server_time(), args[1] == '1')
end

