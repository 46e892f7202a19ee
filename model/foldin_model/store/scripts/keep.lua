-- Keeps a folded state if the user's revision still is the one it was folded from.
--
-- KEYS  revision, folded        ARGV  revision, the state, seconds to keep it
-- Answer: 1 if kept, 0 if not

if (redis.call('GET', KEYS[1]) or '0') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[2], ARGV[2], 'EX', ARGV[3])
return 1
