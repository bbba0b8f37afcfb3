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

-- The body, history then tally, is what follows byte `base` of `source`.
local source = redis.pcall('GET', KEYS[1])
local base, stamp, known, seq, count, first, last, entries = HEAD
if type(source) == 'string' and #source >= HEAD and sub(source, 1, 4) == sub(order, 1, 4) then
  stamp = sub(source, 1, 16)
  known, seq, count = unpack('>I8I8I4', source, 17)
  first, last = sub(source, 37, 44), sub(source, 45, 52)
  entries = unpack('>I4', source, 53)
else
  source, base, stamp = '', 0, sub(order, 1, 12) .. '\0\0\0\0'
  known, seq, count, entries = 0, 0, 0, 0
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

-- Whether the entry at `at` comes after the event's, by time, key, item and type.
local function comes_later(at, from)
  for part = 0, 8, 8 do
    if larger(source, at + part, events, from + part) then
      return true
    elseif larger(events, from + part, source, at + part) then
      return false
    end
  end
  local a, b = unpack('>I4I2', source, at + 16)
  local c, d = unpack('>I4I2', events, from + 16)
  return a > c or (a == c and b > d)
end

-- How many entries of the history come before the event.
local function place_of(from)
  local place = entries
  while place > 0 and comes_later(base + (place - 1) * ENTRY + 1, from) do
    place = place - 1
  end
  return place
end

-- Where in `source` the row for the event's item and type begins or would begin, the row after the event, and
-- where the rest begins.
local function row_of(from)
  local code, start = sub(events, from + 16, from + 21), base + entries * ENTRY + 1
  local item, kind = unpack('>I4I2', code)
  local low, high = 0, (#source - start + 1) / ROW
  while low < high do
    local middle = math.floor((low + high) / 2)
    local a, b = unpack('>I4I2', source, start + middle * ROW)
    if a < item or (a == item and b < kind) then
      low = middle + 1
    else
      high = middle
    end
  end
  local at = start + low * ROW
  if sub(source, at, at + 5) ~= code then
    return at, code .. '\0\0\0\1' .. sub(events, from, from + 7), at
  end
  local latest = sub(events, from, from + 7)
  if larger(source, at + 10, events, from) then
    latest = sub(source, at + 10, at + 17)
  end
  return at, code .. pack('>I4', unpack('>I4', source, at + 6) + 1) .. latest, at + ROW
end

local changed, before, entry, between, row, after = false, '', '', '', '', ''
for at = 1, #events, ENTRY + 8 do
  local number, from = unpack('>I8', events, at), at + 8
  if number > known then
    if changed and entries ~= NOT_WHOLE then
      source, base = before .. entry .. between .. row .. after, 0
    end
    if entries ~= NOT_WHOLE then
      local row_at, rest
      row_at, row, rest = row_of(from)
      local place = unpack('>I4', events, from + 22) ~= 0 and place_of(from) or 0
      local drops = entries == longest and 1 or 0
      if place > 0 or (drops == 0 and unpack('>I4', events, from + 22) ~= 0) then
        before = sub(source, base + drops * ENTRY + 1, base + place * ENTRY)
        entry = sub(events, from, from + ENTRY - 1)
        between = sub(source, base + place * ENTRY + 1, row_at - 1)
        entries = entries + 1 - drops
      else
        before, entry, between = '', '', sub(source, base + 1, row_at - 1)
      end
      after = sub(source, rest)
      if #before + #entry + #between + #row + #after - entries * ENTRY > most * ROW then
        before, entry, between, row, after, entries = '', '', '', '', '', NOT_WHOLE
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
  .. pack('>I4', entries) .. before .. entry .. between .. row .. after
if ttl > 0 then
  redis.call('SET', KEYS[1], record, 'PX', ttl)
else
  redis.call('SET', KEYS[1], record)
end
return 2
