-- Raises the epoch of a record that still bears a token. KEYS[1]: the record. ARGV[1]: the token. ARGV[2]: the epoch,
-- unsigned big-endian (4). Returns 1 if it bears the token, else 0.
local stored = redis.pcall('GETRANGE', KEYS[1], 0, 15)
if type(stored) ~= 'string' or string.sub(stored, 5, 12) ~= ARGV[1] then
  return 0
end
if struct.unpack('>I4', ARGV[2]) > struct.unpack('>I4', stored, 13) then
  redis.call('SETRANGE', KEYS[1], 12, ARGV[2])
end
return 1
