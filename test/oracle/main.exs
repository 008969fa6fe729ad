# elixir main.exs prints PASS or FAIL for each promise. Crashes are part of the programs, so no log tells of them.
:logger.set_primary_config(:level, :none)
Code.require_file("oracle.exs", __DIR__)
letters = ~w(a b c d e f g h i j)
Enum.each(letters, &Code.require_file(&1 <> ".exs", __DIR__))
Oracle.run(Enum.map(letters, &Module.concat(Oracle, String.upcase(&1))))
