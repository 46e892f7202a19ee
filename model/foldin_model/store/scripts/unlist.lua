-- Takes a version off the list of versions, so that it cannot become current, unless it is current.
--
-- KEYS  control, versions       ARGV  version
-- Reply: OK | SERVES

if redis.call('HGET', KEYS[1], 'current') == ARGV[1] then return {'SERVES'} end
redis.call('ZREM', KEYS[2], ARGV[1])
if redis.call('HGET', KEYS[1], 'previous') == ARGV[1] then
  redis.call('HDEL', KEYS[1], 'previous')
  redis.call('HINCRBY', KEYS[1], 'epoch', 1)
end
return {'OK'}
