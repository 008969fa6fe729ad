# The same programs of processes as in this folder's parent.
Code.require_file("bench.exs", __DIR__)

defmodule Clerk do
  use GenServer

  @impl true
  def init(count), do: {:ok, count}

  @impl true
  def handle_call({:echo, value}, _from, count), do: {:reply, value, count}
  def handle_call(:counted, _from, count), do: {:reply, count, 0}

  @impl true
  def handle_cast({:tell, _value}, count), do: {:noreply, count + 1}
end

defmodule Account do
  use GenServer

  @impl true
  def init(balance), do: {:ok, balance}

  @impl true
  def handle_call({:deposit, amount}, _from, balance), do: {:reply, balance + amount, balance + amount}
  def handle_call({:withdraw, amount}, _from, balance), do: {:reply, balance - amount, balance - amount}
end

defmodule Phoenix do
  def start_link(parent) do
    pid =
      spawn_link(fn ->
        send(parent, {:born, self()})
        receive do: (:crash -> raise("crash"))
      end)

    {:ok, pid}
  end
end

defmodule Processes do
  import Bench

  @vm "BEAM"

  def run do
    Enum.each(
      [&ping_pong/0, &calls/0, &counting/0, &fork_join/0, &ring/0, &bank/0, &spawns/0, &memory/0, &storms/0],
      & &1.()
    )
  end

  defp timed(work, check \\ fn _ -> :ok end) do
    started = now()
    result = work.()
    took = now() - started
    check.(result)
    took
  end

  defp ping_pong do
    rounds = 500
    pong = spawn_link(&echo/0)

    throughput("ping-pong", "ping-pong, for each message", @vm, 2 * rounds, fn ->
      timed(fn -> ping(pong, rounds, 0) end, &expect(&1, div(rounds * (rounds + 1), 2)))
    end)
  end

  defp ping(_, 0, sum), do: sum

  defp ping(pong, value, sum) do
    send(pong, {self(), value})
    receive do: ({^pong, back} -> ping(pong, value - 1, sum + back))
  end

  defp echo do
    receive do: ({from, value} -> send(from, {self(), value}))
    echo()
  end

  defp calls do
    {:ok, clerk} = GenServer.start_link(Clerk, 0)
    call = fn -> timed(fn -> GenServer.call(clerk, {:echo, 7}) end, &expect(&1, 7)) end
    latency("calls", "call of a server", @vm, call)
    casts = size(20_000, 2000)

    throughput("calls", "cast to a server, #{casts} in flight", @vm, casts, fn ->
      timed(
        fn ->
          for value <- 1..casts, do: GenServer.cast(clerk, {:tell, value})
          GenServer.call(clerk, :counted, :infinity)
        end,
        &expect(&1, casts)
      )
    end)
  end

  defp counting do
    messages = size(1_000_000, 10_000)
    counter = spawn_link(fn -> count(0) end)

    all = fn ->
      timed(
        fn ->
          for value <- 1..messages, do: send(counter, {:value, value})
          send(counter, {:count, self()})
          receive do: ({:counted, count} -> count)
        end,
        &expect(&1, messages)
      )
    end

    throughput("counting", "counting, for each message", @vm, messages, all, samples: 3)
  end

  defp count(count) do
    receive do
      {:value, _} ->
        count(count + 1)

      {:count, from} ->
        send(from, {:counted, count})
        count(0)
    end
  end

  defp fork_join do
    branches = size(1000, 100)

    throughput("fork-join", "fork-join of #{branches}, for each of them", @vm, branches, fn ->
      timed(
        fn ->
          parent = self()
          for index <- 1..branches, do: spawn(fn -> send(parent, {:branch, index}) end)
          Enum.reduce(1..branches, 0, fn _, sum -> receive do: ({:branch, index} -> sum + index) end)
        end,
        &expect(&1, div(branches * (branches + 1), 2))
      )
    end)
  end

  defp ring do
    links = 100
    hops = links * size(50, 2)
    parent = self()
    last = spawn_link(fn -> receive do: ({:next, next} -> link(parent, next)) end)
    first = Enum.reduce(2..links, last, fn _, next -> spawn_link(fn -> link(parent, next) end) end)
    send(last, {:next, first})

    throughput("ring", "ring of #{links}, for each hop", @vm, hops, fn ->
      timed(fn ->
        send(first, {:token, hops})
        receive do: (:round -> :ok)
      end)
    end)
  end

  defp link(parent, next) do
    receive do
      {:token, hops} when hops > 1 -> send(next, {:token, hops - 1})
      {:token, _} -> send(parent, :round)
    end

    link(parent, next)
  end

  defp bank do
    {accounts, clerks, transfers, balance} = {100, 10, size(200, 20), 1000}
    started = for _ <- 1..accounts, do: elem(GenServer.start_link(Account, balance), 1)
    bank = List.to_tuple(started)

    clerk = fn number ->
      for i <- 0..(transfers - 1) do
        amount = 1 + rem(number + i, 10)
        GenServer.call(elem(bank, rem(number * 7 + i, accounts)), {:withdraw, amount})
        GenServer.call(elem(bank, rem(number * 3 + i * 11, accounts)), {:deposit, amount})
      end
    end

    throughput("bank", "bank of #{accounts} accounts, for each transfer", @vm, clerks * transfers, fn ->
      took = timed(fn -> 1..clerks |> Enum.map(&Task.async(fn -> clerk.(&1) end)) |> Task.await_many(:infinity) end)
      sum = started |> Enum.map(&GenServer.call(&1, {:deposit, 0})) |> Enum.sum()
      expect(sum, accounts * balance)
      took
    end)
  end

  defp spawns do
    many = size(1000, 100)
    parent = self()

    throughput("spawn", "spawn, and its end", @vm, many, fn ->
      ran = :atomics.new(1, [])
      run = fn -> if :atomics.add_get(ran, 1, 1) == many, do: send(parent, :ran) end

      timed(fn ->
        for _ <- 1..many, do: spawn(run)
        receive do: (:ran -> :ok)
      end)
    end)

    throughput("spawn", "spawn to first message", @vm, many, fn ->
      timed(fn ->
        for _ <- 1..many do
          spawn(fn -> send(parent, :hello) end)
          receive do: (:hello -> :ok)
        end
      end)
    end)

    throughput("spawn", "spawn with a monitor, to its DOWN", @vm, many, fn ->
      timed(fn ->
        for _ <- 1..many do
          {pid, ref} = spawn_monitor(fn -> send(parent, :hello) end)
          receive do: (:hello -> :ok)
          receive do: ({:DOWN, ^ref, :process, ^pid, :normal} -> :ok)
        end
      end)
    end)

    idle = spawn_link(fn -> receive do: (:stop -> :ok) end)

    throughput("spawn", "monitor and demonitor", @vm, many, fn ->
      timed(fn -> for _ <- 1..many, do: idle |> Process.monitor() |> Process.demonitor([:flush]) end)
    end)
  end

  defp memory do
    many = size(50_000, 1000)
    pids = for _ <- 1..many, do: spawn(fn -> receive do: (:stop -> :ok) end)
    bytes = pids |> Enum.map(&(&1 |> Process.info(:memory) |> elem(1))) |> Enum.sum()
    amount("memory", "an idle process", @vm, "bytes", bytes / many)
    for pid <- pids, do: Process.exit(pid, :kill)
  end

  defp storms do
    children = size(200, 20)
    parent = self()
    {:ok, supervisor} = DynamicSupervisor.start_link(max_restarts: 1_000_000_000, max_seconds: 1)
    child = %{id: :phoenix, start: {Phoenix, :start_link, [parent]}}
    for _ <- 1..children, do: {:ok, _} = DynamicSupervisor.start_child(supervisor, child)

    for {what, die} <- [
          {"crash storm, for each restart", &send(&1, :crash)},
          {"kill storm, for each restart", &Process.exit(&1, :kill)}
        ] do
      throughput("storms", what, @vm, children, fn ->
        living = Process.get(:living) || born(children)

        took =
          timed(fn ->
            Enum.each(living, die)
            Process.put(:living, born(children))
          end)

        for pid <- living, do: expect(Process.alive?(pid), false)
        took
      end)
    end
  end

  defp born(count), do: for(_ <- 1..count, do: receive(do: ({:born, pid} -> pid)))
end

Processes.run()
