-- Removes all keys of a user and the user's entries in the log, atomically.
--
-- KEYS  log, then every key of the user       ARGV  user
-- Reply: how many keys and entries were removed

local removed = 0
for _, entry in ipairs(redis.call('XRANGE', KEYS[1], '-', '+')) do
  local fields = entry[2]
  for i = 1, #fields, 2 do
    if fields[i] == 'u' and fields[i + 1] == ARGV[1] then
      removed = removed + redis.call('XDEL', KEYS[1], entry[1])
    end
  end
end
for i = 2, #KEYS do removed = removed + redis.call('UNLINK', KEYS[i]) end
return removed
