-- Creates the namespace where it is new; only the first of many creators chooses.
--
-- KEYS  control       ARGV  partitions, page key
-- Answer: the partitions and the page key that it was made with
--
-- Taking away a field that is never there is a write, which a replica refuses; but it needs no
-- memory, so that a store that is full still answers who connects.

redis.call('HDEL', KEYS[1], '')
local made = redis.call('HMGET', KEYS[1], 'partitions', 'page_key')
if made[1] and made[2] then return made end
redis.call('HSETNX', KEYS[1], 'partitions', ARGV[1])
redis.call('HSETNX', KEYS[1], 'page_key', ARGV[2])
return redis.call('HMGET', KEYS[1], 'partitions', 'page_key')
