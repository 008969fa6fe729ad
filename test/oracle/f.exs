defmodule Oracle.F do
  use Oracle

  defp registry(name, keys, options \\ []) do
    {:ok, pid} = Registry.start_link([keys: keys, name: name] ++ options)
    pid
  end

  # A process that has made an entry and leaves when told.
  defp owner(registry, key, value), do: ready(fn -> Registry.register(registry, key, value) end, fn -> until(:leave) end)

  defp end_of(pid, message \\ :leave) do
    ref = Process.monitor(pid)
    send(pid, message)
    reason_of(ref)
  end

  promise "F1" do
    Enum.all?(1..200, fn _ ->
      ends_with(fn -> Process.register(self(), :briefly) end)
      Process.whereis(:briefly) == nil
    end)
  end

  promise "F2" do
    Process.register(self(), :mine)

    try do
      Process.register(ready(fn -> :ok end), :mine)
      false
    rescue
      ArgumentError -> Process.whereis(:mine) == self()
    end
  end

  promise "F3" do
    registry(F3, :unique)
    first = owner(F3, :key, 1)
    Registry.register(F3, :key, 2) == {:error, {:already_registered, first}}
  end

  promise "F4" do
    registry(F4, :duplicate)
    {:ok, _} = Registry.register(F4, :key, 1)
    {:ok, _} = Registry.register(F4, :key, 2)
    Enum.sort(Registry.lookup(F4, :key)) == [{self(), 1}, {self(), 2}]
  end

  promise "F5" do
    registry(F5, :unique)

    Enum.all?(1..50, fn n ->
      end_of(owner(F5, n, :old))
      match?({:ok, _}, Registry.register(F5, n, :new))
    end)
  end

  promise "F6" do
    registry(F6, :duplicate)
    other = owner(F6, :key, 1)
    {:ok, _} = Registry.register(F6, :key, 2)
    Registry.unregister(F6, :key) == :ok and Registry.lookup(F6, :key) == [{other, 1}] and
      Registry.unregister(F6, :unknown) == :ok
  end

  promise "F7" do
    registry(F7, :unique)
    via = {:via, Registry, {F7, :desk}}
    {:ok, desk} = Desk.start_link(fn -> {:ok, [:here]} end, name: via)

    Desk.state(via) == [:here] and GenServer.whereis(via) == desk and
      Desk.start_link(fn -> {:ok, []} end, name: via) == {:error, {:already_started, desk}}
  end

  promise "F8" do
    me = self()
    registry(F8, :duplicate)
    {:ok, _} = Registry.register(F8, :key, :value)
    Registry.dispatch(F8, :key, &send(me, &1))
    Registry.dispatch(F8, :nobody, &send(me, &1))
    mailbox() == [[{me, :value}]]
  end

  promise "F9" do
    registry(F9, :unique)
    owner(F9, :theirs, 1)
    {:ok, _} = Registry.register(F9, :mine, 1)
    Registry.update_value(F9, :mine, &(&1 + 1)) == {2, 1} and Registry.update_value(F9, :theirs, &(&1 + 1)) == :error
  end

  promise "F10" do
    trap()
    registry = registry(F10, :unique)
    ref = Process.monitor(owner(F10, :key, 1))
    Process.exit(registry, :kill)
    reason_of(ref) == :killed
  end

  # What Elixir does is written down here; in beamline listeners hear of deaths too. An unregister is heard of, in the
  # order of the registry, so the death of the owner before it would have been.
  promise "F11" do
    Process.register(self(), :listener)
    registry(F11, :unique, listeners: [:listener])
    pid = owner(F11, :key, :value)
    {:register, F11, :key, ^pid, :value} = receive(do: (m -> m))
    end_of(pid)
    {:ok, _} = Registry.register(F11, :key, :again)
    Registry.unregister(F11, :key)
    mine = self()
    mailbox() == [{:register, F11, :key, mine, :again}, {:unregister, F11, :key, mine}] and quiet?()
  end
end
