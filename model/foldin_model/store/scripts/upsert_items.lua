-- Stores the content of new items, all of them or none. An item whose content is unchanged is left
-- as it is.
--
-- KEYS  control, overlay, changed       ARGV  1 new items allowed, then for each: item, content
-- Reply: OK revision | FULL number of new items
--
-- An entry is: 1 format, 2 flags (1 = hidden, 2 = new: content follows), 3-10 order, the content.

local control, overlay, changed = unpack(KEYS)
local fresh, items, flags, orders, contents = 0, {}, {}, {}, {}

for i = 2, #ARGV, 2 do
  local item, content = ARGV[i], ARGV[i + 1]
  local entry = redis.call('HGET', overlay, item)
  local readable = entry and #entry >= 10 and entry:byte(1) == 1
  local old = readable and entry:byte(2) or 0
  local known = old >= 2
  if not known or entry:sub(11) ~= content then
    items[#items + 1] = item
    flags[#items] = old % 2 + 2
    contents[#items] = content
    if known then
      orders[#items] = struct.unpack('<i8', entry, 3)
    elseif readable or not entry then  -- a damaged entry is counted already
      fresh = fresh + 1
    end
  end
end

local count = tonumber(redis.call('HGET', control, 'overlay_items') or '0')
if fresh > 0 and count + fresh > tonumber(ARGV[1]) then return {'FULL', count} end

local revision = tonumber(redis.call('HGET', control, 'overlay') or '0')
if #items > 0 then
  local time = redis.call('TIME')
  revision = math.max(revision + 1, time[1] * 1000000 + time[2])
  local stamp = string.format('%.0f', revision)
  for i, item in ipairs(items) do
    local order = orders[i] or redis.call('HINCRBY', control, 'overlay_order', 1)
    local entry = struct.pack('<BBi8', 1, flags[i], order) .. contents[i]
    redis.call('HSET', overlay, item, entry)
    redis.call('ZADD', changed, stamp, item)
  end
  redis.call('HINCRBY', control, 'overlay_items', fresh)
  redis.call('HSET', control, 'overlay', stamp)
end
return {'OK', revision}
