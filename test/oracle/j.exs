defmodule Oracle.J do
  use Oracle

  defp scope(name) do
    {:ok, _} = :pg.start_link(name)
    name
  end

  promise "J1" do
    scope = scope(:twice)
    :pg.join(scope, :room, self())
    :pg.join(scope, :room, self())
    twice = :pg.get_members(scope, :room)
    :pg.leave(scope, :room, self())
    {twice, :pg.get_members(scope, :room)} == {[self(), self()], [self()]}
  end

  # The group hears of the death by a monitor of its own; asking it a question that it answers in turn is the fence.
  promise "J2" do
    scope = scope(:mortal)
    {pid, ref} = spawn_monitor(fn -> until(:leave) end)
    :pg.join(scope, :room, pid)
    there = :pg.get_members(scope, :room) == [pid]
    send(pid, :leave)
    reason_of(ref)
    there and vanished?(scope) and :pg.get_members(scope, :never_joined) == []
  end

  defp vanished?(scope), do: :pg.get_members(scope, :room) == [] or (:erlang.yield() and vanished?(scope))

  promise "J3" do
    :pg.leave(scope(:empty), :room, self()) == :not_joined
  end
end
