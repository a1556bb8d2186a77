-- Arguments after "--": method, bytes of content, requests in one flight.
-- Prints one line of JSON when the load is over.

local flight

function init(args)
  local method, size, depth = args[1], tonumber(args[2]), tonumber(args[3])
  wrk.method = method
  if size > 0 then
    local octets = {}
    for i = 0, size - 1 do
      octets[#octets + 1] = string.char(i % 256)
    end
    wrk.body = table.concat(octets)
  end
  local one, all = wrk.format(), {}
  for i = 1, depth do
    all[i] = one
  end
  flight = table.concat(all)
end

function request()
  return flight
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '{"requests": %d, "microseconds": %d, "bytes": %d, "p50": %d, "p99": %d, "not_2xx": %d, "broken": %d}\n',
    summary.requests, summary.duration, summary.bytes, latency:percentile(50), latency:percentile(99),
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
