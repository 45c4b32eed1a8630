{application,elixir,
    [{description,"elixir"},
     {vsn,"1.14.0"},
     {modules,
         ['Elixir.Access','Elixir.Agent.Server','Elixir.Agent