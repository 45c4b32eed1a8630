//! `cvss.csv` with the columns `cve`, `container` (`cna` or `adp`) and `vector`:
//! vectors taken out of CVE records.

use std::io::Read;

use super::{
    cvss::{Source, Vectors},
    is_cve, text,
};

pub(super) fn read(
    vectors: &mut Vectors,
    input: impl Read,
    name: &str,
    refused: &mut Vec<String>,
) -> Result<(), String> {
    let columns = ["cve", "container", "vector"];
    text::read(
        input,
        name,
        columns,
        refused,
        |_| (),
        |[cve, container, vector]| {
            if !is_cve(cve) {
                return Err(format!("`{cve}` is no CVE"));
            }
            let source = match container {
                "cna" => Source::Cna,
                "adp" => Source::Adp,
                "nvd" => Source::Nvd,
                other => return Err(format!("`{other}` is none of `cna`, `adp` and `nvd`")),
            };
            match vectors.add(cve, source, vector) {
                true => Ok(()),
                false => Err(format!("`{vector}` is no CVSS vector")),
            }
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::cvss::found;

    #[test]
    fn lines_become_vectors_and_bad_ones_are_named() {
        let text = "cve,container,vector,base_score\n\
            CVE-2021-1234,adp,CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H,9.8\n\
            CVE-2021-1234,cna,CVSS:3.1/AV:L/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H,8.4\n\
            CVE-2021-1234,cna,CVSS:3.1/AV:L,8.4\nCVE-2021-1235,me,AV:N/AC:L/Au:N/C:C/I:C/A:C,10\n";
        let (mut vectors, mut refused) = (Vectors::default(), Vec::new());
        read(&mut vectors, text.as_bytes(), "cvss.csv", &mut refused).unwrap();
        assert_eq!(
            refused,
            [
                "cvss.csv:4: `CVSS:3.1/AV:L` is no CVSS vector",
                "cvss.csv:5: `me` is none of `cna`, `adp` and `nvd`",
            ]
        );
        let found = found(vectors, "CVE-2021-1234");
        let sources: Vec<&str> = found.iter().map(|(source, _)| source.as_str()).collect();
        assert_eq!(sources, ["cve:cna", "cve:adp"]);
    }
}
