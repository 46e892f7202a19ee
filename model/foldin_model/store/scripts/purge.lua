-- Forgets a user: all of her keys and her entries in the log, in one go.
--
-- KEYS  log, then every key that is hers       ARGV  user
-- Answer: how many keys and entries there were

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
