-- What servers do to the log, each call as a whole.
local P = KEYS[1]
local op, N, token, birth, run, applied, lease = unpack(ARGV, 1, 7)
local c = redis.call
local M, S, L, F, V = P .. 'meta', P .. 'snapshots', P .. 'log', P .. 'fenced', P .. 'servers'
local function before(a, b)
  local m, i = a:match('(%d+)-(%d+)')
  local n, j = b:match('(%d+)-(%d+)')
  m, i, n, j = tonumber(m), tonumber(i), tonumber(n), tonumber(j)
  return m < n or m == n and i < j
end
-- This server's next entries, from ARGV[10] on.
local function append(done, sequence, at)
  for i = 10, #ARGV do
    if sequence > done then
      done = sequence
      at = c('XADD', L, '*', 's', N, 'q', string.format('%.0f', done), 'p', at, 'e', ARGV[i])
    end
    sequence = sequence + 1
  end
  c('SET', P .. 'seq:' .. N, string.format('%.0f', done))
  return {'OK'}
end
if op == 'append' then
  -- Nearly all that is asked for: with few calls if all is as it should be. Whoever is fenced has no lease.
  local got = c('MGET', P .. 'lease:' .. N, P .. 'seq:' .. N, P .. 'hold')
  if got[1] == token and not got[3] and c('HGET', M, 'birth') == birth then
    local entry = c('XREVRANGE', L, '+', '-', 'COUNT', 1)[1]
    local done, sequence = math.max(tonumber(got[2] or '0'), tonumber(ARGV[8])), tonumber(ARGV[9])
    if entry and sequence <= done + 1 and (entry[1] == applied or not before(entry[1], applied)) then
      return append(done, sequence, entry[1])
    end
  end
end
local function last()
  local entry = c('XREVRANGE', L, '+', '-', 'COUNT', 1)[1]
  if entry then return entry[1] end
  if c('EXISTS', L) == 0 then return '0-0' end
  local about = c('XINFO', 'STREAM', L)
  for i = 1, #about, 2 do
    if about[i] == 'last-generated-id' then return about[i + 1] end
  end
end
local function fence(server)
  c('HSET', F, server, '1')
  c('HDEL', V, server)
  c('DEL', P .. 'seq:' .. server, P .. 'lease:' .. server)
  local fenced = c('HKEYS', F)
  if #fenced > 1000 then
    table.sort(fenced, function(a, b) return tonumber(a) < tonumber(b) end)
    for i = 1, #fenced - 1000 do c('HDEL', F, fenced[i]) end
  end
end
local function add(id, server, sequence, previous, bytes, fences)
  if fences == '0' then return c('XADD', L, id, 's', server, 'q', sequence, 'p', previous, 'e', bytes) end
  fence(fences)
  return c('XADD', L, id, 's', server, 'q', sequence, 'p', previous, 'e', bytes, 'f', fences)
end
local function lost()
  return {'LOST', last(), c('HLEN', S)}
end

if op == 'leave' or op == 'abandon' then
  if c('GET', P .. 'lease:' .. N) == token then c('DEL', P .. 'lease:' .. N) end
  if op == 'abandon' then c('HDEL', V, N) end
  return {'OK'}
end
local there = c('HGET', M, 'birth')
if there and there ~= birth then return {'OTHER'} end
if c('HEXISTS', F, N) == 1 then return {'FENCED'} end
if op == 'found' then
  if not there or c('HGET', M, 'founder') ~= N or c('HLEN', S) > 0 then return {'OTHER'} end
  c('HSET', S, '0-0', ARGV[8])
  return {'OK'}
end
-- What was in the log, from ARGV[i] on, each only right behind the one that it followed: several servers may do it at once.
-- How much was added, and whether all of it fits.
local function put_back(i, at)
  local count = 0
  for i = i, #ARGV, 6 do
    local id, server, sequence, previous, bytes, fences = unpack(ARGV, i, i + 5)
    if before(at, id) then
      if previous ~= at then return count, false end
      at = add(id, server, sequence, previous, bytes, fences)
      count = count + 1
      local key = P .. 'seq:' .. server
      if tonumber(c('GET', key) or '0') < tonumber(sequence) then c('SET', key, sequence) end
    end
  end
  return count, true
end
if op == 'restore' then
  -- place after which all is there, place of the snapshot, its bytes ('' if not needed), next number, fields of meta,
  -- servers, fenced: counted; entries up to the snapshot, if it is needed
  local first, at, bytes, next = ARGV[8], ARGV[9], ARGV[10], tonumber(ARGV[11])
  local needed = c('HLEN', S) == 0 or before(last(), first)
  if needed and bytes == '' then return lost() end
  local i = 12
  local function some()
    local from, count = i + 1, tonumber(ARGV[i])
    i = from + count
    return from, i - 1
  end
  local from, to = some()
  if not there then
    for k = from, to, 2 do c('HSET', M, ARGV[k], ARGV[k + 1]) end
    c('HSET', M, 'next', '0')
    -- Longer than the pause between two renewals: some servers may have nothing else to say.
    c('SET', P .. 'hold', '1', 'PX', 6000)
  end
  if tonumber(c('HGET', M, 'next')) < next then c('HSET', M, 'next', ARGV[11]) end
  from, to = some()
  for k = from, to do c('HSET', V, ARGV[k], '1') end
  from, to = some()
  for k = from, to do fence(ARGV[k]) end
  local count, fits = 0, true
  if needed then
    if before(last(), first) then
      -- What is before it does not lead up to it any more.
      c('DEL', L)
      c('XADD', L, first, 's', '0')
      c('XDEL', L, first)
    end
    -- No log ends before a snapshot, for nobody could begin with that.
    count, fits = put_back(i, last())
    if not fits then return {'DIFFERS'} end
    c('DEL', S)
    c('HSET', S, at, bytes)
  end
  return {'OK', last(), there and 0 or 1, count}
end
if not there then return lost() end
local held = c('GET', P .. 'lease:' .. N)
if held and held ~= token then return {'FENCED'} end
if op == 'renew' then
  if tonumber(c('HGET', M, 'next')) < tonumber(N) then c('HSET', M, 'next', N) end
  if c('GET', P .. 'run') ~= run then
    c('SET', P .. 'run', run)
    c('HINCRBY', M, 'next', 100)
    -- Longer than any server takes to connect again.
    if c('PTTL', P .. 'hold') < 3000 then c('SET', P .. 'hold', '1', 'PX', 3000) end
  end
end
if op == 'renew' or not held then
  c('SET', P .. 'lease:' .. N, token, 'PX', lease)
  c('HSET', V, N, '1')
end
local at = last()
if op == 'putback' then
  local count, fits = put_back(8, at)
  return {fits and 'OK' or 'DIFFERS', count}
end
if c('HLEN', S) == 0 or before(at, applied) then return lost() end
-- What was read of this server's own, and what it would append next: between them nothing may be missing, which another
-- server did not know of when it put the rest back.
local done, sequence = 0, 1
if op == 'renew' or op == 'append' then
  done = math.max(tonumber(c('GET', P .. 'seq:' .. N) or '0'), tonumber(ARGV[8]))
  sequence = tonumber(ARGV[9])
  if sequence > done + 1 then return {'AGAIN'} end
end
if op == 'renew' then
  local reply = {'OK', at, c('PTTL', P .. 'hold')}
  for _, server in ipairs(c('HKEYS', V)) do
    table.insert(reply, {server, c('EXISTS', P .. 'lease:' .. server)})
  end
  return reply
end
if op == 'snapshot' then
  local place, bytes = ARGV[8], ARGV[9]
  local kept = c('HKEYS', S)
  table.sort(kept, before)
  if c('HEXISTS', S, place) == 1 or #kept >= 4 and before(place, kept[1]) then return {'OK'} end
  if place ~= at and #c('XRANGE', L, place, place) == 0 then return {'OK'} end
  if bytes == '' then return {'SEND'} end
  c('HSET', S, place, bytes)
  table.insert(kept, place)
  table.sort(kept, before)
  while #kept > 4 do c('HDEL', S, table.remove(kept, 1)) end
  if kept[1] ~= '0-0' then c('XTRIM', L, 'MINID', kept[1]) end
  return {'OK'}
end
local hold = c('PTTL', P .. 'hold')
if hold > 0 then return {'WAIT', hold} end
if op == 'fence' then
  local server = ARGV[8]
  if c('EXISTS', P .. 'lease:' .. server) == 0 and c('HEXISTS', F, server) == 0 then
    add('*', N, '0', at, ARGV[9], server)
  end
  return {'OK'}
end
return append(done, sequence, at)
