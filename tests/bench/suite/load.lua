-- Sends the bodies of a file, one a line, in turn; prints one line of JSON at the end.
local requests, position = {}, 0

function init(arguments)
  local headers = { ["Content-Type"] = "application/json; charset=utf-8", ["User-Agent"] = "bot" }
  for body in io.lines(arguments[1]) do
    requests[#requests + 1] = wrk.format("POST", "/", headers, body)
  end
end

function request()
  position = position % #requests + 1
  return requests[position]
end

function done(summary, latency, _)
  local errors = summary.errors
  io.write(string.format(
    '{"requests": %d, "microseconds": %d, "median_us": %d, "p99_us": %d, "wrong_status": %d, "broken": %d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.status, errors.connect + errors.read + errors.write))
end
