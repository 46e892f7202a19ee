-- Keeps one user's rating of a new item, unless a later one of the same user is kept. Where there
-- are more ratings than allowed, the oldest one is removed.
--
-- KEYS  control, overlay, changed, the item's ratings    ARGV  item, user, record, ratings allowed
-- Reply: 1 if anything changed, else 0
--
-- A record begins with: 1 format, 2 flags (1 = live), 3-10 the user's revision.

local control, overlay, changed, ratings = unpack(KEYS)
local item, user, record = ARGV[1], ARGV[2], ARGV[3]

local function revision_of(kept)
  return #kept >= 10 and struct.unpack('<i8', kept, 3) or 0
end

local entry = redis.call('HGET', overlay, item)
if not entry or #entry < 10 or entry:byte(2) < 2 then return 0 end
local old = redis.call('HGET', ratings, user)
if old == record or (old and revision_of(old) > revision_of(record)) then return 0 end
if not old and record:byte(2) == 0 then return 0 end

redis.call('HSET', ratings, user, record)
if redis.call('HLEN', ratings) > tonumber(ARGV[4]) then
  local kept, oldest, first = redis.call('HGETALL', ratings), nil, nil
  for i = 1, #kept, 2 do
    local revision = revision_of(kept[i + 1])
    if not oldest or revision < first then oldest, first = kept[i], revision end
  end
  redis.call('HDEL', ratings, oldest)
end

local time = redis.call('TIME')
local revision = tonumber(redis.call('HGET', control, 'overlay') or '0')
local stamp = string.format('%.0f', math.max(revision + 1, time[1] * 1000000 + time[2]))
redis.call('ZADD', changed, stamp, item)
redis.call('HSET', control, 'overlay', stamp)
return 1
