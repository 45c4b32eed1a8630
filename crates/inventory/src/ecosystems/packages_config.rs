//! packages.config (NuGet, "packages.config reference").

use crate::{
    declared::{Declarations, Declared, lock_file},
    xml::{Element, Tree},
};

lock_file!(
    "packages-config",
    "nuget",
    [Interest::Name("packages.config")],
    parse
);

fn parse(text: &str, out: &mut Declarations<'_>) -> Result<(), String> {
    let tree = Tree::read(text, "packages", out)?;
    let packages = tree.root().into_iter().flat_map(Element::children);
    for one in packages.filter(|one| one.name() == "package") {
        let text = |name| one.attribute(name).unwrap_or_default();
        let (name, version) = (text("id"), text("version"));
        if name.value.is_empty() || version.value.is_empty() {
            out.problem(one.start(), "a package has no name or no version");
            continue;
        }
        // What packages need is listed beside what the project asks for.
        out.push(&Declared {
            name: name.value,
            version: version.value,
            development: text("developmentDependency")
                .value
                .eq_ignore_ascii_case("true"),
            span: version.span,
            ..Declared::default()
        });
    }
    Ok(())
}
