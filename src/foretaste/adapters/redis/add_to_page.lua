-- Adds what a box shows to its page, unless the page holds another number of items than the box was told of.
-- KEYS[1]: the page's list. ARGV: how many it was told of, time to live in milliseconds, most items, item ids.
local held = redis.call('LLEN', KEYS[1])
if held ~= tonumber(ARGV[1]) then
  return 0
end
local last = math.min(#ARGV, 3 + tonumber(ARGV[3]) - held)
for place = 4, last do
  redis.call('RPUSH', KEYS[1], ARGV[place])
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
