//! Syft's words for kinds of packages (`syft/pkg`, `type.go`, `language.go`).

/// Syft's names for a purl type and its language.
pub(super) fn names(kind: &str) -> (&str, &'static str) {
    match kind {
        "cargo" => ("rust-crate", "rust"),
        "cocoapods" => ("pod", "swift"),
        "composer" => ("php-composer", "php"),
        "conan" => ("conan", "c++"),
        "cran" => ("R-package", "R"),
        "gem" => ("gem", "ruby"),
        "githubactions" => ("github-action", ""),
        "golang" => ("go-module", "go"),
        "hackage" => ("hackage", "haskell"),
        "hex" => ("hex", "elixir"),
        "luarocks" => ("lua-rocks", "lua"),
        "maven" => ("java-archive", "java"),
        "npm" => ("npm", "javascript"),
        "nuget" => ("dotnet", "dotnet"),
        "opam" => ("opam", "ocaml"),
        "otp" => ("erlang-otp", "erlang"),
        "pub" => ("dart-pub", "dart"),
        "pypi" => ("python", "python"),
        "swift" => ("swift", "swift"),
        "generic" => ("binary", ""),
        "ebuild" => ("portage", ""),
        kind => (kind, ""),
    }
}
