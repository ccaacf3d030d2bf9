-- record adds an entry to the history of a project. It is kept for 90 days after the last one.
local function record(history, what, who, detail)
  if add_entry(history, {'what', what, 'who', who, 'detail', detail}) then
    redis.call('PEXPIRE', history, 7776000000)
  end
end

