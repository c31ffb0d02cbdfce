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

-- ARGV: fenced. Answers the life: for the start, where it needs no key.
local function whose(_, args)
  return life_at(server_time(), args[1] == '1')
end

