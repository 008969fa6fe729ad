# Variables as one would write them in Elixir: in an Agent that starts Tasks, and in a GenServer that sends messages.
Code.require_file("bench.exs", __DIR__)

defmodule LocalState do
  @moduledoc """
  An Agent that holds the variables: with a type and constraints that each value is checked against, a version, and a
  time. Each notification runs in a Task of its own.
  """
  use Agent

  def start_link, do: Agent.start_link(fn -> %{variables: %{}, watchers: %{}} end)

  def define(state, name, type, value, constraints) do
    variable = %{name: name, type: type, constraints: constraints, value: value, version: 0, updated_at: 0}
    Agent.update(state, &put_in(&1.variables[name], variable))
  end

  def watch(state, name, callback),
    do: Agent.update(state, &%{&1 | watchers: Map.update(&1.watchers, name, [callback], fn all -> [callback | all] end)})

  def set(state, name, value, metadata \\ %{}), do: Agent.get_and_update(state, &write(&1, name, value, metadata))

  defp write(%{variables: variables, watchers: watchers} = state, name, value, metadata) do
    with {:ok, variable} <- Map.fetch(variables, name),
         :ok <- validate(variable.type, variable.constraints, value) do
      now = System.os_time(:millisecond)
      metadata = Map.merge(%{source: :local, timestamp: now, version: variable.version + 1}, metadata)

      for callback <- Map.get(watchers, name, []),
          do: Task.start(fn -> callback.(name, variable.value, value, metadata) end)

      written = %{variable | value: value, version: variable.version + 1, updated_at: now}
      {{:ok, written.version}, %{state | variables: %{variables | name => written}}}
    else
      error -> {error, state}
    end
  end

  defp validate(:integer, constraints, value) when is_integer(value) do
    cond do
      value < Map.get(constraints, :min, value) -> {:error, :below_minimum}
      value > Map.get(constraints, :max, value) -> {:error, :above_maximum}
      true -> :ok
    end
  end

  defp validate(_, _, _), do: {:error, :invalid_type}
end

defmodule Store do
  @moduledoc "A GenServer that holds the values and sends each change to the processes that watch."
  use GenServer

  def start_link, do: GenServer.start_link(__MODULE__, {%{}, %{}})

  @impl true
  def init(state), do: {:ok, state}

  @impl true
  def handle_call({:watch, name, pid}, _from, {values, watchers}),
    do: {:reply, :ok, {values, Map.update(watchers, name, [pid], &[pid | &1])}}

  def handle_call({:get, name}, _from, {values, _} = state), do: {:reply, values[name], state}
  def handle_call({:set, name, value}, _from, state), do: {:reply, :ok, set(state, name, value)}

  @impl true
  def handle_cast({:set, name, value}, state), do: {:noreply, set(state, name, value)}

  defp set({values, watchers}, name, value) do
    previous = values[name]
    for pid <- Map.get(watchers, name, []), do: send(pid, {:changed, name, previous, value})
    {Map.put(values, name, value), watchers}
  end
end

defmodule Watcher do
  @moduledoc "Counts changes; the one with whom `round` is full tells when that was."
  def start(parent, counter, round), do: spawn_link(fn -> loop(parent, counter, round) end)

  defp loop(parent, counter, round) do
    receive do
      {:changed, _, _, _} ->
        if rem(:atomics.add_get(counter, 1, 1), round) == 0, do: send(parent, {:called, Bench.now()})
    end

    loop(parent, counter, round)
  end
end

defmodule Variables do
  import Bench

  @hot "set to callback"
  @put 20_000
  @each "set to the last callback, for each of its watchers"

  def run do
    {:ok, state} = LocalState.start_link()
    LocalState.define(state, :x, :integer, 0, %{min: 0})
    {:ok, store} = Store.start_link()
    parent = self()
    LocalState.watch(state, :x, fn _, _, value, _ -> send(parent, {:called, now(), value}) end)
    counter = :atomics.new(1, [])
    GenServer.call(store, {:watch, :x, Watcher.start(parent, counter, 1)})

    latency("set-callback", @hot, "LocalState: an Agent, a Task for each notification", fn ->
      value = System.unique_integer([:positive])
      started = now()
      {:ok, _} = LocalState.set(state, :x, value)
      receive do: ({:called, at, ^value} -> at - started)
    end)

    latency("set-callback", @hot, "GenServer.call, which sends to the watcher", fn ->
      since(fn -> GenServer.call(store, {:set, :x, 1}) end)
    end)

    latency("set-callback", @hot, "GenServer.cast, which sends to the watcher", fn ->
      since(fn -> GenServer.cast(store, {:set, :x, 1}) end)
    end)

    round = size(@put, 10_000)
    GenServer.call(store, {:watch, :y, Watcher.start(parent, :atomics.new(1, []), round)})

    throughput("updates", "put to callback, #{round} in flight", "GenServer.cast", round, fn ->
      since(fn -> for value <- 1..round, do: GenServer.cast(store, {:set, :y, value}) end)
    end)

    latency("reads", "get", "GenServer.call", fn ->
      started = now()
      value = GenServer.call(store, {:get, :x})
      took = now() - started
      expect(value, 1)
      took
    end)

    table = :ets.new(:values, [:public, read_concurrency: true])
    :ets.insert(table, {:x, 1})

    throughput("reads", "peek", "ETS lookup", 1000, fn ->
      started = now()
      ones = peek(table, 1000, 0)
      took = now() - started
      expect(ones, 1000)
      took
    end)

    for watchers <- size([1, 10, 100, 1000, 10_000, 100_000], [1, 10, 100]), do: fan_out(store, watchers)
  end

  defp fan_out(store, watchers) do
    parent = self()
    counter = :atomics.new(1, [])
    name = {:z, watchers}
    for _ <- 1..watchers, do: GenServer.call(store, {:watch, name, Watcher.start(parent, counter, watchers)})
    set = fn -> since(fn -> GenServer.call(store, {:set, name, 1}, :infinity) end) end
    throughput("watchers", @each, "a process for each", watchers, set, size: watchers)
  end

  # From before the work to the moment that a watcher tells.
  defp since(work) do
    started = now()
    work.()
    receive do: ({:called, at} -> at - started)
  end

  defp peek(_, 0, ones), do: ones

  defp peek(table, n, ones) do
    [{:x, value}] = :ets.lookup(table, :x)
    peek(table, n - 1, ones + value)
  end
end

Variables.run()
