//! gradle/verification-metadata.xml (Gradle, "Verifying dependencies"): every
//! module that a build has ever fetched, with its digests.

use seawall_model::{Hash, HashAlgorithm};

use crate::{
    declared::{Declarations, Declared, lock_file},
    xml::{Element, Tree},
};

lock_file!(
    "verification-metadata",
    "maven",
    [Interest::Name("verification-metadata.xml")],
    parse
);

fn parse(text: &str, out: &mut Declarations<'_>) -> Result<(), String> {
    let tree = Tree::read(text, "verification-metadata", out)?;
    let components = tree.root().and_then(|root| root.child("components"));
    let components = components.into_iter().flat_map(Element::children);
    for one in components.filter(|one| one.name() == "component") {
        read(one, out);
    }
    Ok(())
}

fn read(component: Element<'_, '_>, out: &mut Declarations<'_>) {
    let text = |name| component.attribute(name).unwrap_or_default();
    let (group, name, version) = (text("group"), text("name"), text("version"));
    if [group, name, version]
        .iter()
        .any(|part| part.value.is_empty())
    {
        out.problem(component.start(), "a component has no name or no version");
        return;
    }
    // What is there with its description alone was read, not used.
    let is_code = |artifact: &Element<'_, '_>| {
        let name = artifact.attribute("name").unwrap_or_default().value;
        artifact.name() == "artifact" && !name.ends_with(".pom") && !name.ends_with(".module")
    };
    let mut artifacts = component.children().filter(is_code).peekable();
    if artifacts.peek().is_none() {
        return;
    }
    let jar = format!("{}-{}.jar", name.value, version.value);
    let jar = artifacts.find(|one| {
        let name = one.attribute("name");
        name.is_some_and(|name| name.value == jar)
    });
    let hashes = jar
        .into_iter()
        .flat_map(Element::children)
        .filter_map(|digest| {
            let algorithm = HashAlgorithm::ALL
                .into_iter()
                .find(|one| one.as_str() == digest.name())?;
            Hash::new(algorithm, digest.attribute("value")?.value)
        });
    out.push(&Declared {
        name: &format!("{}:{}", group.value, name.value),
        version: version.value,
        span: version.span,
        hashes: hashes.collect(),
        ..Declared::default()
    });
}
