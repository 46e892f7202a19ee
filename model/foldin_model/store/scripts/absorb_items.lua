-- Removes content and ratings of new items that a model has by now. Hidden items stay hidden.
--
-- KEYS  control, overlay, changed, then the ratings of each item       ARGV  the items
-- Reply: how many of them were new

local control, overlay, changed = unpack(KEYS)
local time = redis.call('TIME')
local revision = tonumber(redis.call('HGET', control, 'overlay') or '0')
local stamp = string.format('%.0f', math.max(revision + 1, time[1] * 1000000 + time[2]))
local absorbed = 0
for i, item in ipairs(ARGV) do
  local entry = redis.call('HGET', overlay, item)
  if entry and #entry >= 10 and entry:byte(1) == 1 and entry:byte(2) >= 2 then
    local bare = struct.pack('<BB', 1, entry:byte(2) % 2) .. entry:sub(3, 10)
    redis.call('HSET', overlay, item, bare)
    redis.call('ZADD', changed, stamp, item)
    redis.call('UNLINK', KEYS[3 + i])
    absorbed = absorbed + 1
  end
end
if absorbed > 0 then
  redis.call('HINCRBY', control, 'overlay_items', -absorbed)
  redis.call('HSET', control, 'overlay', stamp)
end
return absorbed
