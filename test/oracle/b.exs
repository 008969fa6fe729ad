defmodule Oracle.B do
  use Oracle

  promise "B1" do
    ends_with(fn -> :done end) == :normal
  end

  promise "B2" do
    ends_with(fn -> exit(%{any: "term"}) end) == %{any: "term"}
  end

  promise "B3" do
    match?({%RuntimeError{message: "oh"}, [_ | _]}, ends_with(fn -> raise "oh" end))
  end

  promise "B4" do
    match?({{:nocatch, :ball}, [_ | _]}, ends_with(fn -> throw(:ball) end))
  end

  # The linked peer is gone, as its monitor says, and the process goes on to its own end.
  promise "B5" do
    ends_with(fn ->
      peer = spawn_link(fn -> until(:leave) end)
      ref = Process.monitor(peer)
      send(peer, :leave)
      reason_of(ref)
      exit(:own_end)
    end) == :own_end
  end

  promise "B6" do
    ends_with(fn -> (spawn_link(fn -> exit(:boom) end); forever()) end) == :boom
  end

  promise "B7" do
    ends_with(fn -> (spawn_link(fn -> exit(:shutdown) end); forever()) end) == :shutdown
  end

  promise "B8" do
    trap()

    Enum.all?([:normal, :shutdown, :boom], fn reason ->
      pid = spawn_link(fn -> exit(reason) end)
      receive(do: ({:EXIT, ^pid, seen} -> seen == reason))
    end)
  end

  promise "B9" do
    me = self()
    pid = ready(fn -> :ok end, fn -> (until(:fence); send(me, :alive)) end)
    Process.exit(pid, :normal)
    send(pid, :fence)
    until(:alive) == :ok
  end

  promise "B10" do
    me = self()
    pid = ready(&trap/0, fn -> receive(do: (m -> send(me, {:seen, m}))) end)
    Process.exit(pid, :normal)
    receive(do: ({:seen, seen} -> seen == {:EXIT, me, :normal}))
  end

  promise "B11" do
    ends_with(fn -> (Process.exit(self(), :normal); exit(:survived)) end) == :normal
  end

  promise "B11b" do
    trap()
    Process.exit(self(), :normal)
    mailbox() == [{:EXIT, self(), :normal}]
  end

  promise "B12" do
    pid = ready(&trap/0)
    ref = Process.monitor(pid)
    Process.exit(pid, :kill)
    reason_of(ref) == :killed
  end

  promise "B13" do
    trap()
    pid = spawn_link(&forever/0)
    Process.exit(pid, :kill)
    receive(do: ({:EXIT, ^pid, reason} -> reason == :killed))
  end

  promise "B13b" do
    ends_with(fn -> (Process.exit(spawn_link(&forever/0), :kill); forever()) end) == :killed
  end

  promise "B14" do
    trap()
    pid = spawn_link(fn -> exit(:kill) end)
    receive(do: ({:EXIT, ^pid, reason} -> reason == :kill))
  end

  promise "B14b" do
    ends_with(fn -> (spawn_link(fn -> exit(:kill) end); forever()) end) == :kill
  end

  def spin, do: spin()

  promise "B15" do
    pid = ready(fn -> :ok end, &spin/0)
    ref = Process.monitor(pid)
    Process.exit(pid, :kill)
    reason_of(ref) == :killed
  end

  promise "B16" do
    trap()

    Enum.all?(1..300, fn n ->
      pid = spawn_link(fn -> exit(n) end)
      linked = receive(do: ({:EXIT, ^pid, reason} -> reason))
      linked == n and ends_with(fn -> exit(n) end) == n
    end)
  end

  promise "B17" do
    not Process.alive?(corpse())
  end

  promise "B18" do
    me = self()
    pid = spawn(fn -> (until(:go); trap(); send(me, :ready); receive(do: (m -> send(me, {:seen, m})))) end)
    send(pid, :go)
    until(:ready)
    Process.exit(pid, :late)
    receive(do: ({:seen, seen} -> seen == {:EXIT, me, :late}))
  end
end
