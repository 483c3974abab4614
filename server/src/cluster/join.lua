-- A server begins: checks the cluster, or makes it, and takes a number and a lease.
local P = KEYS[1]
local patient, run, format, birth, id, cloak, boot, token, own, lease = unpack(ARGV, 1, 10)
local c = redis.call
local kinds = {meta = 'hash', log = 'stream', snapshots = 'hash', servers = 'hash', fenced = 'hash', run = 'string', hold = 'string'}
for key, kind in pairs(kinds) do
  local found = c('TYPE', P .. key).ok
  if found ~= 'none' and found ~= kind then return {'FOREIGN', key} end
end
local M, S, L = P .. 'meta', P .. 'snapshots', P .. 'log'
local there = c('HGET', M, 'birth')
local begun = c('HLEN', S) > 0
local log = c('EXISTS', L) == 1
if not there then
  if log then return {'FOREIGN', 'log'} end
  if begun then return {'FOREIGN', 'snapshots'} end
  -- Servers that still run would put a lost cluster back.
  if patient == '1' then return {'WAIT'} end
elseif not begun then
  -- Another server founds it, or puts it back; one that died over it is no obstacle.
  if log or c('EXISTS', P .. 'lease:' .. (c('HGET', M, 'founder') or '')) == 1 then return {'WAIT'} end
  there = false
end
if there then
  local theirs = c('HGET', M, 'format')
  if theirs ~= format then return {'FORMAT', theirs} end
  if own ~= '' and own ~= c('HGET', M, 'id') then return {'ANOTHER'} end
  local differ, ours = {'DIFFER'}, {}
  for i = 11, #ARGV, 2 do
    local name, value = ARGV[i], ARGV[i + 1]
    ours['=' .. name] = true
    local other = c('HGET', M, '=' .. name)
    if other ~= value then
      for _, part in ipairs({name, {value}, other and {other} or {}}) do table.insert(differ, part) end
    end
  end
  for _, field in ipairs(c('HKEYS', M)) do
    if field:sub(1, 1) == '=' and not ours[field] then
      for _, part in ipairs({field:sub(2), {}, {c('HGET', M, field)}}) do table.insert(differ, part) end
    end
  end
  if #differ > 1 then return differ end
  -- Another run of the engine may have lost entries: those who have them come first.
  if c('GET', P .. 'run') ~= run then
    c('SET', P .. 'run', run)
    c('SET', P .. 'hold', '1', 'PX', 3000)
    -- And whom they had given a number: one of those may stand still.
    c('HINCRBY', M, 'next', 100)
  end
  if c('EXISTS', P .. 'hold') == 1 then return {'WAIT'} end
else
  local next = c('HGET', M, 'next') or '0'
  c('DEL', M, P .. 'servers', P .. 'fenced', P .. 'hold')
  c('HSET', M, 'format', format, 'id', id, 'birth', birth, 'cloak', cloak, 'boot', boot, 'next', next)
  for i = 11, #ARGV, 2 do c('HSET', M, '=' .. ARGV[i], ARGV[i + 1]) end
  c('SET', P .. 'run', run)
end
local n = c('HINCRBY', M, 'next', 1)
if not there then c('HSET', M, 'founder', n) end
c('DEL', P .. 'seq:' .. n)
c('SET', P .. 'lease:' .. n, token, 'PX', lease)
c('HSET', P .. 'servers', n, '1')
return {'OK', n, c('HGET', M, 'id'), c('HGET', M, 'birth'), c('HGET', M, 'cloak'), c('HGET', M, 'boot'), there and 0 or 1}
