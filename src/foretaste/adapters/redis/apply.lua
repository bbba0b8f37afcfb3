-- Folds events into the record of one person, as `features.state.State` does.
-- KEYS[1]: the record (see record_bytes.py for its layout).
-- ARGV[1]: signature (4 bytes), token of a new record (8), then unsigned big-endian previous sequence number (8),
--   as_of (8), time to live in milliseconds or 0 (8), length of histories (4), most rows of a tally (4).
-- ARGV[2]: events, each a sequence number (8) and an entry of a history (26).
-- Returns 2 for folded, 1 for seen before, 0 for a gap.
local HEAD, ENTRY, ROW, NOT_WHOLE = 56, 26, 18, 4294967295
local sub, unpack, pack = string.sub, struct.unpack, struct.pack
local order, events = ARGV[1], ARGV[2]
local previous, as_of, ttl, longest, most = unpack('>I8I8I8I4I4', order, 13)

local stored = redis.pcall('GET', KEYS[1])
local stamp, known, seq, count, first, last, entries, history, tally
if type(stored) == 'string' and #stored >= HEAD and sub(stored, 1, 4) == sub(order, 1, 4) then
  stamp = sub(stored, 1, 16)
  known, seq, count = unpack('>I8I8I4', stored, 17)
  first, last = sub(stored, 37, 44), sub(stored, 45, 52)
  entries = unpack('>I4', stored, 53)
  if entries == NOT_WHOLE then
    history, tally = '', ''
  else
    history = sub(stored, HEAD + 1, HEAD + entries * ENTRY)
    tally = sub(stored, HEAD + entries * ENTRY + 1)
  end
else
  stamp = sub(order, 1, 12) .. '\0\0\0\0'
  known, seq, count, entries, history, tally = 0, 0, 0, 0, '', ''
end
if known < previous then
  return 0
end

-- Whether eight bytes of `one` from `at` on are a larger number than those of `other` from `from` on. Numbers are
-- compared in halves, as Lua's have 53 bits, and never as text, which would be by the server's locale.
local function larger(one, at, other, from)
  local a, b = unpack('>I4I4', one, at)
  local c, d = unpack('>I4I4', other, from)
  return a > c or (a == c and b > d)
end

local function comes_later(at, event, from)
  for part = 0, 8, 8 do
    if larger(history, at + part, event, from + part) then
      return true
    elseif sub(history, at + part, at + part + 7) ~= sub(event, from + part, from + part + 7) then
      return false
    end
  end
  local a, b = unpack('>I4I2', history, at + 16)
  local c, d = unpack('>I4I2', event, from + 16)
  return a > c or (a == c and b > d)
end

local function remember(from)
  local place = entries
  while place > 0 and comes_later((place - 1) * ENTRY + 1, events, from) do
    place = place - 1
  end
  if entries == longest then
    if place > 0 then
      history = sub(history, ENTRY + 1, place * ENTRY) .. sub(events, from, from + ENTRY - 1)
        .. sub(history, place * ENTRY + 1)
    end
  else
    history = sub(history, 1, place * ENTRY) .. sub(events, from, from + ENTRY - 1)
      .. sub(history, place * ENTRY + 1)
    entries = entries + 1
  end
end

local function tell(from)
  local code = sub(events, from + 16, from + 21)
  local item, kind = unpack('>I4I2', code)
  local low, high = 0, #tally / ROW
  while low < high do
    local middle = math.floor((low + high) / 2)
    local a, b = unpack('>I4I2', tally, middle * ROW + 1)
    if a < item or (a == item and b < kind) then
      low = middle + 1
    else
      high = middle
    end
  end
  local at = low * ROW + 1
  local times, latest, rest = 1, sub(events, from, from + 7), at
  if sub(tally, at, at + 5) == code then
    times = unpack('>I4', tally, at + 6) + 1
    if larger(tally, at + 10, events, from) then
      latest = sub(tally, at + 10, at + 17)
    end
    rest = at + ROW
  end
  tally = sub(tally, 1, at - 1) .. code .. pack('>I4', times) .. latest .. sub(tally, rest)
end

local changed = false
for at = 1, #events, ENTRY + 8 do
  local number, from = unpack('>I8', events, at), at + 8
  if number > known then
    if entries ~= NOT_WHOLE then
      local weight = unpack('>I4', events, from + 22)
      if weight ~= 0 then
        remember(from)
      end
      tell(from)
      if #tally > most * ROW then
        history, tally, entries = '', '', NOT_WHOLE
      end
    end
    local time = sub(events, from, from + 7)
    if count == 0 or larger(first, 1, time, 1) then
      first = time
    end
    if count == 0 or larger(time, 1, last, 1) then
      last = time
    end
    seq, count, changed = number, count + 1, true
  end
end
if not changed then
  return 1
end
local record = stamp .. pack('>I8I8I4', math.max(known, as_of), seq, count) .. first .. last
  .. pack('>I4', entries) .. history .. tally
if ttl > 0 then
  redis.call('SET', KEYS[1], record, 'PX', ttl)
else
  redis.call('SET', KEYS[1], record)
end
return 2
