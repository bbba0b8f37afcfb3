-- Keeps an answer with a person's others, unless these are of another stamp or too many: then it alone is kept.
-- KEYS[1]: the person's hash. ARGV: stamp, request, answer, time to live in milliseconds or 0, most answers.
local ttl, most = tonumber(ARGV[4]), tonumber(ARGV[5])
local stamp = redis.pcall('HGET', KEYS[1], 'stamp')
local is_new = stamp ~= ARGV[1]
if not is_new and redis.call('HLEN', KEYS[1]) > most then
  is_new = redis.call('HEXISTS', KEYS[1], ARGV[2]) == 0
end
-- A script may fill a full server once it has written: so nothing is removed where nothing is.
if is_new and redis.call('EXISTS', KEYS[1]) == 1 then
  redis.call('DEL', KEYS[1])
end
redis.call('HSET', KEYS[1], 'stamp', ARGV[1], ARGV[2], ARGV[3])
if is_new and ttl > 0 then
  redis.call('PEXPIRE', KEYS[1], ttl)
end
return 1
