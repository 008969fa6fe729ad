defmodule Oracle.A do
  use Oracle

  promise "A1" do
    me = self()
    spawn(fn -> Enum.each(1..1000, &send(me, &1)) end)
    Enum.all?(1..1000, fn n -> receive(do: (m -> m)) == n end)
  end

  promise "A2" do
    me = self()
    trapper = ready(&trap/0, fn -> (until(:fence); send(me, {:seen, mailbox()})) end)
    send(trapper, :first)
    Process.exit(trapper, :why)
    send(trapper, :second)
    send(trapper, :fence)
    receive(do: ({:seen, seen} -> seen == [:first, {:EXIT, me, :why}, :second]))
  end

  promise "A3" do
    me = self()

    Enum.all?(1..200, fn n ->
      {_, ref} = spawn_monitor(fn -> send(me, {:last, n}) end)
      first = receive(do: (m -> m))
      second = receive(do: (m -> m))
      first == {:last, n} and match?({:DOWN, ^ref, _, _, :normal}, second)
    end)
  end

  promise "A4" do
    send(corpse(), :hello) == :hello
  end

  promise "A5" do
    try do
      send(:nobody_has_this_name, :hello)
      false
    rescue
      ArgumentError -> true
    end
  end

  promise "A6" do
    Enum.each([1, 2, 3, 4], &send(self(), &1))
    until(3)
    mailbox() == [1, 2, 4]
  end

  promise "A7" do
    Enum.each([1, 2, 3], &send(self(), &1))
    found = receive(do: (3 -> true), after: (0 -> false))
    missing = receive(do: (4 -> true), after: (0 -> false))
    found and not missing
  end

  promise "A8" do
    Enum.each(1..3, &send(self(), &1))
    mailbox() == [1, 2, 3]
  end

  promise "A9" do
    trap()

    Enum.all?(1..100, fn _ ->
      pid = spawn_link(fn -> Process.register(self(), :shortlived) end)
      receive(do: ({:EXIT, ^pid, _} -> Process.whereis(:shortlived) == nil))
    end)
  end

  promise "A10" do
    {pid, ref} = spawn_monitor(fn -> Stream.cycle([1]) |> Stream.run() end)
    Process.exit(pid, :enough)
    reason_of(ref) == :enough
  end
end
