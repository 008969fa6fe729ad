defmodule Oracle.I do
  use Oracle

  promise "I1" do
    ends_with(fn -> (Task.async(fn -> exit(:task_crashed) end); forever()) end) == :task_crashed
  end

  promise "I2" do
    match?({:timeout, {Task, :await, _}}, ends_with(fn -> Task.await(Task.async(&forever/0), 10) end))
  end

  promise "I3" do
    task = Task.async(fn -> until(:go) end)
    nil = Task.yield(task, 5)
    nil = Task.yield(task, 5)
    send(task.pid, :go)
    Task.yield(task, 5000) == {:ok, :ok}
  end

  promise "I4" do
    endless = Task.async(&forever/0)
    done = Task.async(fn -> :result end)
    reason_of(Process.monitor(done.pid))

    Task.shutdown(endless, :brutal_kill) == nil and not Process.alive?(endless.pid) and
      Task.shutdown(done, :brutal_kill) == {:ok, :result}
  end

  promise "I5" do
    {:ok, tasks} = Task.Supervisor.start_link()
    task = Task.Supervisor.async_nolink(tasks, fn -> exit(:task_crashed) end)
    Task.yield(task, 5000) == {:exit, :task_crashed} and mailbox() == []
  end

  promise "I6" do
    task = Task.async(fn -> :mine end)
    match?({%ArgumentError{}, _}, ends_with(fn -> Task.await(task) end)) and Task.await(task) == :mine
  end

  # Each job gives the others time to start; a fourth at a time would show in the counter.
  promise "I7" do
    running = :counters.new(1, [])

    job = fn n ->
      :counters.add(running, 1, 1)
      Enum.each(1..1000, fn _ -> :erlang.yield() end)
      at_once = :counters.get(running, 1)
      :counters.sub(running, 1, 1)
      {n, at_once}
    end

    results = for {:ok, result} <- Task.async_stream(1..12, job, max_concurrency: 3), do: result
    Enum.map(results, &elem(&1, 0)) == Enum.to_list(1..12) and Enum.all?(results, &(elem(&1, 1) <= 3))
  end
end
