defmodule Oracle.H do
  use Oracle

  # The later timer is the fence.
  promise "H1" do
    timer = Process.send_after(self(), :cancelled, 20)
    left = Process.cancel_timer(timer)
    again = Process.cancel_timer(timer)
    Process.send_after(self(), :fence, 30)
    until(:fence)
    left in 0..20 and again == false and mailbox() == []
  end

  # The runtime drops the timer as the process ends, a little after its DOWN.
  promise "H2" do
    {pid, ref} = spawn_monitor(fn -> until(:leave) end)
    timer = Process.send_after(pid, :late, 60_000)
    send(pid, :leave)
    reason_of(ref)
    gone?(timer)
  end

  defp gone?(timer), do: Process.read_timer(timer) == false or (:erlang.yield() and gone?(timer))

  promise "H3" do
    Process.send_after(self(), :later, 0)
    until(:later) == :ok
  end

  promise "H4" do
    Process.send_after(:named_later, :hello, 20)
    Process.register(self(), :named_later)
    until(:hello) == :ok
  end

  promise "H5" do
    me = self()
    ends_with(fn -> Process.send_after(me, :left_behind, 20) end)
    until(:left_behind) == :ok
  end
end
