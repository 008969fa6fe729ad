defmodule Oracle.G do
  use Oracle

  defmodule Raw do
    def init(answer), do: {:ok, answer}
  end

  defp sup(children, options \\ []) do
    trap()
    Supervisor.start_link(children, Keyword.merge([strategy: :one_for_one], options))
  end

  defp up(children, options \\ []) do
    {:ok, sup} = sup(children, options)
    {sup, for(%{id: id} <- children, do: Kid.up(id))}
  end

  defp pool(options \\ []) do
    trap()
    {:ok, pool} = DynamicSupervisor.start_link([strategy: :one_for_one] ++ options)
    pool
  end

  defp add(pool, spec), do: DynamicSupervisor.start_child(pool, spec)
  defp trapping(names), do: for(name <- names, do: Kid.spec(name, trap: true))
  defp kill(pid), do: Process.exit(pid, :kill)
  defp news, do: Kid.news(settled())

  promise "G1" do
    late = fn -> Enum.each(1..1000, fn _ -> :erlang.yield() end) end
    {:ok, _} = sup([Kid.spec(1, gate: late), Kid.spec(2), Kid.spec(3)])
    Kid.news(mailbox()) == [{:up, 1}, {:up, 2}, {:up, 3}]
  end

  promise "G2" do
    {sup, _} = up(trapping([1, 2, 3]))
    Supervisor.stop(sup)
    Kid.news(mailbox()) == for(name <- [3, 2, 1], do: {:terminate, name, :shutdown})
  end

  promise "G3" do
    {_, [one, _]} = up(trapping([1, 2]))
    kill(one)
    Kid.up(1) != one and news() == []
  end

  promise "G4" do
    {_, [_, two, _]} = up(trapping([1, 2, 3]), strategy: :one_for_all)
    kill(two)
    news() == [{:terminate, 3, :shutdown}, {:terminate, 1, :shutdown}, {:up, 1}, {:up, 2}, {:up, 3}]
  end

  promise "G5" do
    {_, [_, two, _, _]} = up(trapping([1, 2, 3, 4]), strategy: :rest_for_one)
    kill(two)
    news() == [{:terminate, 4, :shutdown}, {:terminate, 3, :shutdown}, {:up, 2}, {:up, 3}, {:up, 4}]
  end

  promise "G6" do
    {_, [one]} = up([Kid.spec(1)])
    Kid.stop(one, :normal)
    Kid.up(1) != one
  end

  promise "G7" do
    back? = fn reason ->
      {_, [one]} = up([Kid.spec(1, restart: :transient)])
      if reason == :kill, do: kill(one), else: Kid.stop(one, reason)
      Kid.up?(1)
    end

    Enum.map([:normal, :shutdown, {:shutdown, 1}, :boom, :kill], back?) == [false, false, false, true, true]
  end

  defp ended(sup, pid, reason) do
    ref = Process.monitor(pid)
    Kid.stop(pid, reason)
    reason_of(ref)
    settled()
    Supervisor.which_children(sup)
  end

  promise "G8" do
    {sup, [one]} = up([Kid.spec(1, restart: :temporary)])
    ended(sup, one, :boom) == []
  end

  promise "G8b" do
    {sup, [one]} = up([Kid.spec(1, restart: :transient)])
    match?([{1, :undefined, :worker, _}], ended(sup, one, :normal))
  end

  promise "G9" do
    {sup, [one, _]} = up([Kid.spec(1), Kid.spec(2, trap: true)], max_restarts: 2, max_seconds: 60)
    ref = Process.monitor(sup)
    kill(one)
    kill(Kid.up(1))
    third = Kid.up(1)
    allowed = Process.alive?(sup)
    kill(third)
    allowed and reason_of(ref) == :shutdown and Kid.news(mailbox()) == [{:terminate, 2, :shutdown}]
  end

  promise "G10" do
    {sup, [one]} = up([Kid.spec(1)], max_restarts: 0)
    ref = Process.monitor(sup)
    kill(one)
    reason_of(ref) == :shutdown
  end

  # The window is counted in whole seconds, so nothing shorter than two is surely outside of it.
  promise "G11" do
    {sup, [one]} = up([Kid.spec(1)], max_restarts: 1, max_seconds: 1)
    kill(one)
    two = Kid.up(1)
    Process.sleep(2100)
    kill(two)
    Kid.up(1) != two and Process.alive?(sup)
  end

  promise "G12" do
    answer = sup(trapping([1, 2]) ++ [Kid.spec(3, init: {:stop, :nope}), Kid.spec(4)])

    answer == {:error, {:shutdown, {:failed_to_start_child, 3, :nope}}} and
      Kid.news(mailbox()) == [{:up, 1}, {:up, 2}, {:terminate, 2, :shutdown}, {:terminate, 1, :shutdown}]
  end

  # Why the only child ends when its supervisor stops, and what it told.
  defp stopped(options) do
    {sup, [one]} = up([Kid.spec(1, options)])
    ref = Process.monitor(one)
    Supervisor.stop(sup)
    {reason_of(ref), Kid.news(mailbox())}
  end

  promise "G13" do
    stopped(trap: true, shutdown: :brutal_kill) == {:killed, []}
  end

  promise "G14" do
    stopped(trap: true, shutdown: 30, last: &forever/0) == {:killed, [{:terminate, 1, :shutdown}]}
  end

  promise "G15" do
    stopped([]) == {:shutdown, []}
  end

  promise "G16" do
    {sup, [_]} = up([Kid.spec(1)])
    {:error, :running} = Supervisor.delete_child(sup, 1)
    :ok = Supervisor.terminate_child(sup, 1)
    [{1, :undefined, _, _}] = Supervisor.which_children(sup)
    {:ok, _} = Supervisor.restart_child(sup, 1)
    {:error, :running} = Supervisor.restart_child(sup, 1)
    :ok = Supervisor.terminate_child(sup, 1)
    Supervisor.delete_child(sup, 1) == :ok and Supervisor.which_children(sup) == []
  end

  promise "G17" do
    {sup, [one]} = up([Kid.spec(1)])
    {:error, {:already_started, ^one}} = Supervisor.start_child(sup, Kid.spec(1))
    Supervisor.terminate_child(sup, 1)
    Supervisor.start_child(sup, Kid.spec(1)) == {:error, :already_present}
  end

  promise "G18" do
    match?({:error, _}, sup([Kid.spec(1), Kid.spec(1)])) and Kid.news(mailbox()) == []
  end

  # A child whose starts fail, those that are in `failing`, counted from 0.
  defp shaky(failing) do
    starts = :counters.new(1, [])

    gate = fn ->
      n = :counters.get(starts, 1)
      :counters.add(starts, 1, 1)
      if n in failing, do: exit(:failed_again)
    end

    {Kid.spec(1, gate: gate), starts}
  end

  promise "G19" do
    {spec, starts} = shaky(1..2)
    {sup, [one]} = up([spec], max_restarts: 3)
    kill(one)
    two = Kid.up(1)
    retried = Process.alive?(sup) and :counters.get(starts, 1) == 4
    ref = Process.monitor(sup)
    kill(two)
    retried and reason_of(ref) == :shutdown
  end

  promise "G19b" do
    {spec, starts} = shaky(1..100)
    {sup, [one]} = up([spec], max_restarts: 3)
    ref = Process.monitor(sup)
    kill(one)
    reason_of(ref) == :shutdown and :counters.get(starts, 1) == 4
  end

  promise "G20" do
    {:ok, sup} = sup([Kid.spec(1, init: :ignore), Kid.spec(2)])
    {1, :undefined, _, _} = List.keyfind(Supervisor.which_children(sup), 1, 0)
    match?(%{active: 1, specs: 2}, Supervisor.count_children(sup))
  end

  promise "G21" do
    me = self()
    children = trapping([1, 2])

    parent =
      spawn(fn ->
        {:ok, sup} = Supervisor.start_link(children, strategy: :one_for_one)
        send(me, {:sup, sup})
        until(:leave)
        exit(:parent_left)
      end)

    ref = Process.monitor(receive(do: ({:sup, sup} -> sup)))
    send(parent, :leave)
    ended = reason_of(ref)
    stops = for {:terminate, name, :shutdown} <- mailbox(), do: name
    ended == :parent_left and stops == [2, 1]
  end

  promise "G22" do
    {sup, [_, two]} = up([Kid.spec(1, trap: true), Kid.spec(2)])
    ref = Process.monitor(two)
    kill(sup)
    reason_of(ref) == :killed and receive(do: ({:terminate, 1, reason} -> reason == :killed))
  end

  promise "G23" do
    {sup, [one, two]} = up([Kid.spec(1), Kid.spec(2, restart: :temporary)], strategy: :one_for_all)
    ref = Process.monitor(two)
    kill(one)
    Kid.up(1)
    reason_of(ref) == :shutdown and match?([{1, _, _, _}], Supervisor.which_children(sup)) and not Kid.up?(2)
  end

  promise "G24" do
    trap()
    children = [Kid.spec(1, restart: :transient, significant: true), Kid.spec(2, trap: true)]
    {:ok, sup} = :supervisor.start_link(Raw, {%{auto_shutdown: :any_significant}, children})
    ref = Process.monitor(sup)
    Kid.stop(Kid.up(1), :normal)
    reason_of(ref) == :shutdown and {:terminate, 2, :shutdown} in Kid.news(mailbox())
  end

  promise "G25" do
    pool = pool(max_children: 1)
    {:ok, _} = add(pool, Kid.spec(1))
    add(pool, Kid.spec(2)) == {:error, :max_children}
  end

  # Each child waits in its terminate until all five are there.
  promise "G26" do
    pool = pool()
    there = :counters.new(1, [])
    last = fn -> (:counters.add(there, 1, 1); all_there(there)) end
    refs = for n <- 1..5, do: Process.monitor(elem(add(pool, Kid.spec(n, trap: true, last: last)), 1))
    DynamicSupervisor.stop(pool)
    Enum.all?(refs, &(reason_of(&1) == :shutdown))
  end

  defp all_there(there), do: :counters.get(there, 1) == 5 or (:erlang.yield() and all_there(there))

  promise "G27" do
    pool = pool()
    {:ok, one} = add(pool, Kid.spec(1))
    Kid.up(1)
    :ok = DynamicSupervisor.terminate_child(pool, one)
    not Kid.up?(1) and DynamicSupervisor.terminate_child(pool, corpse()) == {:error, :not_found}
  end

  promise "G28" do
    {:ok, one} = add(pool(), Kid.spec(:first_name))
    ^one = Kid.up(:first_name)
    kill(one)
    Kid.up(:first_name) != one
  end

  promise "G29" do
    inner = [[Kid.spec(1)], [strategy: :one_for_one, max_restarts: 0]]
    {:ok, _} = sup([%{id: :inner, type: :supervisor, start: {Supervisor, :start_link, inner}}])
    one = Kid.up(1)
    kill(one)
    Kid.up(1) != one
  end

  promise "G30" do
    {sup, [one, _, _]} = up([Kid.spec(1), Kid.spec(2), Kid.spec(3)], strategy: :one_for_all, max_restarts: 1)
    kill(one)
    Enum.each(1..3, &Kid.up/1)
    match?(%{active: 3}, Supervisor.count_children(sup))
  end
end
