//! Databases, caches and queues.

use crate::fingerprint::{Fingerprint, Group, Pattern};

pub(crate) static GROUP: Group = Group(&[
    Fingerprint {
        name: "redis",
        paths: &["redis-server", "redis-sentinel", "redis-check-rdb"],
        patterns: &[
            Pattern::holding(
                "buildkitsandbox-",
                r"[^0-9]([0-9]{1,2}\.[0-9]{1,2}\.[0-9]{1,2})buildkitsandbox-[0-9]{10}",
            ),
            // Version, host and time. A container's host has twelve digits;
            // builders who want the same bytes each time leave it out.
            Pattern::holding(
                "000000000\0",
                r"[^0-9.]([0-9]{1,2}\.[0-9]{1,2}\.[0-9]{1,2}?)[0-9a-f]{12}-[0-9]{10}000000000\x00",
            ),
            Pattern::holding(
                "000000000\0",
                r"[^0-9.]([0-9]{1,2}\.[0-9]{1,2}\.[0-9]{1,2}?)(?:[a-z][-_.a-z0-9]{0,62}-)?[0-9]{10}000000000\x00",
            ),
            Pattern::holding(
                "Redis version ",
                r"Redis version ([0-9]{1,2}\.[0-9]{1,2}\.[0-9]{1,2})",
            ),
        ],
        without: &["valkey"],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "valkey",
        paths: &["valkey-server", "valkey-sentinel", "valkey-check-rdb"],
        patterns: &[
            Pattern::holding(
                "buildkitsandbox-",
                r"[^0-9]([0-9]{1,2}\.[0-9]{1,2}\.[0-9]{1,2})buildkitsandbox-[0-9]{10}",
            ),
            Pattern::holding(
                "valkey",
                r"valkey([0-9]{1,2}\.[0-9]{1,2}\.[0-9]{1,2})[-_.a-z0-9]{0,64}-?[0-9]{10}",
            ),
        ],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "memcached",
        paths: &["memcached"],
        patterns: &[Pattern::holding(
            "memcached ",
            r"memcached ([0-9]\.[0-9]{1,2}\.[0-9]{1,3})",
        )],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "postgresql",
        paths: &["postgres"],
        patterns: &[
            Pattern::holding(
                "postgres (PostgreSQL) ",
                r"postgres \(PostgreSQL\) ([0-9]{1,2}(?:\.[0-9]{1,2}){0,2}(?:(?:alpha|beta|rc)[0-9]{1,2})?)",
            ),
            Pattern::holding(
                "PostgreSQL ",
                r"(?:\x00|\?)PostgreSQL ([0-9]{1,2}(?:\.[0-9]{1,2}){0,2}(?:(?:alpha|beta|rc)[0-9]{1,2})?)",
            ),
        ],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "pgbouncer",
        paths: &["pgbouncer"],
        patterns: &[Pattern::holding(
            "PgBouncer ",
            r"\x00PgBouncer ([0-9]\.[0-9]{1,2}\.[0-9]{1,2})\x00",
        )],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "mysql",
        paths: &["mysql", "mysqld"],
        patterns: &[
            Pattern::holding(
                "mysql",
                r"\x00([0-9]{1,2}\.[0-9]{1,2}\.[0-9]{1,2}(?:-?(?:alpha|beta|rc)[0-9]{0,2})?)\x00{1,64}mysql",
            ),
            Pattern::holding(
                "/mysql-",
                r"/mysql-([0-9]{1,2}\.[0-9]{1,2}\.[0-9]{1,2})[-/]",
            ),
        ],
        without: &["MariaDB", "percona-server-", "Percona-XtraDB-Cluster-"],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "percona-server",
        paths: &["mysql", "mysqld"],
        patterns: &[Pattern::holding(
            "/percona-server-",
            r"/percona-server-([0-9]{1,2}\.[0-9]{1,2}\.[0-9]{1,2}(?:-[0-9]{1,3})?)",
        )],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "percona-xtradb-cluster",
        paths: &["mysql", "mysqld"],
        patterns: &[Pattern::holding(
            "/Percona-XtraDB-Cluster-",
            r"/Percona-XtraDB-Cluster-([0-9]{1,2}\.[0-9]{1,2}\.[0-9]{1,2}(?:-[0-9]{1,3})?)",
        )],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "percona-xtrabackup",
        paths: &["xtrabackup"],
        patterns: &[Pattern::holding(
            "/percona-xtrabackup-",
            r"/percona-xtrabackup-([0-9]{1,2}\.[0-9]{1,2}\.[0-9]{1,2}(?:-[0-9]{1,3})?)",
        )],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "mariadb",
        paths: &["mariadb", "mariadbd", "mysql", "mysqld"],
        patterns: &[Pattern::holding(
            "-MariaDB",
            r"[^0-9.]([0-9]{1,2}\.[0-9]{1,2}\.[0-9]{1,2})-MariaDB",
        )],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "mongodb",
        paths: &["mongod", "mongos"],
        patterns: &[Pattern::holding(
            "\0",
            r"\x00([0-9]\.[0-9]{1,2}\.[0-9]{1,2}(?:-rc[0-9]{1,2})?)\x00{1,16}(?:tcmalloc|heap_size|cppdefines)",
        )],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "arangodb",
        paths: &["arangosh", "arangod"],
        patterns: &[Pattern::holding(
            "[linux]",
            r"\x00([0-9]\.[0-9]{1,2}\.[0-9]{1,2}(?:-[0-9]{1,2})?) (?:enterprise )?\[linux\]",
        )],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "sqlcipher",
        paths: &["sqlcipher", "libsqlcipher.so*"],
        patterns: &[Pattern::holding(
            "\0",
            r"[^0-9]\x00([0-9]\.[0-9]{1,2}\.[0-9]{1,2})\x00",
        )],
        with: &["cipher"],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "sqlite",
        paths: &["libsqlite3.so*", "sqlite3"],
        patterns: &[Pattern::holding(
            "3.",
            r"[^0-9A-Za-z.](3\.[0-9]{1,2}\.[0-9]{1,2}(?:\.[0-9])?)\x00",
        )],
        with: &["SQLite format 3"],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "rabbitmq",
        paths: &["rabbit-*/ebin/rabbit.app", "rabbit/ebin/rabbit.app"],
        patterns: &[Pattern::holding(
            "{vsn,",
            r#"\{vsn, ?"([0-9]{1,2}\.[0-9]{1,3}\.[0-9]{1,3}(?:-(?:beta|rc)\.[0-9]{1,2})?)"\}"#,
        )],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "influxdb",
        paths: &["influxd"],
        patterns: &[Pattern::holding(
            "\0go1.",
            r"\x00go1\.[0-9.]{1,6}\x00{1,16}v?([0-9]\.[0-9]{1,2}\.[0-9]{1,2})[~\x00]",
        )],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "etcd",
        paths: &["etcd", "etcdctl"],
        patterns: &[
            Pattern::holding(".local", r"/%s:%s(3\.[0-9]\.[0-9]{1,2})[0-9]{3}"),
            Pattern::holding("\0", r"[\x00-\x1F\x80-\xFF](3\.[0-9]\.[0-9]{1,2})\x00"),
        ],
        with: &["go.etcd.io/etcd"],
        ..Fingerprint::PLAIN
    },
]);
