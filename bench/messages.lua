-- wrk sends the bodies of a file one after the other: wrk ... -s messages.lua -- FILE KEY TAG PAUSE_MS
-- "<n>" in a body becomes TAG and a number that is never used twice. With a pause, each connection waits a random
-- time, PAUSE_MS on average, before it sends again.
local bodies, tags = {}, ""
local sent = 0

function init(args)
  for line in io.lines(args[1]) do
    local at = line:find("<n>", 1, true)
    if at then
      bodies[#bodies + 1] = { line:sub(1, at - 1), line:sub(at + 3) }
    else
      bodies[#bodies + 1] = { line }
    end
  end
  wrk.method = "POST"
  wrk.headers["Content-Type"] = "application/json"
  wrk.headers["Authorization"] = "Bearer " .. args[2]
  tags = args[3]
  local pause = tonumber(args[4])
  if pause > 0 then
    math.randomseed(1)
    function delay() return math.floor(math.random() * 2 * pause + 0.5) end
  end
end

function request()
  local body = bodies[sent % #bodies + 1]
  sent = sent + 1
  if body[2] then return wrk.format(nil, nil, nil, body[1] .. tags .. sent .. body[2]) end
  return wrk.format(nil, nil, nil, body[1])
end

function done(summary, latency, requests)
  local failed = summary.errors
  io.write(string.format(
    "\nLOAD %.3f %.3f %.3f %d\n",
    summary.requests / summary.duration * 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    failed.connect + failed.read + failed.write + failed.status + failed.timeout
  ))
end
