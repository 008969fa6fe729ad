defmodule Oracle.D do
  use Oracle

  promise "D1" do
    pid = corpse()
    ref = Process.monitor(pid)
    receive(do: (m -> m)) == {:DOWN, ref, :process, pid, :noproc}
  end

  promise "D2" do
    ref = Process.monitor(:nobody_has_this_name)
    receive(do: (m -> m)) == {:DOWN, ref, :process, {:nobody_has_this_name, node()}, :noproc}
  end

  promise "D3" do
    pid = spawn(fn -> until(:leave) end)
    refs = for _ <- 1..3, do: Process.monitor(pid)
    send(pid, :leave)
    told = for _ <- refs, do: receive(do: ({:DOWN, ref, _, ^pid, _} -> ref))
    Enum.sort(told) == Enum.sort(refs) and length(Enum.uniq(refs)) == 3
  end

  promise "D4" do
    me = self()
    pid = spawn(fn -> (until(:fence); send(me, :alive)) end)
    ends_with(fn -> (Process.monitor(pid); exit(:boom)) end)
    send(pid, :fence)
    until(:alive) == :ok
  end

  # A second monitor of the same corpse shows that the first one's DOWN has arrived.
  defp queued_down do
    pid = corpse()
    ref = Process.monitor(pid)
    reason_of(Process.monitor(pid))
    ref
  end

  promise "D5" do
    Process.demonitor(queued_down(), [:flush])
    mailbox() == []
  end

  promise "D5b" do
    ref = queued_down()
    Process.demonitor(ref)
    match?([{:DOWN, ^ref, _, _, :noproc}], mailbox())
  end

  promise "D6" do
    fired = Process.monitor(corpse())
    reason_of(fired)
    early = Process.monitor(spawn(&forever/0))
    Enum.all?([fired, fired, early, early], &Process.demonitor/1)
  end

  promise "D7" do
    Enum.all?([:normal, :shutdown, {:shutdown, 1}, "any"], fn reason -> ends_with(fn -> exit(reason) end) == reason end)
  end

  promise "D8" do
    {pid, seen} = spawn_monitor(fn -> until(:leave) end)
    Process.demonitor(Process.monitor(pid))
    send(pid, :leave)
    reason_of(seen) == :normal and quiet?()
  end

  promise "D9" do
    me = self()
    address = :erlang.alias()
    sender = spawn(fn -> (send(address, :open); until(:go); send(address, :closed); send(me, :fence)) end)
    until(:open)
    :erlang.unalias(address)
    send(sender, :go)
    until(:fence)
    mailbox() == []
  end

  promise "D10" do
    Process.monitor(self())
    send(self(), :fence)
    mailbox() == [:fence]
  end
end
