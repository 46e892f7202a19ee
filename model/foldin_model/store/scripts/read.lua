-- One consistent view of a user: the folded state if it is current, else what to fold it from.
--
-- KEYS  revision, folded, ratings, trained
-- ARGV  1 the stamp that a current folded state begins with, its revision left zero
--       2 '1' for the history in any case
-- Answer: revision folded | revision nil {item record ...} trained

local revision = tonumber(redis.call('GET', KEYS[1]) or '0')
if ARGV[2] ~= '1' then
  local folded = redis.call('GET', KEYS[2])
  if folded then
    local stamp = ARGV[1]:sub(1, 1) .. struct.pack('<i8', revision) .. ARGV[1]:sub(10)
    if folded:sub(1, #stamp) == stamp then return {revision, folded} end
  end
end
return {revision, false, redis.call('HGETALL', KEYS[3]), redis.call('GET', KEYS[4])}
