//! R and Elixir.

use std::process::Command;

use crate::support::{agree, ask, generate, lines, need, pairs, scheme};

const R: &str = r#"
lines <- strsplit(readLines(file("stdin")), "\t", fixed = TRUE)
a <- numeric_version(vapply(lines, `[`, "", 1), strict = FALSE)
b <- numeric_version(vapply(lines, `[`, "", 2), strict = FALSE)
order <- ifelse(a < b, -1L, ifelse(a > b, 1L, 0L))
writeLines(ifelse(is.na(order), "?", as.character(order)))
"#;

#[test]
fn r_agrees() {
    if !need("Rscript") {
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
    if !need("elixir") {
        return;
    }
    let scheme = scheme("Hex");
    let versions = generate(16, 3000, super::node::version);
    let pairs = pairs(scheme, &versions, 10_000);
    let answers = ask(Command::new("elixir").args(["-e", ELIXIR]), &lines(&pairs));
    agree(scheme, &pairs, &answers, 10_000);
}
