//! What a base is called, by the steps that made it.

use seawall_image::HistoryStep;
use seawall_model::Os;

use crate::step;

/// Variables that images of one kind set to their version (the Dockerfiles of
/// Docker's official images and of their vendors), and the image's name.
const BY_VARIABLE: &[(&str, &str)] = &[
    ("ASPNET_VERSION", "mcr.microsoft.com/dotnet/aspnet"),
    ("BUN_VERSION", "oven/bun"),
    ("CADDY_VERSION", "caddy"),
    ("CASSANDRA_VERSION", "cassandra"),
    ("COUCHDB_VERSION", "couchdb"),
    ("DENO_VERSION", "denoland/deno"),
    ("DOTNET_SDK_VERSION", "mcr.microsoft.com/dotnet/sdk"),
    ("DOTNET_VERSION", "mcr.microsoft.com/dotnet/runtime"),
    ("DRUPAL_VERSION", "drupal"),
    ("ELIXIR_VERSION", "elixir"),
    ("FLINK_VERSION", "flink"),
    ("GHOST_VERSION", "ghost"),
    ("GOLANG_VERSION", "golang"),
    ("GRADLE_VERSION", "gradle"),
    ("HAPROXY_VERSION", "haproxy"),
    ("HTTPD_VERSION", "httpd"),
    ("JAVA_VERSION", "java"),
    ("JETTY_VERSION", "jetty"),
    ("JOOMLA_VERSION", "joomla"),
    ("JULIA_VERSION", "julia"),
    ("KONG_VERSION", "kong"),
    ("MARIADB_VERSION", "mariadb"),
    ("MAVEN_VERSION", "maven"),
    ("MEMCACHED_VERSION", "memcached"),
    ("MONGO_VERSION", "mongo"),
    ("MYSQL_VERSION", "mysql"),
    ("NATS_SERVER", "nats"),
    ("NGINX_VERSION", "nginx"),
    ("NODE_VERSION", "node"),
    ("OTP_VERSION", "erlang"),
    ("PG_VERSION", "postgres"),
    ("PHP_VERSION", "php"),
    ("PYPY_VERSION", "pypy"),
    ("PYTHON_VERSION", "python"),
    ("R_BASE_VERSION", "r-base"),
    ("RABBITMQ_VERSION", "rabbitmq"),
    ("REDIS_VERSION", "redis"),
    ("RUBY_VERSION", "ruby"),
    ("RUST_VERSION", "rust"),
    ("SOLR_VERSION", "solr"),
    ("SWIFT_VERSION", "swift"),
    ("TOMCAT_VERSION", "tomcat"),
    ("VALKEY_VERSION", "valkey/valkey"),
    ("WORDPRESS_VERSION", "wordpress"),
    ("ZOOKEEPER_VERSION", "zookeeper"),
];

/// The name with tag that the steps of a base give away. What comes last wins:
/// an image of Tomcat has Java's variable too.
pub(crate) fn by_steps(steps: &[HistoryStep], os: Option<&Os>) -> Option<String> {
    let suffix = os.filter(|os| os.id == "alpine").map_or("", |_| "-alpine");
    let by_variable = steps.iter().rev().find_map(|one| {
        let step = step::parse(&one.created_by);
        if step.word != "ENV" {
            return None;
        }
        let (name, value) = variable(step.rest)?;
        let (_, image) = BY_VARIABLE.iter().find(|(own, _)| *own == name)?;
        Some(format!("{}:{}{suffix}", image_of(image, value), tag(value)))
    });
    by_variable.or_else(|| steps.iter().rev().find_map(|one| by_root(one, os)))
}

/// `NAME=value` or `NAME value`, perhaps the first of several.
fn variable(rest: &str) -> Option<(&str, &str)> {
    let (name, value) = rest.split_once(['=', ' '])?;
    let value = value.split_whitespace().next()?;
    Some((name, value.trim_matches(['"', '\''])))
}

/// Java's two families of images set the same variable.
fn image_of<'a>(image: &'a str, value: &str) -> &'a str {
    match image {
        "java" if value.starts_with("jdk") => "eclipse-temurin",
        "java" => "openjdk",
        other => other,
    }
}

/// A version as tags write it: `jdk-17.0.9+9` is `17.0.9_9`, Debian's revisions
/// are left out.
fn tag(value: &str) -> String {
    let value = value.trim_start_matches("jdk-").trim_start_matches("jdk");
    let value = value.split(['-', '~']).next().unwrap_or(value);
    value.replace('+', "_")
}

/// The step that lays down a distribution.
fn by_root(one: &HistoryStep, os: Option<&Os>) -> Option<String> {
    let text = one.created_by.as_str();
    // `# debian.sh --arch 'amd64' out/ 'bookworm' '@1733097600'`
    if text.contains("debian.sh") {
        let mut words = text.split('\'').skip(1).step_by(2);
        let suite = words.find(|word| {
            !word.starts_with('@') && !matches!(*word, "amd64" | "arm64" | "i386" | "armhf")
        })?;
        return Some(format!("debian:{suite}"));
    }
    // `ADD alpine-minirootfs-3.20.3-x86_64.tar.gz / # buildkit`
    if let Some((_, rest)) = text.split_once("alpine-minirootfs-") {
        return Some(format!("alpine:{}", rest.split('-').next()?));
    }
    if text.starts_with("bazel build") {
        return Some("gcr.io/distroless".to_owned());
    }
    let step = step::parse(text);
    if step.word == "LABEL" && os.is_some_and(|os| os.id == "ubuntu") {
        let (name, value) = variable(step.rest)?;
        // Ubuntu's images name themselves by two labels of this kind; the
        // release is the distribution's. Elsewhere it is the application's.
        return (name == "org.opencontainers.image.version").then(|| format!("ubuntu:{value}"));
    }
    None
}

/// `debian:12`.
pub(crate) fn by_distribution(os: &Os) -> String {
    if os.version.is_empty() {
        os.id.clone()
    } else {
        format!("{}:{}", os.id, os.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(steps: &[&str], os: Option<&str>) -> Option<String> {
        let steps: Vec<HistoryStep> = steps
            .iter()
            .map(|step| HistoryStep {
                created_by: (*step).to_owned(),
                comment: String::new(),
                author: String::new(),
                empty_layer: false,
            })
            .collect();
        let os = os.map(|id| Os {
            id: id.to_owned(),
            version: "3.20.3".to_owned(),
            name: String::new(),
            codename: None,
            like: Vec::new(),
        });
        by_steps(&steps, os.as_ref())
    }

    #[test]
    fn names_of_real_histories() {
        let debian = "# debian.sh --arch 'amd64' out/ 'bookworm' '@1733097600'";
        assert_eq!(name(&[debian], None).unwrap(), "debian:bookworm");
        let python = "ENV PYTHON_VERSION=3.12.8";
        assert_eq!(name(&[debian, python], None).unwrap(), "python:3.12.8");
        assert_eq!(
            name(&[python], Some("alpine")).unwrap(),
            "python:3.12.8-alpine"
        );
        let alpine = "ADD alpine-minirootfs-3.20.3-x86_64.tar.gz / # buildkit";
        assert_eq!(name(&[alpine], Some("alpine")).unwrap(), "alpine:3.20.3");
        let java = "/bin/sh -c #(nop)  ENV JAVA_VERSION=jdk-17.0.9+9";
        assert_eq!(name(&[java], None).unwrap(), "eclipse-temurin:17.0.9_9");
        let tomcat = "ENV TOMCAT_VERSION=10.1.16";
        assert_eq!(name(&[java, tomcat], None).unwrap(), "tomcat:10.1.16");
        let label = "/bin/sh -c #(nop)  LABEL org.opencontainers.image.version=22.04";
        assert_eq!(name(&[label], Some("ubuntu")).unwrap(), "ubuntu:22.04");
        assert_eq!(name(&[label], Some("wolfi")), None);
        assert_eq!(name(&["RUN /bin/sh -c true # buildkit"], None), None);
    }
}
