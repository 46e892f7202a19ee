-- Removes one user's ratings from those that new items are folded in from.
--
-- KEYS  control, changed, then the ratings of each item       ARGV  user, then the items
-- Reply: how many ratings were removed

local control, changed = unpack(KEYS)
local time = redis.call('TIME')
local revision = tonumber(redis.call('HGET', control, 'overlay') or '0')
local stamp = string.format('%.0f', math.max(revision + 1, time[1] * 1000000 + time[2]))
local removed = 0
for i = 2, #ARGV do
  if redis.call('HDEL', KEYS[i + 1], ARGV[1]) == 1 then
    redis.call('ZADD', changed, stamp, ARGV[i])
    removed = removed + 1
  end
end
if removed > 0 then redis.call('HSET', control, 'overlay', stamp) end
return removed
