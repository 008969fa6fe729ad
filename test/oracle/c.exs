defmodule Oracle.C do
  use Oracle

  # The process that ends is the one that was linked to, not the one that made the link; then the other way round.
  promise "C1" do
    linked = fn who_leaves ->
      target = ready(fn -> :ok end, fn -> (until(:leave); exit(:target_left)) end)
      maker = ready(fn -> Process.link(target) end, fn -> (until(:leave); exit(:maker_left)) end)
      {leaver, other} = if who_leaves == :target, do: {target, maker}, else: {maker, target}
      ref = Process.monitor(other)
      send(leaver, :leave)
      reason_of(ref)
    end

    {linked.(:target), linked.(:maker)} == {:target_left, :maker_left}
  end

  promise "C2" do
    ends_with(fn ->
      {peer, ref} = spawn_monitor(fn -> (until(:leave); exit(:boom)) end)
      Process.link(peer)
      Process.link(peer)
      Process.unlink(peer)
      send(peer, :leave)
      reason_of(ref)
      exit(:survived)
    end) == :survived
  end

  promise "C3" do
    trap()
    pid = corpse()
    Process.link(pid)
    receive(do: ({:EXIT, ^pid, reason} -> reason == :noproc))
  end

  # Here the VM raises at the caller, so the reason comes with a stack.
  promise "C3b" do
    pid = corpse()
    match?({:noproc, [_ | _]}, ends_with(fn -> (Process.link(pid); forever()) end))
  end

  # The DOWN of the same death is the fence: whatever the link still sends is under way by then.
  promise "C4" do
    trap()

    Enum.all?(1..200, fn _ ->
      {peer, ref} = spawn_monitor(fn -> (until(:leave); exit(:boom)) end)
      Process.link(peer)
      send(peer, :leave)
      Process.unlink(peer)
      before = for {:EXIT, _, _} = exit <- mailbox_but(ref), do: exit
      reason_of(ref)
      length(before) <= 1 and mailbox() == []
    end)
  end

  defp mailbox_but(ref) do
    receive do
      {:EXIT, _, _} = exit -> [exit | mailbox_but(ref)]
    after
      0 -> []
    end
  end

  promise "C5" do
    ends_with(fn ->
      spawn_link(fn -> (spawn_link(fn -> exit(:deep) end); forever()) end)
      forever()
    end) == :deep
  end

  promise "C6" do
    ends_with(fn ->
      boss = self()

      spawn_link(fn ->
        trap()
        spawn_link(fn -> exit(:deep) end)
        receive(do: ({:EXIT, _, :deep} -> send(boss, :stopped_here)))
        forever()
      end)

      until(:stopped_here)
      exit(:survived)
    end) == :survived
  end

  promise "C7" do
    Process.link(self()) and self() not in links()
  end

  promise "C8" do
    trap()
    pid = spawn_link(fn -> until(:leave) end)
    there = pid in links()
    send(pid, :leave)
    receive(do: ({:EXIT, ^pid, _} -> there and pid not in links()))
  end

  defp links, do: Process.info(self(), :links) |> elem(1)
end
