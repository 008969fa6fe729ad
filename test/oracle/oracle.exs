# How a promise is written and run. Each runs in a process of its own, with an empty mailbox, and holds when it gives true.
defmodule Oracle do
  defmacro __using__(_) do
    quote do
      import Oracle
      Module.register_attribute(__MODULE__, :promises, accumulate: true)
      @before_compile Oracle
    end
  end

  defmacro __before_compile__(_) do
    quote do
      def promises, do: Enum.reverse(@promises)
    end
  end

  defmacro promise(id, do: body) do
    name = String.to_atom("promise_" <> id)

    quote do
      @promises {unquote(id), unquote(name)}
      def unquote(name)(), do: unquote(body)
    end
  end

  @patience 10_000

  def run(modules) do
    for module <- modules, {id, name} <- module.promises() do
      case judge(module, name) do
        true -> IO.puts("PASS #{id}")
        other -> IO.puts("FAIL #{id} #{inspect(other)}")
      end
    end
  end

  defp judge(module, name) do
    {pid, ref} = spawn_monitor(fn -> exit({:verdict, apply(module, name, [])}) end)

    receive do
      {:DOWN, ^ref, _, _, {:verdict, verdict}} -> verdict
      {:DOWN, ^ref, _, _, reason} -> {:died, reason}
    after
      @patience ->
        Process.exit(pid, :kill)
        :too_long
    end
  end

  @doc "The reason with which a monitored process ended."
  def reason_of(ref) do
    receive do
      {:DOWN, ^ref, _, _, reason} -> reason
    end
  end

  @doc "The reason with which a process that runs this function ends."
  def ends_with(fun) do
    {_, ref} = spawn_monitor(fun)
    reason_of(ref)
  end

  def corpse do
    {pid, ref} = spawn_monitor(fn -> :ok end)
    reason_of(ref)
    pid
  end

  def forever do
    receive do
      :nobody_sends_this -> :ok
    end
  end

  def until(word) do
    receive do
      ^word -> :ok
    end
  end

  @doc "A process that is ready: it has done `prepare` when this returns, and goes on with `work`."
  def ready(prepare, work \\ &Oracle.forever/0) do
    boss = self()
    ref = make_ref()

    pid =
      spawn(fn ->
        prepare.()
        send(boss, ref)
        work.()
      end)

    until(ref)
    pid
  end

  def trap, do: Process.flag(:trap_exit, true)

  @doc "All that waits. Taken by receive, which fetches what is under way to this process."
  def mailbox do
    receive do
      message -> [message | mailbox()]
    after
      0 -> []
    end
  end

  @doc "Everything that arrives until nothing has for a while: where the sender can send no fence."
  def settled(ms \\ 60) do
    receive do
      message -> [message | settled(ms)]
    after
      ms -> []
    end
  end

  def quiet?, do: settled(20) == []
end

# A server whose every callback is a function of the one who asks.
defmodule Desk do
  use GenServer

  def start(init, options \\ []), do: GenServer.start(__MODULE__, init, options)
  def start_link(init, options \\ []), do: GenServer.start_link(__MODULE__, init, options)

  def open(state \\ []) do
    {:ok, pid} = start(fn -> {:ok, state} end)
    pid
  end

  def ask(server, fun, timeout \\ 5000), do: GenServer.call(server, fun, timeout)
  def tell(server, fun), do: GenServer.cast(server, fun)
  def add(server, item), do: tell(server, fn state -> {:noreply, state ++ [item]} end)
  def state(server), do: ask(server, fn _, state -> {:reply, state, state} end)

  @impl true
  def init(fun), do: fun.()
  @impl true
  def handle_call(fun, from, state), do: fun.(from, state)
  @impl true
  def handle_cast(fun, state), do: fun.(state)
  @impl true
  def handle_continue(fun, state), do: fun.(state)
  @impl true
  def handle_info(fun, state) when is_function(fun, 1), do: fun.(state)

  def handle_info(message, %{report: to} = state) do
    send(to, {:info, message})
    {:noreply, state}
  end

  def handle_info(message, state), do: {:noreply, state ++ [{:info, message}]}
  @impl true
  def terminate(reason, %{report: to}), do: send(to, {:terminate, reason})
  def terminate(_, _), do: :ok
end

# A child that tells of its life: {:up, name, pid} after init, {:terminate, name, reason} at its orderly end.
defmodule Kid do
  use GenServer

  def spec(name, options \\ []) do
    options = Map.new(options)

    %{
      id: name,
      start: {__MODULE__, :start_link, [name, self(), options]},
      restart: Map.get(options, :restart, :permanent),
      shutdown: Map.get(options, :shutdown, 5000),
      significant: Map.get(options, :significant, false)
    }
  end

  def start_link(name, report, options), do: GenServer.start_link(__MODULE__, {name, report, options})

  def up(name) do
    receive do
      {:up, ^name, pid} -> pid
    end
  end

  def up?(name) do
    receive do
      {:up, ^name, _} -> true
    after
      60 -> false
    end
  end

  def stop(pid, reason), do: GenServer.cast(pid, {:stop, reason})

  @doc "What was told, without the pids."
  def news(messages) do
    for message <- messages, elem(message, 0) in [:up, :terminate] do
      case message do
        {:up, name, _} -> {:up, name}
        end_of_it -> end_of_it
      end
    end
  end

  @impl true
  def init({name, report, options} = state) do
    if options[:trap], do: Process.flag(:trap_exit, true)
    if gate = options[:gate], do: gate.()

    case options[:init] do
      nil ->
        send(report, {:up, name, self()})
        {:ok, state}

      other ->
        other
    end
  end

  @impl true
  def handle_cast({:stop, reason}, state), do: {:stop, reason, state}
  @impl true
  def handle_info(_, state), do: {:noreply, state}
  @impl true
  def terminate(reason, {name, report, options}) do
    send(report, {:terminate, name, reason})
    if last = options[:last], do: last.()
  end
end
