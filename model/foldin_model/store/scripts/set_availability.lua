-- Hides items or shows them again, all of them or none.
--
-- KEYS  control, overlay, changed       ARGV  1 '1' to hide, '0' to show  2 entries allowed
--                                             then the items
-- Reply: OK revision | FULL number of entries

local control, overlay, changed = unpack(KEYS)
local hide = tonumber(ARGV[1])
local fresh, items, entries = 0, {}, {}

for i = 3, #ARGV do
  local entry = redis.call('HGET', overlay, ARGV[i])
  local readable = entry and #entry >= 10 and entry:byte(1) == 1
  if readable then
    local flags = entry:byte(2)
    if flags % 2 ~= hide then
      items[#items + 1] = ARGV[i]
      entries[#items] = struct.pack('<BB', 1, flags - flags % 2 + hide) .. entry:sub(3)
    end
  elseif hide == 1 then
    if not entry then fresh = fresh + 1 end
    items[#items + 1] = ARGV[i]
    entries[#items] = struct.pack('<BBi8', 1, 1, 0)
  end
end

local count = redis.call('HLEN', overlay)
if fresh > 0 and count + fresh > tonumber(ARGV[2]) then return {'FULL', count} end

local revision = tonumber(redis.call('HGET', control, 'overlay') or '0')
if #items > 0 then
  local time = redis.call('TIME')
  revision = math.max(revision + 1, time[1] * 1000000 + time[2])
  local stamp = string.format('%.0f', revision)
  for i, item in ipairs(items) do
    redis.call('HSET', overlay, item, entries[i])
    redis.call('ZADD', changed, stamp, item)
  end
  redis.call('HSET', control, 'overlay', stamp)
end
return {'OK', revision}
