//! R and Elixir.

use std::process::Command;

use crate::support::{agree, ask, generate, have, lines, pairs, scheme};

/// `compareVersion` is what `update.packages` goes by. (The operators of
/// `numeric_version` take `1.0` and `1.0.0` as equal in some releases of R.)
const R: &str = r#"
lines <- strsplit(readLines("stdin"), "\t", fixed = TRUE)
valid <- function(text) !is.na(numeric_version(text, strict = FALSE))
for (pair in lines)
    cat(if (all(valid(pair))) compareVersion(pair[1], pair[2]) else "?", "\n", sep = "")
"#;

#[test]
fn r_agrees() {
    if !have(&["Rscript"]) {
        return;
    }
    let scheme = scheme("CRAN");
    let versions = generate(15, 2000, |dice| {
        let mut text = dice.numbers(1, 3);
        for _ in 0..dice.below(3) {
            text += dice.pick(&["-", ".", "-"]);
            text += &dice.number();
        }
        text + dice.pick(&["", "", "", "", "", ".", "-a"])
    });
    let pairs = pairs(scheme, &versions, 10_000);
    let answers = ask(Command::new("Rscript").args(["-e", R]), &lines(&pairs));
    agree(scheme, &pairs, &answers, 6000);
}

const ELIXIR: &str = r#"
read = fn text -> case Version.parse(text) do
  {:ok, version} -> version
  :error -> nil
end end
IO.stream(:stdio, :line) |> Enum.each(fn line ->
  [a, b] = line |> String.trim_trailing("\n") |> String.split("\t") |> Enum.map(read)
  order = cond do
    a == nil or b == nil -> "?"
    true -> %{lt: "-1", eq: "0", gt: "1"}[Version.compare(a, b)]
  end
  IO.puts(order)
end)
"#;

#[test]
fn elixir_agrees() {
    if !have(&["elixir"]) {
        return;
    }
    let scheme = scheme("Hex");
    let versions = generate(16, 3000, super::node::version);
    let pairs = pairs(scheme, &versions, 10_000);
    let answers = ask(Command::new("elixir").args(["-e", ELIXIR]), &lines(&pairs));
    agree(scheme, &pairs, &answers, 10_000);
}
