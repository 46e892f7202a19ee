-- Stores ratings of one user by the rule of foldin_model.store.write_rule, all of them or none.
--
-- KEYS  ratings, revision, folded, log, and request where the caller sent a request id
-- ARGV  1 user  2 request id (16 bytes)  3 request digest (16 bytes)  4 live ratings allowed
--       5 µs that an event may lie ahead  6 seconds a request is remembered  7 length of the log
--       then for every rating: item, value (a double; empty deletes it), event time (empty: now)
-- Reply: OK revision stored replayed superseded | REUSED | AHEAD | FULL live | CORRUPT item
--
-- A record is: 1 format, 2 flags (1 = deleted), 3-10 value, 11-18 event time, 19-34 request id,
-- 35-42 revision. Times and revisions are below 2^53, so that a Lua number holds them exactly.

local ratings, revision_key, folded, log, request = unpack(KEYS)
local user, request_id, digest = ARGV[1], ARGV[2], ARGV[3]
local max_ratings, max_ahead = tonumber(ARGV[4]), tonumber(ARGV[5])
local DELETED_VALUE = struct.pack('<d', 0)

local function is_live(record)
  return record and record:byte(2) % 2 == 0
end

-- Bytes are compared one by one: Lua's < on strings follows the server's locale.
local function compare_bytes(a, b)
  for i = 1, #a do
    local difference = a:byte(i) - b:byte(i)
    if difference ~= 0 then return difference end
  end
  return 0
end

local function wins_over(new, old)
  local difference = struct.unpack('<i8', new, 11) - struct.unpack('<i8', old, 11)
  if difference ~= 0 then return difference > 0 end
  difference = compare_bytes(new:sub(19, 34), old:sub(19, 34))
  if difference ~= 0 then return difference > 0 end
  if is_live(new) ~= is_live(old) then return is_live(new) end
  return struct.unpack('<d', new, 3) > struct.unpack('<d', old, 3)
end

if request then
  local kept = redis.call('GET', request)
  if kept then
    if kept:sub(1, 16) ~= digest then return {'REUSED'} end
    local revision, superseded = struct.unpack('<i8B', kept, 17)
    return {'OK', revision, 0, 1, superseded}
  end
end

local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local previous = tonumber(redis.call('GET', revision_key) or '0')
local before, after, changed = {}, {}, {}

for i = 8, #ARGV, 3 do
  local item, value, sent = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  if before[item] == nil then
    local stored = redis.call('HGET', ratings, item)
    if stored and (#stored ~= 42 or stored:byte(1) ~= 1) then return {'CORRUPT', item} end
    before[item], after[item] = stored, stored
  end
  local old = after[item]
  local event_time = now
  if sent ~= '' then
    event_time = tonumber(sent)
    if event_time > now + max_ahead then return {'AHEAD'} end
  elseif old then
    event_time = math.max(now, struct.unpack('<i8', old, 11) + 1)
  end
  local flags = 0
  if value == '' then value, flags = DELETED_VALUE, 1 end
  local new = struct.pack('<BB', 1, flags) .. value .. struct.pack('<i8', event_time) .. request_id
  if not old or wins_over(new, old) then
    if after[item] == before[item] then changed[#changed + 1] = item end
    after[item] = new
  end
end

local growth = 0
for _, item in ipairs(changed) do
  if is_live(after[item]) then growth = growth + 1 end
  if is_live(before[item]) then growth = growth - 1 end
end
-- HLEN counts deleted ratings too, so live ones are counted where that would exceed the limit.
if growth > 0 and redis.call('HLEN', ratings) + growth > max_ratings then
  local live = 0
  for _, record in ipairs(redis.call('HVALS', ratings)) do
    if is_live(record) then live = live + 1 end
  end
  if live + growth > max_ratings then return {'FULL', live} end
end

local revision = previous
if #changed > 0 then
  revision = math.max(previous + 1, now)
  local stamp = struct.pack('<i8', revision)
  for _, item in ipairs(changed) do
    local record = after[item] .. stamp
    redis.call('HSET', ratings, item, record)
    redis.call('XADD', log, 'MAXLEN', '~', ARGV[7], '*', 'u', user, 'i', item, 'r', record)
  end
  redis.call('SET', revision_key, string.format('%.0f', revision))
  redis.call('DEL', folded)
end
local superseded = #changed == 0 and 1 or 0
if request then
  redis.call('SET', request, digest .. struct.pack('<i8B', revision, superseded), 'EX', ARGV[6])
end
return {'OK', revision, #changed, 0, superseded}
