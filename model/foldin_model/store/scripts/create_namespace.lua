-- Creates the namespace unless it exists. Of several programs that create it the first one decides.
--
-- KEYS  control       ARGV  partitions, page key
-- Reply: the partitions and the page key that the namespace was created with
--
-- HDEL of a field that never exists counts as a write, so a replica refuses it and the client
-- learns that it is on the wrong server. It needs no memory, so a full store still takes clients.

redis.call('HDEL', KEYS[1], '')
local made = redis.call('HMGET', KEYS[1], 'partitions', 'page_key')
if made[1] and made[2] then return made end
redis.call('HSETNX', KEYS[1], 'partitions', ARGV[1])
redis.call('HSETNX', KEYS[1], 'page_key', ARGV[2])
return redis.call('HMGET', KEYS[1], 'partitions', 'page_key')
