//! Languages: interpreters, their libraries, and compilers.

use crate::fingerprint::{Fingerprint, Group, Pattern};

/// A linker may have made it the tail of a longer text.
const PYTHON: &str =
    r"[^0-9.]([23]\.[0-9]{1,2}\.[0-9]{1,2}(?:a[0-9]{1,2}|b[0-9]{1,2}|rc[0-9]{1,2})?\+?)\x00";
const PHP: &str = r"X-Powered-By: PHP/([0-9]{1,2}\.[0-9]{1,3}\.[0-9]{1,3}(?:alpha[0-9]{1,2}|beta[0-9]{1,2}|RC[0-9]{1,2})?)";
const OTP: &str = r"/src/otp[-_](?:src_)?([0-9]{1,3}(?:\.[0-9]{1,3}){1,4}(?:-rc[0-9])?)/erts/";

pub(crate) static GROUP: Group = Group(&[
    Fingerprint {
        name: "node",
        paths: &["node", "nodejs", "libnode.so*"],
        patterns: &[
            Pattern::holding(
                "node.js/v",
                r"node\.js/v([0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3})",
            ),
            Pattern::holding("\0node v", r"\x00node v(0\.[0-9]{1,3}\.[0-9]{1,3})\x00"),
            Pattern::holding("\0v", r"\x00v([0456]\.[0-9]{1,3}\.[0-9]{1,3})\x00"),
        ],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "node",
        paths: &["include/node/node_version.h"],
        patterns: &[Pattern::holding(
            "NODE_MAJOR_VERSION",
            r"#define NODE_MAJOR_VERSION ([0-9]{1,3})\r?\n#define NODE_MINOR_VERSION ([0-9]{1,3})\r?\n#define NODE_PATCH_VERSION ([0-9]{1,3})\r?\n",
        )],
        beside: Some("../../bin/node"),
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "deno",
        paths: &["deno"],
        patterns: &[
            Pattern::holding(
                "Deno/",
                r"Deno/([0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}(?:-rc\.[0-9]{1,2})?)\+[0-9a-f]{7}",
            ),
            Pattern::holding(
                "Deno/",
                r"Deno/([1-9]\.[0-9]{1,3}\.[0-9]{1,3}(?:-rc\.[0-9]{1,2})?)",
            ),
        ],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "bun",
        paths: &["bun"],
        patterns: &[
            Pattern::holding("Bun v", r"Bun v([0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}) ?\("),
            Pattern::holding("Bun/", r"Bun/([0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3})"),
            Pattern::holding("bun/", r"bun/([0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3})"),
        ],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "python",
        paths: &["bin/python*", "libpython*.so*"],
        patterns: &[Pattern::holding("\0", PYTHON)],
        numbered: true,
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "python",
        paths: &["python", "python3"],
        patterns: &[Pattern::holding(
            "%.80s (%.80s) %.80s",
            r"\x00([23]\.[0-9]{1,2}\.[0-9]{1,2}(?:a[0-9]{1,2}|b[0-9]{1,2}|rc[0-9]{1,2})?\+?)\x00%\.80s \(%\.80s\) %\.80s",
        )],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "pypy",
        paths: &["libpypy*.so*"],
        patterns: &[Pattern::holding(
            "[PyPy ",
            r"\[PyPy ([0-9]{1,2}\.[0-9]{1,3}\.[0-9]{1,3})",
        )],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "ruby",
        paths: &["ruby", "ruby*", "libruby*.so*"],
        patterns: &[Pattern::holding(
            "ruby ",
            r"ruby ([0-9]{1,2}\.[0-9]{1,3}\.[0-9]{1,3}(?:(?:p|preview|rc|dev)[0-9]{0,4})?) \([0-9]{4}-",
        )],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "perl",
        paths: &["perl", "perl5*", "libperl.so*"],
        patterns: &[
            Pattern::holding("\0v5.", r"\x00v(5\.[0-9]{1,2}\.[0-9]{1,2})\x00"),
            Pattern::holding(
                "/lib/perl5/",
                r"/lib/perl5/(5\.[0-9]{1,2}\.[0-9]{1,2})[/\x00]",
            ),
        ],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "php-cli",
        paths: &["php", "php5*", "php7*", "php8*"],
        patterns: &[Pattern::holding("X-Powered-By: PHP/", PHP)],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "php-fpm",
        paths: &["php-fpm", "php-fpm*"],
        patterns: &[Pattern::holding("X-Powered-By: PHP/", PHP)],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "php-cgi",
        paths: &["php-cgi", "php-cgi*"],
        patterns: &[Pattern::holding("X-Powered-By: PHP/", PHP)],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "libphp",
        paths: &["libphp*.so"],
        patterns: &[Pattern::holding("X-Powered-By: PHP/", PHP)],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "composer",
        paths: &["composer", "composer.phar"],
        patterns: &[Pattern::holding(
            "const VERSION = '",
            r"const VERSION = '([0-9]{1,2}\.[0-9]{1,3}\.[0-9]{1,3}(?:-?(?:alpha|beta|RC)[0-9]{1,2})?)'",
        )],
        with: &["BRANCH_ALIAS_VERSION", "Composer"],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "wp-cli",
        paths: &["wp", "wp-cli.phar"],
        patterns: &[Pattern::holding(
            "wp-cli/wp-cli ",
            r"wp-cli/wp-cli v?([0-9]{1,2}\.[0-9]{1,3}\.[0-9]{1,3})",
        )],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "go",
        paths: &["VERSION"],
        patterns: &[Pattern::holding(
            "go",
            r"\Ago([0-9]{1,2}\.[0-9]{1,3}(?:\.[0-9]{1,3})?(?:(?:alpha|beta|rc)[0-9]{1,2})?(?:-[-_0-9a-z]{1,40})?)",
        )],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "go",
        paths: &["bin/go"],
        patterns: &[Pattern::holding(
            "\0go1.",
            r"\x00go(1\.[0-9]{1,3}(?:\.[0-9]{1,3})?(?:(?:alpha|beta|rc)[0-9]{1,2})?)\x00",
        )],
        beside: Some("../VERSION"),
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "rust",
        paths: &["libstd-*.so", "librustc_driver-*.so"],
        patterns: &[Pattern::holding(
            "(rustc version ",
            r"\(rustc version ([0-9]{1,2}\.[0-9]{1,3}\.[0-9]{1,3}(?:-(?:nightly|beta\.[0-9]{1,2}))?) \(",
        )],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "rust",
        paths: &["libstd-*.dylib"],
        patterns: &[Pattern::holding(
            "c 1.",
            r"c ([0-9]{1,2}\.[0-9]{1,3}\.[0-9]{1,3}) \([0-9a-f]{9} [0-9]{4}-[0-9]{2}-[0-9]{2}\)",
        )],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "julia",
        paths: &["libjulia-internal.so*"],
        patterns: &[Pattern::holding(
            "__init__\0",
            r"__init__\x00([0-9]{1,2}\.[0-9]{1,3}\.[0-9]{1,3}(?:-[a-z0-9]{1,10})?)\x00verify",
        )],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "erlang",
        paths: &["releases/*/OTP_VERSION", "OTP_VERSION"],
        patterns: &[Pattern::holding(
            ".",
            r"\A([0-9]{1,3}(?:\.[0-9]{1,3}){1,4}(?:-rc[0-9])?)\r?\n",
        )],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "erlang",
        paths: &["erlexec", "liberts_internal.a", "beam.smp"],
        patterns: &[
            Pattern::holding("/erts/", OTP),
            Pattern::holding(
                "\0Erlang/OTP",
                r"\x00([0-9]{1,3}(?:\.[0-9]{1,3}){1,4}(?:-rc[0-9])?)\x00{1,64}Erlang/OTP",
            ),
            Pattern::holding(
                "[jit:ns%s]\n\0",
                r"\[jit:ns%s\]\n\x00([0-9]{1,3}(?:\.[0-9]{1,3}){1,4}(?:-rc[0-9])?)\x00",
            ),
        ],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "elixir",
        paths: &["bin/elixir"],
        patterns: &[Pattern::holding(
            "ELIXIR_VERSION=",
            r"ELIXIR_VERSION=([0-9]{1,2}\.[0-9]{1,3}\.[0-9]{1,3}(?:-[a-z0-9.]{1,12})?)",
        )],
        beside: Some("../lib/elixir/ebin/elixir.app"),
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "elixir",
        paths: &["elixir/ebin/elixir.app"],
        patterns: &[Pattern::holding(
            "{vsn,",
            r#"\{vsn, ?"([0-9]{1,2}\.[0-9]{1,3}\.[0-9]{1,3}(?:-[a-z0-9.]{1,12})?)"\}"#,
        )],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "dart",
        paths: &["dart", "dartaotruntime"],
        patterns: &[Pattern::holding(
            " (",
            r"\x00([0-9]{1,2}\.[0-9]{1,3}\.[0-9]{1,3}(?:-[0-9]{1,4}\.[0-9]{1,4}\.(?:beta|dev))?) \((?:stable|beta|dev)\) \(",
        )],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "swipl",
        paths: &["swipl", "libswipl.so*"],
        patterns: &[Pattern::holding(
            "swipl-",
            r"swipl-([0-9]{1,2}\.[0-9]{1,3}\.[0-9]{1,3})/",
        )],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "haskell/ghc",
        paths: &["ghc", "ghc-*"],
        patterns: &[Pattern::holding(
            "\0GHC ",
            r"\x00GHC ([0-9]{1,2}\.[0-9]{1,3}\.[0-9]{1,3})\x00",
        )],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "haskell/cabal",
        paths: &["cabal"],
        patterns: &[Pattern::holding(
            "\0Cabal-",
            r"\x00Cabal-([0-9]{1,2}\.[0-9]{1,3}\.[0-9]{1,3}(?:\.[0-9]{1,3})?)-",
        )],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "haskell/stack",
        paths: &["stack"],
        patterns: &[Pattern::holding(
            ", Git",
            r"Version ([0-9]{1,2}\.[0-9]{1,3}\.[0-9]{1,3}), Git",
        )],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "lua",
        paths: &["lua", "lua5*", "liblua*.so*"],
        patterns: &[Pattern::holding(
            "$LuaVersion: Lua ",
            r"\$LuaVersion: Lua ([0-9]\.[0-9]{1,2}\.[0-9]{1,2})",
        )],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "luajit",
        paths: &["luajit", "luajit-*", "libluajit*.so*"],
        patterns: &[Pattern::holding(
            "LuaJIT ",
            r"\x00LuaJIT ([0-9]\.[0-9]{1,2}\.[0-9]{1,10}(?:-beta[0-9])?)\x00",
        )],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "gcc",
        paths: &["bin/gcc", "bin/gcc-*", "bin/*-gcc", "bin/*-gcc-*"],
        patterns: &[
            Pattern::holding(
                "\0gcc version ",
                r"\x00([0-9]{1,2}\.[0-9]{1,2}\.[0-9]{1,2})\x00[^\x00]{0,100}\x00gcc version ",
            ),
            Pattern::holding(
                "GCC: (GNU) ",
                r"GCC: \(GNU\) ([0-9]{1,2}\.[0-9]{1,2}\.[0-9]{1,2})",
            ),
        ],
        ..Fingerprint::PLAIN
    },
]);
