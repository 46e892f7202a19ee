-- Keeps a folded user if the user's revision is still the one that it was folded from.
--
-- KEYS  revision, folded        ARGV  revision, the packed folded user, seconds to keep it
-- Reply: 1 if kept, 0 if not

if (redis.call('GET', KEYS[1]) or '0') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[2], ARGV[2], 'EX', ARGV[3])
return 1
