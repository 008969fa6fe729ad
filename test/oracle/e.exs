defmodule Oracle.E do
  use Oracle

  promise "E1" do
    me = self()
    {:ok, _} = Desk.start_link(fn -> (send(me, :init_done); {:ok, []}) end)
    mailbox() == [:init_done]
  end

  promise "E2" do
    trap()
    {:error, {%RuntimeError{}, [_ | _]}} = Desk.start_link(fn -> raise "no" end)
    receive(do: ({:EXIT, _, reason} -> match?({%RuntimeError{}, [_ | _]}, reason)))
  end

  promise "E2b" do
    match?({%RuntimeError{}, _}, ends_with(fn -> (Desk.start_link(fn -> raise "no" end); forever()) end))
  end

  promise "E3" do
    Desk.start(fn -> {:stop, :not_today} end) == {:error, :not_today}
  end

  promise "E4" do
    trap()
    :ignore = Desk.start_link(fn -> :ignore end)
    receive(do: ({:EXIT, _, reason} -> reason == :normal))
  end

  defp leave_unanswered(server, ms), do: Desk.ask(server, fn _, state -> {:noreply, state} end, ms)

  promise "E5" do
    server = Desk.open()
    match?({:timeout, {GenServer, :call, [^server | _]}}, ends_with(fn -> leave_unanswered(server, 10) end))
  end

  promise "E6" do
    server = Desk.open([:kept])
    catch_exit(fn -> leave_unanswered(server, 10) end)
    Desk.state(server) == [:kept]
  end

  defp catch_exit(fun) do
    fun.()
  catch
    :exit, reason -> {:exit, reason}
  end

  promise "E7" do
    me = self()
    server = Desk.open()
    catch_exit(fn -> Desk.ask(server, fn from, _ -> (send(me, {:from, from}); {:noreply, []}) end, 10) end)
    from = receive(do: ({:from, from} -> from))
    Desk.tell(server, fn state -> (GenServer.reply(from, :late); {:noreply, state}) end)
    Desk.state(server) == [] and mailbox() == []
  end

  promise "E8" do
    match?({:exit, {:noproc, _}}, catch_exit(fn -> GenServer.call(corpse(), :hello, :infinity) end))
  end

  promise "E12b" do
    match?({:exit, {:noproc, _}}, catch_exit(fn -> GenServer.call(:nobody_has_this_name, :hello, :infinity) end))
  end

  promise "E9" do
    server = Desk.open()
    call = fn -> Desk.ask(server, fn _, _ -> exit(:crashed) end, :infinity) end
    match?({:exit, {:crashed, {GenServer, :call, _}}}, catch_exit(call))
  end

  promise "E10" do
    server = Desk.open()
    call = fn -> Desk.ask(server, fn _, state -> {:stop, :normal, state} end, :infinity) end
    match?({:exit, {:normal, {GenServer, :call, _}}}, catch_exit(call))
  end

  promise "E11" do
    server = Desk.open()
    answer = Desk.ask(server, fn _, state -> {:reply, catch_exit(fn -> GenServer.call(self(), :hello) end), state} end)
    match?({:exit, {:calling_self, _}}, answer)
  end

  promise "E12" do
    GenServer.cast(corpse(), :hello) == :ok and GenServer.cast(:nobody_has_this_name, :hello) == :ok
  end

  promise "E13" do
    server = Desk.open()

    for n <- 1..50 do
      Desk.add(server, {:cast, n})
      Desk.ask(server, fn _, state -> {:reply, :ok, state ++ [{:call, n}]} end)
    end

    Desk.state(server) == Enum.flat_map(1..50, &[{:cast, &1}, {:call, &1}])
  end

  promise "E14" do
    server = Desk.open()
    Desk.ask(server, fn from, state -> (spawn(fn -> GenServer.reply(from, :by_another) end); {:noreply, state}) end) == :by_another
  end

  # The result is what is promised. OTP 25 may leave the second answer in the caller's mailbox, which is not looked at.
  promise "E15" do
    server = Desk.open()
    Desk.ask(server, fn from, state -> (GenServer.reply(from, :first); {:reply, :second, state}) end) == :first and
      Desk.state(server) == []
  end

  promise "E16" do
    {:ok, server} =
      Desk.start(fn ->
        Desk.add(self(), :queued)
        {:ok, [], {:continue, fn state -> {:noreply, state ++ [:continued]} end}}
      end)

    Desk.state(server) == [:continued, :queued]
  end

  defp idle_after(server, ms), do: Desk.tell(server, fn state -> {:noreply, state, ms} end)

  promise "E17" do
    me = self()
    server = Desk.open(%{report: me})
    idle_after(server, 10)
    receive(do: ({:info, what} -> what == :timeout))
  end

  promise "E17b" do
    server = Desk.open(%{report: self()})
    idle_after(server, 20)
    Desk.tell(server, fn state -> {:noreply, state} end)
    cancelled = settled(40) == []
    idle_after(server, 10)
    cancelled and receive(do: ({:info, what} -> what == :timeout))
  end

  promise "E18" do
    told = fn fun ->
      server = Desk.open(%{report: self()})
      ref = Process.monitor(server)
      fun.(server)
      reason_of(ref)
      mailbox()
    end

    [{:terminate, :done}] = told.(&Desk.tell(&1, fn state -> {:stop, :done, state} end))
    [{:terminate, {%RuntimeError{}, _}}] = told.(&Desk.tell(&1, fn _ -> raise "no" end))
    told.(&Process.exit(&1, :kill)) == [] and told.(&Process.exit(&1, :shutdown)) == []
  end

  promise "E19" do
    server = Desk.open(%{report: self()})
    :answer = Desk.ask(server, fn _, state -> {:stop, :normal, :answer, state} end)
    mailbox() == [{:terminate, :normal}]
  end

  promise "E20" do
    me = self()

    parent =
      spawn(fn ->
        {:ok, server} = Desk.start_link(fn -> (trap(); {:ok, %{report: me}}) end)
        send(me, {:server, server})
        until(:leave)
        exit(:parent_left)
      end)

    server = receive(do: ({:server, server} -> server))
    ref = Process.monitor(server)
    stranger = spawn(fn -> (Process.link(server); exit(:stranger_left)) end)
    {:info, {:EXIT, ^stranger, :stranger_left}} = receive(do: (m -> m))
    send(parent, :leave)
    reason_of(ref) == :parent_left and mailbox() == [{:terminate, :parent_left}]
  end

  promise "E21" do
    server = Desk.open()
    :ok = GenServer.stop(server)
    not Process.alive?(server) and match?({:exit, {:noproc, _}}, catch_exit(fn -> GenServer.stop(server) end))
  end

  promise "E22" do
    me = self()
    {:ok, first} = Desk.start_link(fn -> {:ok, []} end, name: :taken_name)
    second = Desk.start_link(fn -> (send(me, :init_ran); {:ok, []}) end, name: :taken_name)
    second == {:error, {:already_started, first}} and mailbox() == []
  end

  promise "E23" do
    me = self()
    trap()
    answer = Desk.start_link(fn -> (send(me, {:child, self()}); forever()) end, timeout: 20)
    child = receive(do: ({:child, child} -> child))
    answer == {:error, :timeout} and not Process.alive?(child)
  end

  defp end_of(server, fun) do
    ref = Process.monitor(server)
    Desk.tell(server, fun)
    reason_of(ref)
  end

  promise "E24" do
    match?({%RuntimeError{message: "oh"}, [_ | _]}, end_of(Desk.open(), fn _ -> raise "oh" end))
  end

  promise "E25" do
    end_of(Desk.open(), fn _ -> :nonsense end) == {:bad_return_value, :nonsense}
  end

  promise "E26" do
    server = Desk.open()
    :ok = :sys.suspend(server)
    Enum.each(1..3, &Desk.add(server, &1))
    {_, _, _, [_, status | _]} = :sys.get_status(server)
    untouched = :sys.get_state(server) == []
    :ok = :sys.resume(server)
    status == :suspended and untouched and Desk.state(server) == [1, 2, 3]
  end

  promise "E27" do
    server = Desk.open([:old])
    [:old] = :sys.get_state(server)
    [:old, :new] = :sys.replace_state(server, &(&1 ++ [:new]))
    Desk.state(server) == [:old, :new]
  end

  promise "E28" do
    server = Desk.open()
    Desk.tell(server, fn state -> (until(:go_on); {:noreply, state}) end)
    Enum.each(1..1000, &Desk.add(server, &1))
    send(server, :go_on)
    Desk.state(server) == Enum.to_list(1..1000)
  end
end
