//! Small packages in a temporary folder, and what is printed for them.

use super::*;

/// Checks a package of these files below `src/`: the number of errors, and the output.
fn checked(files: &[(&str, &str)], detail: Detail) -> (usize, String) {
    let folder = tempfile::tempdir().unwrap();
    let src = folder.path().join("p").join("src");
    for (file, text) in files {
        let path = src.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let roots: Vec<_> =
        ["lib.rs", "main.rs"].iter().map(|file| src.join(file)).filter(|path| path.is_file()).collect();
    let package = Package {
        name: "p".to_owned(),
        folder: "p".to_owned(),
        roots,
        library: Some("p".to_owned()),
        uses: Vec::new(),
    };
    let mut out = Vec::new();
    let errors = check(&package, folder.path(), detail, &mut out).unwrap();
    (errors, String::from_utf8(out).unwrap())
}

fn graph_of(files: &[(&str, &str)]) -> String {
    checked(files, Detail::Graphs).1
}

#[test]
fn a_package_without_a_cycle_passes_and_its_graph_is_printed() {
    let (errors, out) = checked(
        &[
            ("lib.rs", "mod a; mod b; mod c; pub use a::A;"),
            ("a.rs", "use crate::{b::B as Renamed, c}; pub struct A(Renamed, c::C);"),
            ("b.rs", "pub struct B(super::c::C);"),
            ("c.rs", "pub struct C(std::cell::Cell<u8>);"),
        ],
        Detail::Graphs,
    );
    assert_eq!(errors, 0);
    assert_eq!(out, "p (p/src)\n  a       b, c\n  b       c\n  c       -\n  lib.rs  a\n\n");
}

#[test]
fn a_cycle_across_modules_is_an_error_that_shows_its_path() {
    let files = [
        ("lib.rs", "mod a; mod b; mod c;"),
        ("a.rs", "use crate::b::B; pub struct A(B);"),
        ("b.rs", "pub struct B; pub fn f() { crate::c::f(); }"),
        ("c/mod.rs", "mod inner; pub fn f() { inner::f(); }"),
        ("c/inner.rs", "pub fn f() { let _ = super::super::a::A; }"),
    ];
    let (errors, out) = checked(&files, Detail::Errors);
    assert_eq!(errors, 1);
    assert_eq!(
        out,
        "error: a cycle across modules in p/src/: a -> b -> c -> a\n    a.rs uses crate::b::B\n    b.rs uses \
         crate::c::f\n    c/inner.rs uses super::super::a::A\n"
    );
    assert_eq!(checked(&files, Detail::Errors).1, out, "the output is stable");
}

#[test]
fn a_re_export_does_not_hide_a_use() {
    let (errors, out) = checked(
        &[
            ("lib.rs", "mod a; mod b; pub use crate::b::B; pub use a::facade::*;"),
            ("a.rs", "pub mod facade { pub use crate::a::inner::A; } mod inner { pub struct A(crate::B); }"),
            ("b.rs", "pub struct B(crate::A);"),
        ],
        Detail::Errors,
    );
    assert_eq!(errors, 1, "{out}");
    assert!(out.contains("a -> b -> a"), "{out}");
}

#[test]
fn a_module_that_re_exports_is_used_as_well_as_the_one_that_defines() {
    let out = graph_of(&[
        ("lib.rs", "mod a; mod b; mod c;"),
        ("a.rs", "use crate::b::C;"),
        ("b.rs", "pub use crate::c::C;"),
        ("c.rs", "pub struct C;"),
    ]);
    assert!(out.contains("  a       b, c\n"), "{out}");
}

#[test]
fn code_that_only_tests_compile_is_left_out() {
    let (errors, out) = checked(
        &[
            ("lib.rs", "mod a; mod b; #[cfg(test)] mod testing;"),
            ("a.rs", "use crate::b::B; pub struct A(B);"),
            (
                "b.rs",
                "pub struct B; #[cfg(test)] use crate::a::A; #[cfg(all(test, unix))] fn f(_: A) {} \
                 impl B { #[cfg(test)] fn g(_: crate::a::A) {} } #[cfg(test)] mod tests { use crate::a::A; }",
            ),
        ],
        Detail::Graphs,
    );
    assert_eq!(errors, 0, "{out}");
    assert!(out.contains("  b       -\n"), "{out}");
}

#[test]
fn code_that_tests_compile_too_is_not_left_out() {
    let out = graph_of(&[
        ("lib.rs", "mod a; mod b; mod c;"),
        ("a.rs", "#[cfg(not(test))] use crate::b::B; #[cfg(any(test, unix))] use crate::c::C;"),
        ("b.rs", "pub struct B;"),
        ("c.rs", "pub struct C;"),
    ]);
    assert!(out.contains("  a       b, c\n"), "{out}");
}

#[test]
fn a_path_in_a_macro_or_an_attribute_is_a_use_and_one_in_a_quotation_is_not() {
    let out = graph_of(&[
        ("lib.rs", "#[macro_use] mod m; mod a; mod b; mod c; mod d;"),
        ("a.rs", "fn f() { assert!(crate::b::f(), \"{}\", 1); say!(); }"),
        ("b.rs", "pub fn f() -> bool { let _ = quote! { crate::a::X }; true }"),
        ("c.rs", "struct S { #[serde(with = \"crate::d\")] x: u8 }"),
        ("d.rs", "pub(super) fn serialize() {}"),
        ("m.rs", "macro_rules! say { () => { $crate::d::serialize() } }"),
    ]);
    for line in ["  a       b, m\n", "  b       -\n", "  c       d\n", "  d       -\n", "  m       d\n"] {
        assert!(out.contains(line), "{line}{out}");
    }
}

#[test]
fn an_exported_macro_belongs_to_the_module_that_defines_it() {
    let (errors, out) = checked(
        &[
            ("lib.rs", "mod m; mod a; pub use a::A;"),
            ("m.rs", "#[macro_export] macro_rules! say { () => {} }"),
            ("a.rs", "pub struct A; fn f() { crate::say!(); }"),
        ],
        Detail::Graphs,
    );
    assert_eq!(errors, 0, "{out}");
    assert!(out.contains("  a       m\n"), "{out}");
}

#[test]
fn a_program_uses_the_library_of_its_package() {
    let out = graph_of(&[
        ("lib.rs", "pub mod a; pub use a::A;"),
        ("a.rs", "pub struct A;"),
        ("main.rs", "fn main() { let _ = p::A; }"),
    ]);
    assert!(out.contains("  main.rs  a\n"), "{out}");
}

#[test]
fn another_crate_with_the_name_of_a_module_is_no_use_of_the_module() {
    let out = graph_of(&[
        ("lib.rs", "mod http; mod a;"),
        ("http.rs", "pub struct Method;"),
        ("a.rs", "use http::Method; use ::http::Method as Other;"),
    ]);
    assert!(out.contains("  a       -\n"), "{out}");
}

#[test]
fn a_cycle_of_sub_folders_is_an_error_and_one_of_files_is_a_note() {
    let files = [
        ("lib.rs", "mod a;"),
        ("a.rs", "mod x; mod y; mod z; pub struct Shared;"),
        ("a/x.rs", "use super::{Shared, z::Z}; pub struct X;"),
        ("a/y.rs", "mod y1; pub struct Y;"),
        ("a/y/y1.rs", "pub struct Y1;"),
        ("a/z.rs", "use super::x::X; pub struct Z;"),
    ];
    let (errors, out) = checked(&files, Detail::Graphs);
    assert_eq!(errors, 0, "{out}");
    assert!(out.contains("note: a cycle of files in p/src/a/: x -> z -> x"), "{out}");
    assert_eq!(checked(&files, Detail::Errors).1, "");

    let mut files = files;
    files[4].1 = "pub struct Y1(crate::a::x::X);";
    files[5].1 = "use super::y::Y; pub struct Z(Y);";
    let (errors, out) = checked(&files, Detail::Errors);
    assert_eq!(errors, 1, "{out}");
    assert!(out.contains("error: a cycle across modules in p/src/a/: x -> z -> y -> x"), "{out}");
}

#[test]
fn a_sub_folder_may_use_what_its_folder_shares() {
    let (errors, out) = checked(
        &[
            ("lib.rs", "mod a;"),
            ("a.rs", "mod x; pub struct Shared; pub fn f() { x::f(); }"),
            ("a/x.rs", "mod inner; pub fn f() {}"),
            ("a/x/inner.rs", "use crate::a::Shared;"),
        ],
        Detail::Errors,
    );
    assert_eq!((errors, out.as_str()), (0, ""));
}

#[test]
fn a_package_may_only_use_those_in_its_row() {
    let package = |folder: &str, uses: &[&str]| Package {
        name: folder.to_owned(),
        folder: folder.to_owned(),
        roots: Vec::new(),
        library: None,
        uses: uses.iter().map(|folder| (*folder).to_owned()).collect(),
    };
    assert!(packages::violations(&[package("conformance", &["conformance/sandbox", "openapi"])]).is_empty());
    assert_eq!(
        packages::violations(&[
            package("conformance/sandbox", &["conformance"]),
            package("extra", &[]),
            package("sdk", &["openapi"]),
        ]),
        [
            "conformance/sandbox depends on conformance; it may depend on openapi",
            "extra is not in the table of allowed dependencies (xtask/src/layers/packages.rs)",
            "sdk depends on openapi; it may depend on no other package",
        ]
    );
}

#[test]
fn the_packages_of_this_workspace_depend_on_each_other_as_allowed() {
    let packages = packages::of_workspace(&crate::repository::root()).unwrap();
    assert!(packages.iter().any(|package| package.folder == "xtask" && package.uses == ["openapi"]));
    assert_eq!(packages::violations(&packages), Vec::<String>::new());
}
