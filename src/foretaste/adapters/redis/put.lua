-- Stores a record rebuilt from the log unless there is one that is complete up to as much or more.
-- KEYS[1]: the record. ARGV[1]: the new one. ARGV[2]: time to live in milliseconds, or 0.
-- Returns the token of the record that is then there.
local new, ttl = ARGV[1], tonumber(ARGV[2])
local old = redis.pcall('GET', KEYS[1])
if type(old) == 'string' and #old >= 56 and string.sub(old, 1, 4) == string.sub(new, 1, 4) then
  if struct.unpack('>I8', old, 17) >= struct.unpack('>I8', new, 17) then
    if ttl > 0 then
      redis.call('PEXPIRE', KEYS[1], ttl)
    end
    return string.sub(old, 5, 12)
  end
  new = string.sub(old, 1, 16) .. string.sub(new, 17)
end
if ttl > 0 then
  redis.call('SET', KEYS[1], new, 'PX', ttl)
else
  redis.call('SET', KEYS[1], new)
end
return string.sub(new, 5, 12)
