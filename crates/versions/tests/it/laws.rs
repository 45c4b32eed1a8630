//! The laws of total orders, over all strings.

use std::cmp::Ordering;

use proptest::prelude::*;
use seawall_versions::{Scheme, all};

/// Strings near the versions of each scheme, and near those of others.
const SHAPES: [&str; 14] = [
    // dpkg, rpm
    "([0-2]:)?[0-9]{1,2}(\\.[0-9]{1,2}|[~^+a-c.]){0,4}(-[0-9a-c~^.]{1,3})?",
    // apk
    "[0-9]{1,2}(\\.[0-9]{1,3}){0,3}[a-c]?(_(alpha|beta|pre|rc|cvs|svn|git|hg|p)[0-9]?){0,2}(~[0-9a-f]{1,2})?(-r[0-9])?",
    // semver and its kin
    "v?[0-2](\\.[0-2]){0,3}(-[0-1a-bA-B.-]{1,4})?(\\+[0-1a-b.]{1,3})?",
    // go
    "(v|go)?1\\.(20|21|22)(\\.[0-2]|rc[0-2]|beta1|-rc\\.[0-2]|\\.0-0|\\.0-rc\\.[0-2])?( X:a)?",
    // pep440
    "([0-1]!)?[0-2](\\.[0-2]){0,3}([-_.]?(a|b|rc|c|alpha|pre)[-_.]?[0-2]?)?(-[0-2]|[-_.]?(post|r)[0-2]?)?(\\.?dev[0-2]?)?(\\+[0-2a-b.]{1,4})?",
    // rubygems
    "[0-2](\\.[0-2]|\\.?[a-b]|-[a-b0-1]){0,5}",
    // maven
    "[0-2]?([.-]?([0-2]|alpha|a|rc|ga|final|sp|x|SNAPSHOT)){0,5}",
    // packagist
    "v?[0-2](\\.([0-2]|x)){0,4}([._-]?(dev|alpha|beta|b|RC|p|stable)[.-]?[0-2]?){0,2}",
    "(dev-[a-b]|master|20[0-2]{2}([.-]?0[1-2]){1,3})([-.]?(dev|rc1))?",
    // cran, hackage
    "[0-2]([.-][0-2]){0,4}(-rc[0-2])?",
    // conan
    "[0-2a-b]{1,2}(\\.[0-2a-b]{0,2}){0,3}(-[0-2a-b.]{0,3})?(\\+[0-2a-b.]{0,3})?",
    // anything near a version
    "[0-9a-cA-C.~^+_:! @*-]{0,8}",
    // long numbers
    "[0-9]{15,40}(\\.[0-9]{15,40})?",
    // anything at all
    ".{0,8}",
];

fn text() -> impl Strategy<Value = String> {
    proptest::sample::select(SHAPES.to_vec()).prop_flat_map(|shape| shape)
}

/// Three of one shape, so that they come close to each other.
fn three() -> impl Strategy<Value = [String; 3]> {
    let alike =
        proptest::sample::select(SHAPES.to_vec()).prop_flat_map(|shape| [shape, shape, shape]);
    prop_oneof![4 => alike, 1 => [text(), text(), text()]]
}

fn check(scheme: &Scheme, [a, b, c]: [&str; 3]) -> Result<(), TestCaseError> {
    let (name, compare) = (scheme.name, scheme.compare);
    prop_assert_eq!(
        compare(a, a),
        Ordering::Equal,
        "{}: `{}` and itself",
        name,
        a
    );
    prop_assert_eq!(
        compare(a, b),
        compare(b, a).reverse(),
        "{}: `{}`, `{}`",
        name,
        a,
        b
    );
    let orders = (compare(a, b), compare(b, c), compare(a, c));
    // Less or equal twice must not come out as greater, and equal twice is
    // equal; all else is one of these with other names.
    let holds = match orders {
        (Ordering::Equal, second, third) => second == third,
        (first, Ordering::Equal, third) => first == third,
        (first, second, third) => first != second || first == third,
    };
    prop_assert!(holds, "{}: `{}`, `{}`, `{}`: {:?}", name, a, b, c, orders);
    let valid = [a, b].map(scheme.is_valid);
    // apk orders by what stands before the first token that makes no sense.
    if valid[0] != valid[1] && name != "apk" {
        prop_assert_eq!(
            compare(a, b),
            valid[0].cmp(&valid[1]),
            "{}: `{}`, `{}`",
            name,
            a,
            b
        );
    }
    Ok(())
}

/// `PROPTEST_CASES` asks for more or fewer cases.
fn config() -> ProptestConfig {
    let default = ProptestConfig::default();
    let cases = std::env::var_os("PROPTEST_CASES").map_or(4_000, |_| default.cases);
    ProptestConfig {
        cases,
        failure_persistence: None,
        ..default
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn every_order_is_total(texts in three()) {
        let [a, b, c] = &texts;
        for scheme in all() {
            check(scheme, [a, b, c])?;
        }
    }

    #[test]
    fn names_stay_normal(name in ".{0,12}") {
        for scheme in all() {
            let once = (scheme.normalise_name)(&name).into_owned();
            prop_assert_eq!(&(scheme.normalise_name)(&once), &once, "{}", scheme.name);
        }
    }

    #[test]
    fn ranges_never_panic(range in "[0-9vx.<>=~^|* +-]{0,14}|.{0,10}", version in text()) {
        let _ = seawall_versions::npm::satisfies(&version, &range);
    }
}

/// A hostile version is as long as its file allows: time must be linear.
#[test]
fn long_versions_are_compared_in_time() {
    let start = std::time::Instant::now();
    for part in [
        "0.", "0-", "1a", "a1", "-", ".", "~", "^", "_p1", "_rc", "9", "x.", "+", ":",
    ] {
        let long = part.repeat(200_000);
        let (a, b) = (format!("1{long}"), format!("1{long}1"));
        for scheme in all() {
            (scheme.compare)(&a, &b);
        }
    }
    // A second or so even unoptimised; a quadratic order takes minutes.
    assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
}
