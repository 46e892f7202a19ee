-- Makes a version current if the epoch is the expected one. A current version stays as it is.
--
-- KEYS  control, versions       ARGV  version, expected epoch (empty: any)
-- Reply: OK | CONFLICT epoch | UNKNOWN

if not redis.call('ZSCORE', KEYS[2], ARGV[1]) then return {'UNKNOWN'} end
local epoch = redis.call('HGET', KEYS[1], 'epoch') or '0'
if ARGV[2] ~= '' and ARGV[2] ~= epoch then return {'CONFLICT', epoch} end
local current = redis.call('HGET', KEYS[1], 'current')
if current == ARGV[1] then return {'OK'} end
if current then redis.call('HSET', KEYS[1], 'previous', current) end
redis.call('HSET', KEYS[1], 'current', ARGV[1])
redis.call('HINCRBY', KEYS[1], 'epoch', 1)
return {'OK'}
