//! Databases and what is spoken to by URL.

use crate::{
    checks,
    detector::{Detector, around, assigned, coded, named, token},
    urls,
};

pub(crate) static DETECTORS: &[Detector] = &[
    coded(
        "secret/postgres-url-password",
        "password of a PostgreSQL URL",
        &["postgres://", "postgresql://"],
        urls::password,
    )
    .password()
    .check(urls::check)
    .edge(b"")
    .first()
    .finds(&["postgres://app:<b62:12>@db.acme.io:5432/app"])
    .passes(&[
        "postgres://app:password@db.acme.io:5432/app",
        "postgres://app:${DB_PASSWORD}@db.acme.io:5432/app",
        "postgres://app:<b62:12>@example.com:5432/app",
    ]),
    coded(
        "secret/mysql-url-password",
        "password of a MySQL or MariaDB URL",
        &["mysql://", "mariadb://"],
        urls::password,
    )
    .password()
    .check(urls::check)
    .edge(b"")
    .first()
    .finds(&["mysql://app:<b62:12>@db.acme.io/app"])
    .passes(&[
        "mysql://app:password@db.acme.io/app",
        "mysql://app:${DB_PASSWORD}@db.acme.io/app",
        "mysql://app:<b62:12>@example.com/app",
    ]),
    coded(
        "secret/mongodb-url-password",
        "password of a MongoDB URL",
        &["mongodb://", "mongodb+srv://"],
        urls::password,
    )
    .password()
    .check(urls::check)
    .edge(b"")
    .first()
    .finds(&["mongodb+srv://app:<b62:16>@cluster0.ab1cd.mongodb.net/app"])
    .passes(&[
        "mongodb+srv://app:password@cluster0.ab1cd.mongodb.net/app",
        "mongodb+srv://app:${DB_PASSWORD}@cluster0.ab1cd.mongodb.net/app",
        "mongodb+srv://app:<b62:16>@example.com/app",
    ]),
    coded(
        "secret/redis-url-password",
        "password of a Redis URL",
        &["redis://", "rediss://"],
        urls::password,
    )
    .password()
    .check(urls::check)
    .edge(b"")
    .first()
    .finds(&["redis://:<b62:16>@cache.acme.io:6379/0"])
    .passes(&[
        "redis://:password@cache.acme.io:6379/0",
        "redis://:${DB_PASSWORD}@cache.acme.io:6379/0",
        "redis://:<b62:16>@example.com:6379/0",
    ]),
    coded(
        "secret/amqp-url-password",
        "password of a RabbitMQ URL",
        &["amqp://", "amqps://"],
        urls::password,
    )
    .password()
    .check(urls::check)
    .edge(b"")
    .first()
    .finds(&["amqps://app:<b62:16>@mq.acme.io/vhost"])
    .passes(&[
        "amqps://app:password@mq.acme.io/vhost",
        "amqps://app:${DB_PASSWORD}@mq.acme.io/vhost",
        "amqps://app:<b62:16>@example.com/vhost",
    ]),
    coded(
        "secret/sqlserver-url-password",
        "password of a SQL Server URL",
        &["sqlserver://", "mssql://"],
        urls::password,
    )
    .password()
    .check(urls::check)
    .edge(b"")
    .first()
    .finds(&["sqlserver://sa:<b62:14>@db.acme.io:1433"])
    .passes(&[
        "sqlserver://sa:password@db.acme.io:1433",
        "sqlserver://sa:${DB_PASSWORD}@db.acme.io:1433",
        "sqlserver://sa:<b62:14>@example.com:1433",
    ]),
    coded(
        "secret/clickhouse-url-password",
        "password of a ClickHouse URL",
        &["clickhouse://"],
        urls::password,
    )
    .password()
    .check(urls::check)
    .edge(b"")
    .first()
    .finds(&["clickhouse://app:<b62:14>@ch.acme.io:9000/db"])
    .passes(&[
        "clickhouse://app:password@ch.acme.io:9000/db",
        "clickhouse://app:${DB_PASSWORD}@ch.acme.io:9000/db",
        "clickhouse://app:<b62:14>@example.com:9000/db",
    ]),
    coded(
        "secret/ldap-url-password",
        "password of an LDAP URL",
        &["ldap://", "ldaps://"],
        urls::password,
    )
    .password()
    .check(urls::check)
    .edge(b"")
    .first()
    .finds(&["ldaps://admin:<b62:14>@ldap.acme.io"])
    .passes(&[
        "ldaps://admin:password@ldap.acme.io",
        "ldaps://admin:${DB_PASSWORD}@ldap.acme.io",
        "ldaps://admin:<b62:14>@example.com",
    ]),
    coded(
        "secret/ftp-url-password",
        "password of an FTP URL",
        &["ftp://", "ftps://", "sftp://"],
        urls::password,
    )
    .password()
    .check(urls::check)
    .edge(b"")
    .first()
    .finds(&["ftp://deploy:<b62:14>@files.acme.io/"])
    .passes(&[
        "ftp://deploy:password@files.acme.io/",
        "ftp://deploy:${DB_PASSWORD}@files.acme.io/",
        "ftp://deploy:<b62:14>@example.com/",
    ]),
    coded(
        "secret/smtp-url-password",
        "password of a mail server URL",
        &["smtp://", "smtps://"],
        urls::password,
    )
    .password()
    .check(urls::check)
    .edge(b"")
    .first()
    .finds(&["smtps://mailer:<b62:14>@mail.acme.io:465"])
    .passes(&[
        "smtps://mailer:password@mail.acme.io:465",
        "smtps://mailer:${DB_PASSWORD}@mail.acme.io:465",
        "smtps://mailer:<b62:14>@example.com:465",
    ]),
    coded(
        "secret/elasticsearch-url-password",
        "password of an Elasticsearch URL",
        &["elasticsearch://"],
        urls::password,
    )
    .password()
    .check(urls::check)
    .edge(b"")
    .first()
    .finds(&["elasticsearch://elastic:<b62:14>@es.acme.io:9200"])
    .passes(&[
        "elasticsearch://elastic:password@es.acme.io:9200",
        "elasticsearch://elastic:${DB_PASSWORD}@es.acme.io:9200",
        "elasticsearch://elastic:<b62:14>@example.com:9200",
    ]),
    coded(
        "secret/sqlalchemy-url-password",
        "password of a database (SQLAlchemy) URL",
        &["+psycopg2://", "+pymysql://", "+asyncpg://", "+psycopg://", "+mysqldb://", "+asyncmy://"],
        urls::password,
    )
    .password()
    .check(urls::check)
    .edge(b"")
    .first()
    .finds(&["SQLALCHEMY_DATABASE_URI=mysql+pymysql://app:<b62:14>@db.acme.io/app"])
    .passes(&[
        "SQLALCHEMY_DATABASE_URI=mysql+pymysql://app:password@db.acme.io/app",
        "SQLALCHEMY_DATABASE_URI=mysql+pymysql://app:${DB_PASSWORD}@db.acme.io/app",
        "SQLALCHEMY_DATABASE_URI=mysql+pymysql://app:<b62:14>@example.com/app",
    ]),
    coded(
        "secret/http-url-password",
        "password of a URL",
        &["https://", "http://"],
        urls::password,
    )
    .password()
    .likely()
    .check(urls::check_web)
    .edge(b"")
    .last()
    .finds(&["https://deploy:<b62:14>@git.acme.io/app.git"])
    .passes(&[
        "https://user:password@acme.io",
        "https://acme.io/a:b@c",
        "http://user:secret@example.com/",
        "https://x:${TOKEN}@acme.io",
    ]),
    named(
        "secret/jdbc-password",
        "password in a JDBC URL",
        &["password"],
        r#"[^\s"\x27&;<>]{4,100}"#,
    )
    .password()
    .check(checks::jdbc)
    .edge(b"")
    .finds(&["jdbc:sqlserver://db.acme.io;user=sa;password=<b62:14>;"])
    .passes(&["jdbc:mysql://h/db?user=a&password=${PW}"]),
    named(
        "secret/connection-string-password",
        "password in a connection string",
        &["password", "pwd"],
        r#"[^\s"\x27;<>]{4,100}"#,
    )
    .password()
    .check(checks::connection_string)
    .edge(b"")
    .finds(&["Server=db.acme.io;Database=app;User Id=sa;Password=<b62:14>;"])
    .passes(&["Server=db;Database=app;User Id=sa;Password=changeme;"]),
    around(
        "secret/pgpass-password",
        "password in .pgpass",
        &[],
        0,
        r"(?m-u:^)[^\s:#]{1,255}:(?:[0-9]{1,5}|\*):[^\s:]{1,64}:[^\s:]{1,64}:(\S{4,100})",
    )
    .password()
    .files(&[".pgpass"])
    .edge(b"")
    .finds(&["db.acme.io:5432:app:app:<b62:12>"])
    .passes(&["# hostname:port:database:username:password"]),
    named(
        "secret/mysql-client-password",
        "password in a MySQL options file",
        &["password"],
        r#"[^\s"\x27]{4,100}"#,
    )
    .password()
    .files(&[".my.cnf", ".mylogin.cnf", "debian.cnf"])
    .check(checks::literal)
    .edge(b"")
    .finds(&["[client]\nuser=root\npassword=<b62:12>"])
    .passes(&["password=changeme"]),
    token(
        "secret/netrc-password",
        "password in .netrc",
        &["password "],
        r"password[ \t]{1,8}(\S{4,200})",
    )
    .password()
    .files(&[".netrc", "_netrc", ".authinfo"])
    .check(checks::literal)
    .edge(b"")
    .finds(&["machine git.acme.io login deploy password <b62:14>"])
    .passes(&["machine a login b password changeme"]),
    named(
        "secret/atlas-api-key",
        "MongoDB Atlas private key",
        &["atlas_private_key", "mongodb_atlas_private", "atlas_private_api_key"],
        "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    )
    .finds(&["MONGODB_ATLAS_PRIVATE_KEY=<uuid>"])
    .passes(&["MONGODB_ATLAS_PRIVATE_KEY=00000000-0000-0000-0000-000000000000"]),
    token(
        "secret/elastic-cloud-key",
        "Elastic Cloud key",
        &["essu_"],
        "essu_[0-9A-Za-z+/]{60,120}={0,2}",
    )
    .edge(b"/+=_")
    .finds(&["EC_API_KEY=essu_<b64:90>=="])
    .passes(&[
        "EC_API_KEY=essu_<b64:30>==",
        "EC_API_KEY=essu_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx==",
    ]),
    token(
        "secret/turso-token",
        "Neon or Nile API key",
        &["napi_"],
        "napi_[0-9a-z]{60,70}",
    )
    .finds(&["NEON_API_KEY=napi_<low:64>"])
    .passes(&[
        "NEON_API_KEY=napi_<low:21>",
        "NEON_API_KEY=napi_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    token(
        "secret/clickhouse-cloud-key",
        "ClickHouse Cloud key",
        &["4b1d"],
        "4b1d[0-9A-Za-z]{38}",
    )
    .entropy(4.0)
    .check(checks::motley)
    .finds(&["CLICKHOUSE_KEY_SECRET=4b1d<b62:38>"])
    .passes(&[
        "CLICKHOUSE_KEY_SECRET=4b1d<b62:12>",
        "CLICKHOUSE_KEY_SECRET=4b1dxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    assigned(
        "secret/algolia-key",
        "Algolia admin key",
        &["algolia"],
        "[0-9a-f]{32}",
    )
    .finds(&["ALGOLIA_ADMIN_API_KEY=<hex:32>"])
    .passes(&[
        "ALGOLIA_ADMIN_API_KEY=<hex:10>",
        "ALGOLIA_ADMIN_API_KEY=00000000000000000000000000000000",
    ]),
    assigned(
        "secret/confluent-secret",
        "Confluent API secret",
        &["confluent"],
        "(?:cflt)?[0-9A-Za-z+/]{60,64}",
    )
    .edge(b"/+=_")
    .check(checks::no_word)
    .finds(&["CONFLUENT_CLOUD_API_SECRET=<b64:64>"])
    .passes(&[
        "CONFLUENT_CLOUD_API_SECRET=<b64:21>",
        "CONFLUENT_CLOUD_API_SECRET=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    assigned(
        "secret/upstash-token",
        "Upstash token",
        &["upstash"],
        "A[0-9A-Za-z_-]{40,120}={0,2}",
    )
    .edge(b"_-=")
    .check(checks::motley)
    .finds(&["UPSTASH_REDIS_REST_TOKEN=A<b62:59>=="])
    .passes(&[
        "UPSTASH_REDIS_REST_TOKEN=A<b62:19>==",
        "UPSTASH_REDIS_REST_TOKEN=Axxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx==",
    ]),
];
