//! Groups of well-known artifacts whose archives do not name them: those that
//! Gradle and Ant build bear no pom.properties. A name alone proves nothing, so
//! each row asks for a sign in the archive as well: classes of the project, or
//! the name of its module.

/// One family of artifacts.
struct Row {
    /// Names; one that ends with `*` stands for all that begin so.
    artifacts: &'static [&'static str],
    group: &'static str,
    /// Where its classes lie.
    classes: &'static str,
    /// How the name of its module or bundle starts; empty when it has none.
    module: &'static str,
}

const fn row(
    artifacts: &'static [&'static str],
    group: &'static str,
    classes: &'static str,
    module: &'static str,
) -> Row {
    Row {
        artifacts,
        group,
        classes,
        module,
    }
}

/// Of rows that fit the first counts. Group and artifact are those of Maven
/// Central.
const ROWS: &[Row] = &[
    row(
        &["spring-boot*"],
        "org.springframework.boot",
        "org/springframework/boot/",
        "spring.boot",
    ),
    row(
        &["spring-security-*"],
        "org.springframework.security",
        "org/springframework/security/",
        "spring.security",
    ),
    row(
        &["spring-session-*"],
        "org.springframework.session",
        "org/springframework/session/",
        "spring.session",
    ),
    row(
        &["spring-integration-*"],
        "org.springframework.integration",
        "org/springframework/integration/",
        "spring.integration",
    ),
    row(
        &["spring-kafka", "spring-kafka-test"],
        "org.springframework.kafka",
        "org/springframework/kafka/",
        "spring.kafka",
    ),
    row(
        &["spring-amqp", "spring-rabbit"],
        "org.springframework.amqp",
        "org/springframework/amqp/",
        "spring.amqp",
    ),
    row(
        &["spring-graphql"],
        "org.springframework.graphql",
        "org/springframework/graphql/",
        "spring.graphql",
    ),
    row(
        &["spring-ldap-core"],
        "org.springframework.ldap",
        "org/springframework/ldap/",
        "spring.ldap",
    ),
    row(
        &[
            "spring-aop",
            "spring-aspects",
            "spring-beans",
            "spring-context",
            "spring-context-indexer",
            "spring-context-support",
            "spring-core",
            "spring-expression",
            "spring-instrument",
            "spring-jcl",
            "spring-jdbc",
            "spring-jms",
            "spring-messaging",
            "spring-orm",
            "spring-oxm",
            "spring-r2dbc",
            "spring-test",
            "spring-tx",
            "spring-web",
            "spring-webflux",
            "spring-webmvc",
            "spring-websocket",
        ],
        "org.springframework",
        "org/springframework/",
        "spring.",
    ),
    row(
        &["tomcat-embed-*"],
        "org.apache.tomcat.embed",
        "org/apache/catalina/",
        "org.apache.tomcat-embed-",
    ),
    row(
        &[
            "tomcat-annotations-api",
            "tomcat-api",
            "tomcat-catalina",
            "tomcat-catalina-ant",
            "tomcat-catalina-ha",
            "tomcat-coyote",
            "tomcat-dbcp",
            "tomcat-el-api",
            "tomcat-jasper",
            "tomcat-jasper-el",
            "tomcat-jaspic-api",
            "tomcat-jdbc",
            "tomcat-jni",
            "tomcat-jsp-api",
            "tomcat-juli",
            "tomcat-servlet-api",
            "tomcat-ssi",
            "tomcat-storeconfig",
            "tomcat-tribes",
            "tomcat-util",
            "tomcat-util-scan",
            "tomcat-websocket",
            "tomcat-websocket-api",
        ],
        "org.apache.tomcat",
        "org/apache/",
        "org.apache.tomcat",
    ),
    row(
        &[
            "kafka-clients",
            "kafka-streams*",
            "kafka-server*",
            "kafka-storage*",
            "kafka-metadata",
            "kafka-raft",
            "kafka-tools",
            "connect-*",
        ],
        "org.apache.kafka",
        "org/apache/kafka/",
        "",
    ),
    row(&["kafka_2*"], "org.apache.kafka", "kafka/", ""),
    row(
        &["okhttp", "okhttp-*", "logging-interceptor", "mockwebserver"],
        "com.squareup.okhttp3",
        "okhttp3/",
        "okhttp3",
    ),
    row(&["okio", "okio-jvm"], "com.squareup.okio", "okio/", "okio"),
    row(
        &["retrofit"],
        "com.squareup.retrofit2",
        "retrofit2/",
        "retrofit2",
    ),
    row(
        &["kotlin-stdlib*", "kotlin-reflect"],
        "org.jetbrains.kotlin",
        "kotlin/",
        "kotlin.",
    ),
    row(
        &["kotlinx-coroutines-*"],
        "org.jetbrains.kotlinx",
        "kotlinx/coroutines/",
        "kotlinx.coroutines",
    ),
    row(
        &["reactor-core"],
        "io.projectreactor",
        "reactor/core/",
        "reactor.core",
    ),
    row(
        &["reactor-netty-*"],
        "io.projectreactor.netty",
        "reactor/netty/",
        "reactor.netty",
    ),
    row(
        &["micrometer-*"],
        "io.micrometer",
        "io/micrometer/",
        "micrometer.",
    ),
    row(
        &["lucene-*"],
        "org.apache.lucene",
        "org/apache/lucene/",
        "org.apache.lucene",
    ),
    row(
        &["solr-core", "solr-solrj"],
        "org.apache.solr",
        "org/apache/solr/",
        "",
    ),
    row(
        &[
            "elasticsearch",
            "elasticsearch-core",
            "elasticsearch-x-content",
        ],
        "org.elasticsearch",
        "org/elasticsearch/",
        "",
    ),
    row(
        &["opensearch", "opensearch-core", "opensearch-x-content"],
        "org.opensearch",
        "org/opensearch/",
        "",
    ),
    row(&["xercesImpl"], "xerces", "org/apache/xerces/", ""),
    row(&["xalan"], "xalan", "org/apache/xalan/", ""),
    row(&["serializer"], "xalan", "org/apache/xml/serializer/", ""),
    row(&["xml-apis"], "xml-apis", "org/w3c/dom/", ""),
    row(
        &[
            "bcprov-*", "bcpkix-*", "bcutil-*", "bcpg-*", "bcmail-*", "bctls-*", "bc-fips",
        ],
        "org.bouncycastle",
        "org/bouncycastle/",
        "org.bouncycastle",
    ),
    row(&["mysql-connector-java"], "mysql", "com/mysql/", ""),
    row(&["mysql-connector-j"], "com.mysql", "com/mysql/", ""),
    row(
        &["mssql-jdbc"],
        "com.microsoft.sqlserver",
        "com/microsoft/sqlserver/",
        "",
    ),
    row(
        &["postgresql"],
        "org.postgresql",
        "org/postgresql/",
        "org.postgresql",
    ),
    row(&["h2"], "com.h2database", "org/h2/", "com.h2database"),
    row(&["hsqldb"], "org.hsqldb", "org/hsqldb/", "org.hsqldb"),
    row(
        &[
            "derby",
            "derbyclient",
            "derbynet",
            "derbytools",
            "derbyshared",
        ],
        "org.apache.derby",
        "org/apache/derby/",
        "",
    ),
    row(&["jdom2"], "org.jdom", "org/jdom2/", ""),
    row(
        &["velocity"],
        "org.apache.velocity",
        "org/apache/velocity/",
        "",
    ),
    row(&["ant"], "org.apache.ant", "org/apache/tools/ant/", ""),
    row(&["ivy"], "org.apache.ivy", "org/apache/ivy/", ""),
    row(
        &["zookeeper"],
        "org.apache.zookeeper",
        "org/apache/zookeeper/",
        "",
    ),
    row(
        &["aspectjweaver", "aspectjrt", "aspectjtools"],
        "org.aspectj",
        "org/aspectj/",
        "org.aspectj",
    ),
    row(
        &["junit-jupiter", "junit-jupiter-*"],
        "org.junit.jupiter",
        "org/junit/jupiter/",
        "org.junit.jupiter",
    ),
    row(
        &["junit-platform-*"],
        "org.junit.platform",
        "org/junit/platform/",
        "org.junit.platform",
    ),
    row(
        &["mockito-core", "mockito-inline", "mockito-junit-jupiter"],
        "org.mockito",
        "org/mockito/",
        "org.mockito",
    ),
    row(
        &["scala-library", "scala-reflect", "scala-compiler"],
        "org.scala-lang",
        "scala/",
        "scala",
    ),
    row(&["akka-*"], "com.typesafe.akka", "akka/", "akka."),
    row(
        &["jna", "jna-platform"],
        "net.java.dev.jna",
        "com/sun/jna/",
        "com.sun.jna",
    ),
    row(&["cglib"], "cglib", "net/sf/cglib/", ""),
    row(
        &["json-path"],
        "com.jayway.jsonpath",
        "com/jayway/jsonpath/",
        "json.path",
    ),
    row(&["quartz"], "org.quartz-scheduler", "org/quartz/", ""),
    row(
        &["freemarker"],
        "org.freemarker",
        "freemarker/",
        "org.freemarker",
    ),
    row(&["rhino"], "org.mozilla", "org/mozilla/", "org.mozilla"),
    row(&["jython-standalone"], "org.python", "org/python/", ""),
    row(&["minio"], "io.minio", "io/minio/", ""),
    row(&["grpc-*"], "io.grpc", "io/grpc/", "io.grpc"),
    row(&["junit"], "junit", "junit/framework/", ""),
    row(&["oro"], "oro", "org/apache/oro/", ""),
    row(&["javax.inject"], "javax.inject", "javax/inject/", ""),
    row(
        &["checker-qual"],
        "org.checkerframework",
        "org/checkerframework/",
        "org.checkerframework",
    ),
];

/// Artifacts that changed their group: the first version of the second one.
const MOVED: &[(&str, &str, u32, &str, &str)] = &[
    (
        "groovy",
        "org.codehaus.groovy",
        4,
        "org.apache.groovy",
        "org/codehaus/groovy/",
    ),
    (
        "groovy-",
        "org.codehaus.groovy",
        4,
        "org.apache.groovy",
        "groovy/",
    ),
    ("asm", "asm", 4, "org.ow2.asm", "org/objectweb/asm/"),
    ("asm-", "asm", 4, "org.ow2.asm", "org/objectweb/asm/"),
    ("dom4j", "dom4j", 2, "org.dom4j", "org/dom4j/"),
    (
        "hibernate-core",
        "org.hibernate",
        6,
        "org.hibernate.orm",
        "org/hibernate/",
    ),
];

/// Artifacts of Apache Commons, without `commons-`, whose group is their own
/// name and whose classes lie below `org/apache/commons/` under it.
const COMMONS: &[&str] = &[
    "beanutils",
    "cli",
    "codec",
    "collections",
    "dbcp",
    "digester",
    "discovery",
    "el",
    "fileupload",
    "httpclient",
    "io",
    "jxpath",
    "lang",
    "logging",
    "net",
    "pool",
    "validator",
];

/// The group of an artifact, when the archive proves it: `has_classes` says
/// whether there are classes below a folder, `modules` what it calls itself.
pub(super) fn known(
    artifact: &str,
    version: &str,
    has_classes: impl Fn(&str) -> bool,
    modules: &[&str],
) -> Option<String> {
    if let Some(name) = artifact.strip_prefix("commons-")
        && COMMONS.contains(&name)
        && has_classes(&format!("org/apache/commons/{name}/"))
    {
        return Some(artifact.to_owned());
    }
    for (name, before, first, after, classes) in MOVED {
        let is_one = artifact == *name || (name.ends_with('-') && artifact.starts_with(name));
        if is_one && has_classes(classes) {
            let major = version.split('.').next().unwrap_or_default();
            let major: u32 = major.parse().ok()?;
            let group = if major < *first { before } else { after };
            return Some((*group).to_owned());
        }
    }
    let is_named = |row: &Row| {
        row.artifacts
            .iter()
            .any(|name| match name.strip_suffix('*') {
                Some(start) => artifact.starts_with(start),
                None => artifact == *name,
            })
    };
    let is_proven = |row: &Row| {
        let has_name = |name: &&str| !row.module.is_empty() && name.starts_with(row.module);
        has_classes(row.classes) || modules.iter().any(has_name)
    };
    let found = ROWS.iter().find(|row| is_named(row) && is_proven(row));
    found.map(|row| row.group.to_owned())
}
