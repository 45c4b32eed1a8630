//! Project files of .NET with the versions that stand in the files above them.

use super::{data, file, names};
use crate::support::{gaps, project, write};

#[test]
fn versions_come_from_the_files_above() {
    let inventory = project(&data("msbuild"));
    let rows: Vec<String> = inventory
        .packages
        .iter()
        .map(|one| {
            let line = one.origin.range.unwrap().start.line;
            let development = if one.relation.development {
                " development"
            } else {
                ""
            };
            format!(
                "{} {} {}:{line}{development}",
                one.name, one.version, one.origin.path
            )
        })
        .collect();
    assert_eq!(
        rows,
        [
            "CsvHelper 30.0.1 src/App/App.csproj:13",
            "Dapper  Directory.Packages.props:12",
            "Floating  src/App/App.csproj:11",
            "NLog 5.0.0 src/Locked/packages.lock.json:5",
            "Nerdbank.GitVersioning 3.6.133 Directory.Packages.props:15 development",
            "Nowhere  src/App/App.csproj:10",
            "Polly 7.2.4 Directory.Packages.props:9",
            "Polly 8.0.0 src/App/App.csproj:8",
            // One line is put together of two: it is where the version is written.
            "Serilog 3.0.1 Directory.Packages.props:8",
            "StyleCop.Analyzers 1.1.118 Directory.Build.props:8 development",
            "newtonsoft.json 13.0.1 Directory.Packages.props:7",
            "xunit 2.5.0 Directory.Build.props:3",
        ]
    );
    assert_eq!(
        gaps(&inventory),
        [
            "missing src/App/App.csproj: nothing gives `Dapper`, `Floating`, `Nowhere` a single version"
        ]
    );
}

#[test]
fn a_central_file_alone_stands_for_itself() {
    let text = std::fs::read_to_string(data("msbuild").join("Directory.Packages.props")).unwrap();
    let inventory = file("Directory.Packages.props", text);
    assert_eq!(
        names(&inventory),
        [
            "Dapper ",
            "Newtonsoft.Json 13.0.1",
            "Polly 7.2.4",
            "Serilog 3.0.1",
            "Unused 1.0.0",
            "xunit "
        ]
    );
    assert_eq!(
        gaps(&inventory),
        ["missing Directory.Packages.props: nothing gives `Dapper`, `xunit` a single version"]
    );
}

#[test]
fn properties_that_lead_back_come_to_an_end() {
    let reference = "<ItemGroup><PackageReference Include='x' Version='$(a)'/>\
        <PackageReference Include='good' Version='1.0.0'/></ItemGroup>";
    let doubled: String = (0..40)
        .map(|at| format!("<p{at}>$(p{0})$(p{0})</p{at}>", at + 1))
        .collect();
    for properties in [
        "<a>$(b)</a><b>$(a)</b>".to_owned(),
        "<a>$(a)</a>".to_owned(),
        "<a>$(</a>".to_owned(),
        format!("<a>$(p0)</a>{doubled}"),
    ] {
        let text =
            format!("<Project><PropertyGroup>{properties}</PropertyGroup>{reference}</Project>");
        let inventory = file("a.csproj", text);
        assert_eq!(names(&inventory), ["good 1.0.0", "x "]);
        assert_eq!(
            gaps(&inventory),
            ["missing a.csproj: nothing gives `x` a single version"]
        );
    }
}

#[test]
fn damaged_project_files_are_said() {
    let root = tempfile::tempdir().unwrap();
    write(
        root.path(),
        "a.csproj",
        "<Project><ItemGroup><PackageReference Include='a' Version='1'/><PackageReference Version='2'/>",
    );
    write(root.path(), "b.vbproj", "nothing");
    let inventory = project(root.path());
    assert_eq!(names(&inventory), ["a 1"]);
    assert_eq!(
        gaps(&inventory),
        [
            "damaged a.csproj: a package has no name (line 1, column 64)",
            "damaged a.csproj: it ends within `ItemGroup`: it may have been cut off (line 1, column 95)",
            "damaged b.vbproj: it is no `Project` in XML",
        ]
    );
}
