# Measures pieces of work and prints a line of JSON for each, as `scripts/bench/elixir.mjs` reads them. Its arguments are
# the scenarios that are wanted, and `--quick`.
Logger.configure(level: :none)
:logger.set_primary_config(:level, :none)

defmodule Bench do
  @quick "--quick" in System.argv()
  @scenarios System.argv() -- ["--quick"]

  @doc "Whether only to see that everything runs."
  def quick?, do: @quick

  @doc "`many`, or `few` to be quick."
  def size(many, few), do: if(@quick, do: few, else: many)

  def now, do: System.monotonic_time(:nanosecond)

  @doc "Fails unless the work was done."
  def expect(is, is), do: :ok
  def expect(is, should_be), do: raise("#{inspect(is)} instead of #{inspect(should_be)}")

  @doc "The samples are single pieces of work: `once` returns the nanoseconds of one."
  def latency(scenario, what, where, once), do: throughput(scenario, what, where, 1, once)

  @doc "The samples are `pieces` of work that belong together; the figures are of one of them."
  def throughput(scenario, what, where, pieces, all, options \\ []),
    do: if(scenario in @scenarios, do: figure([scenario: scenario, what: what, where: where], pieces, all, options))

  defp figure(topic, pieces, all, options) do
    least = Keyword.get(options, :samples, if(@quick, do: 2, else: 12))
    unless @quick, do: measure(all, 150_000_000, 1)
    samples = measure(all, if(@quick, do: 10_000_000, else: 600_000_000), least)
    sorted = samples |> Enum.map(&(&1 / pieces)) |> Enum.sort() |> List.to_tuple()
    at = fn share -> elem(sorted, max(0, ceil(share * tuple_size(sorted)) - 1)) end

    stats = [samples: tuple_size(sorted), averaged: pieces, p50: at.(0.5), p99: at.(0.99), p999: at.(0.999)]
    print(topic ++ [size: options[:size], unit: "ns"] ++ stats)
  end

  @doc "A figure that is no time."
  def amount(scenario, what, where, unit, value) do
    if scenario in @scenarios, do: print(scenario: scenario, what: what, where: where, unit: unit, value: value)
  end

  defp measure(all, time, least, taken \\ 0, samples \\ [])
  defp measure(_, time, 0, taken, samples) when taken >= time, do: samples

  defp measure(all, time, least, taken, samples) do
    took = all.()
    measure(all, time, max(0, least - 1), taken + took, [took | samples])
  end

  defp print(pairs) do
    pairs
    |> Enum.reject(fn {_, value} -> value == nil end)
    |> Enum.map_join(",", fn {key, value} -> ~s("#{key}":#{json(value)}) end)
    |> then(&IO.puts("{#{&1}}"))
  end

  defp json(value) when is_float(value), do: :erlang.float_to_binary(value, decimals: 3)
  defp json(value) when is_integer(value), do: Integer.to_string(value)
  defp json(value) when is_binary(value), do: inspect(value)
end
