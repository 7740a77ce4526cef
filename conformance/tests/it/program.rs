//! The program itself, as a shell runs it: exit statuses, one clear line for what is wrong, and what goes where.

use std::process::{Command, Output};

use crate::served::{Served, program};

fn output(arguments: &[&str]) -> Output {
    program(arguments).output().unwrap()
}

fn texts(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(&output.stdout), text(&output.stderr))
}

#[test]
fn the_main_job_judges_five_vendors_conformant() {
    let output = output(&["check", "--seed", "42"]);
    let (out, err) = texts(&output);
    assert_eq!(output.status.code(), Some(0), "{out}{err}");
    for name in ["Zeckta", "Kaleyra", "DailyStory", "Exotel ExoVerify", "D7 Networks"] {
        let line = out.lines().find(|line| line.starts_with(name)).unwrap();
        assert!(line.ends_with("  conformant"), "{line}");
    }
    assert!(out.lines().last().unwrap().starts_with("conformant: "));
    assert!(out.lines().last().unwrap().ends_with("seed 42"));
    assert!(!out.contains('\u{1b}'), "no colour where there is no terminal");
    assert!(err.starts_with("checking "), "{err}");
}

#[test]
fn a_fault_exits_1_and_names_the_check() {
    let output = output(&["check", "exotel", "--fault", "no-expiry", "--seed", "1"]);
    let (out, _) = texts(&output);
    assert_eq!(output.status.code(), Some(1));
    assert!(out.contains("\nFAIL exotel/matrix/expired: "), "{out}");
    assert!(
        out.contains("  says      Exotel ExoVerify API reference, \"Verify OTP\": Error Codes\n"),
        "{out}"
    );
    assert!(out.contains("curl -sS -i -X POST "), "{out}");
    assert!(out.lines().last().unwrap().starts_with("nonconformant: "));
}

#[test]
fn what_is_wrong_is_said_in_one_line_with_the_right_status() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let config = path("config.toml", "seed = \"many\"\n");
    let option = path("option.toml", "sead = 1\n");
    let contract = path("contract.yaml", "openapi: 3.0.3\n");
    let unwritable = format!("json={}/no/such/folder", folder.path().display());
    let cases: &[(&[&str], i32, &str)] = &[
        (&["check", "acme"], 2, "no vendor `acme` is known; known are zeckta"),
        (&["serve", "acme"], 2, "no vendor `acme` is known"),
        (&["matrix", "acme"], 2, "no vendor `acme` is known"),
        (&["check", "--target", "http://127.0.0.1:1"], 3, "target http://127.0.0.1:1 cannot be reached: "),
        (&["check", "--target", "127.0.0.1:1"], 2, "--target: not a URL such as http://"),
        (
            &["check", "--target", "http://u:p@127.0.0.1:1"],
            2,
            "--target: credentials do not belong into a URL",
        ),
        (&["check", "--control", "http://127.0.0.1:1"], 2, "--control: needs a --target"),
        (&["check", "--only", "zeckta/nothing/*"], 3, "no check is selected: "),
        (&["check", "--skip", "*"], 3, "no check is selected: "),
        (&["check", "--shard", "3/2"], 2, "--shard: `3/2` is not of the form I/N"),
        (&["check", "--jobs", "0"], 2, "invalid value '0'"),
        (&["explain", "zeckta/matrix/nothing"], 2, "explain: there is no check `zeckta/matrix/nothing`"),
        (&["check", "--only", "["], 2, "--only: `[` is no pattern: "),
        (&["check", "--fault", "gremlin"], 2, "--fault: there is no fault `gremlin`"),
        (&["check", "--prefer", "d7/nothing"], 2, "no contract that is served has a cell `d7/nothing`"),
        (&["check", "--config", &config], 2, "config.toml: line 1, column 8: invalid type: string"),
        (&["check", "--config", &option], 2, "option.toml: line 1, column 1: unknown field `sead`"),
        (&["check", "--config", "/no/such/file"], 2, "/no/such/file: No such file"),
        (&["check", "--contract", &contract], 2, "contract.yaml: expected a member `x-otp-vendor`"),
        (&["check", "--report", "paper=x"], 2, "--report: `paper=x` is not of the form json=PATH"),
        (&["check", "d7", "--report", &unwritable], 3, "cannot write "),
        (&["serve", "--listen", "nowhere"], 2, "cannot listen on nowhere: "),
        (&["serve", "--listen", "0.0.0.0:0"], 2, "--listen: 0.0.0.0:"),
        (
            &["serve", "--listen", "127.0.0.1:0", "--control-listen", "0.0.0.0:0"],
            2,
            "--control-listen: 0.0.0.0:",
        ),
        (&["serve", "--control-token", ""], 2, "--control-token: it is empty"),
        (&["serve", "--control-token", "a\nb"], 2, "--control-token: it is empty, or no header can carry it"),
        (&["check", "--no-such-option"], 2, "unexpected argument"),
    ];
    for (arguments, status, told) in cases {
        let output = output(arguments);
        let (_, err) = texts(&output);
        assert_eq!(output.status.code(), Some(*status), "{arguments:?}: {err}");
        let line = err.lines().find(|line| line.starts_with("error: ")).unwrap_or_default();
        assert!(line.contains(told), "{arguments:?}: {err}");
        assert!(!err.contains("panicked"), "{arguments:?}: {err}");
    }
}

#[test]
fn another_process_is_checked_by_its_address() {
    let served = Served::start(&[], 5);
    let output = output(&["check", "--target", &served.url(), "--seed", "3"]);
    let (out, err) = texts(&output);
    assert_eq!(output.status.code(), Some(0), "{out}{err}");

    let faulty = Served::start(&["d7", "--fault", "reuse"], 1);
    let output = program(&[]).args(["check", "--target", &faulty.url(), "--quiet"]).output().unwrap();
    let (out, _) = texts(&output);
    assert_eq!(output.status.code(), Some(1));
    assert!(out.starts_with("nonconformant: ") && out.lines().count() == 1, "{out}");
}

#[test]
fn a_vendor_that_the_subject_does_not_serve_cannot_be_judged() {
    let served = Served::start(&["d7"], 1);
    let output = output(&["check", "exotel", "--target", &served.url()]);
    let (_, err) = texts(&output);
    assert_eq!(output.status.code(), Some(3));
    assert!(err.contains("error: the control serves d7, not `exotel`"), "{err}");
}

#[test]
fn a_control_token_comes_from_the_environment_or_the_file_and_is_never_shown() {
    let served = Served::start_as(
        program(&["serve", "zeckta", "--listen", "127.0.0.1:0"])
            .env("OTP_CONFORMANCE_CONTROL_TOKEN", "open sesame"),
        1,
    );
    let without = output(&["check", "--target", &served.url()]);
    let (_, err) = texts(&without);
    assert_eq!(without.status.code(), Some(3));
    assert!(err.contains("refused") && err.contains("401"), "{err}");

    let wrong = program(&[])
        .args(["check", "--target", &served.url()])
        .env("OTP_CONFORMANCE_CONTROL_TOKEN", "close sesame")
        .output()
        .unwrap();
    assert_eq!(wrong.status.code(), Some(3));

    let right = program(&[])
        .args(["check", "--target", &served.url()])
        .env("OTP_CONFORMANCE_CONTROL_TOKEN", "open sesame")
        .output()
        .unwrap();
    assert_eq!(right.status.code(), Some(0), "{:?}", texts(&right));

    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config.toml");
    let text = format!("target = [\"{}\"]\ncontrol_token = \"open sesame\"\nseed = 9\n", served.url());
    std::fs::write(&config, text).unwrap();
    let filed = output(&["check", "--config", &config.display().to_string()]);
    let (out, err) = texts(&filed);
    assert_eq!(filed.status.code(), Some(0), "{out}{err}");
    assert!(out.trim_end().ends_with("seed 9"), "{out}");
    for shown in [wrong, right, filed] {
        let (out, err) = texts(&shown);
        assert!(!out.contains("sesame") && !err.contains("sesame"), "{out}{err}");
    }
}

#[test]
fn the_command_line_wins_over_the_environment_and_the_environment_over_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config.toml");
    std::fs::write(&config, "seed = 1\nvendors = [\"d7\"]\nonly = [\"d7/matrix/approved\"]\n").unwrap();
    let seed_of = |command: &mut Command| {
        let (out, _) = texts(&command.args(["check", "--config"]).arg(&config).output().unwrap());
        out.trim_end().rsplit(' ').next().unwrap().to_owned()
    };
    assert_eq!(seed_of(&mut program(&[])), "1");
    assert_eq!(seed_of(program(&[]).env("OTP_CONFORMANCE_SEED", "2")), "2");
    let mut both = program(&[]);
    both.env("OTP_CONFORMANCE_SEED", "2").args(["check", "--seed", "3", "--config"]).arg(&config);
    let (out, _) = texts(&both.output().unwrap());
    assert!(out.trim_end().ends_with("seed 3"), "{out}");
    assert!(out.contains("checks, 1 passed, 0 failed"), "{out}");
}

#[test]
fn a_report_is_written_where_it_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.json");
    let output = output(&["check", "kaleyra", "--report", &format!("json={}", path.display())]);
    assert_eq!(output.status.code(), Some(0));
    let report: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert_eq!(report["schema"], "otp-conformance/report/1");
    assert_eq!(report["verdict"], "conformant");
    assert_eq!(report["vendors"][0]["vendor"], "kaleyra");
}

#[test]
fn codes_are_shown_only_where_they_are_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let body_of_approval = |extra: &[&str]| {
        let path = folder.path().join("report.json");
        let report = format!("json={}", path.display());
        let mut arguments = vec!["check", "zeckta", "--fault", "reuse", "--report", &report];
        arguments.extend(extra);
        assert_eq!(output(&arguments).status.code(), Some(1));
        let report: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let checks = report["vendors"][0]["checks"].as_array().unwrap().clone();
        let finding = checks.iter().find(|check| check["result"] == "failed").unwrap()["finding"].clone();
        let body: serde_json::Value =
            serde_json::from_str(finding["exchanges"][0]["request"]["body"].as_str().unwrap()).unwrap();
        body["code"].as_str().unwrap().to_owned()
    };
    assert_eq!(body_of_approval(&[]), "$CODE_1");
    let shown = body_of_approval(&["--reveal"]);
    assert!(shown.len() == 6 && shown.bytes().all(|byte| byte.is_ascii_digit()), "{shown}");
}

#[test]
fn the_shards_of_a_run_add_up_to_the_whole() {
    let ids = |extra: &[&str]| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.json");
        let report = format!("json={}", path.display());
        let mut arguments = vec!["check", "d7", "exotel", "--only", "*/matrix/*", "--report", &report];
        arguments.extend(extra);
        assert_eq!(output(&arguments).status.code(), Some(0));
        let report: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let vendors = report["vendors"].as_array().unwrap().clone();
        let checks = vendors.iter().flat_map(|vendor| vendor["checks"].as_array().unwrap().clone());
        checks.map(|check| check["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let mut parts: Vec<_> = ["1/3", "2/3", "3/3"].iter().flat_map(|part| ids(&["--shard", part])).collect();
    let mut whole = ids(&[]);
    parts.sort();
    whole.sort();
    assert_eq!(parts, whole);
}

#[test]
fn every_check_is_explained_and_every_cell_is_covered_by_a_check() {
    let output_of = |arguments: &[&str]| String::from_utf8(output(arguments).stdout).unwrap();
    let checks: serde_json::Value =
        serde_json::from_str(&output_of(&["checks", "--format", "json"])).unwrap();
    let checks = checks.as_array().unwrap();
    for check in checks.iter().step_by(17) {
        let id = check["id"].as_str().unwrap();
        let told = output_of(&["explain", id]);
        let is_check = check["area"] != "unseen";
        assert_eq!(told.starts_with(&format!("{id}\n  asserts   ")), is_check, "{told}");
        assert_eq!(told.contains("\n  no check  "), !is_check, "{told}");
        assert!(told.contains("\n  says      "), "{told}");
    }
    let matrix: serde_json::Value =
        serde_json::from_str(&output_of(&["matrix", "--format", "json"])).unwrap();
    for cell in matrix.as_array().unwrap() {
        let vendor = cell["vendor"].as_str().unwrap();
        let covered = checks.iter().any(|check| {
            check["id"].as_str().unwrap().starts_with(vendor)
                && check["cells"].as_array().is_some_and(|cells| cells.contains(&cell["cell"]))
        });
        assert!(covered, "{vendor}/{}", cell["cell"]);
    }
}

#[test]
fn every_sentence_of_a_document_is_shown_by_a_check_or_says_why_none_can_see_it() {
    let printed = output(&["checks", "--format", "json"]).stdout;
    let rows: serde_json::Value = serde_json::from_slice(&printed).unwrap();
    let rows = rows.as_array().unwrap();
    for vendor in crate::house::vendors() {
        let contract = otp_contract::Contract::of_vendor(vendor).unwrap();
        let own = rows.iter().filter(|row| row["id"].as_str().unwrap().starts_with(&format!("{vendor}/")));
        let own: Vec<_> = own.collect();
        assert!(contract.statements.len() >= 8, "{vendor}");
        for statement in &contract.statements {
            let says = statement.text.as_str();
            let shown = own
                .iter()
                .any(|row| row["statements"].as_array().is_some_and(|shown| shown.contains(&says.into())));
            let excused = own.iter().any(|row| {
                row["area"] == "unseen"
                    && row["statement"] == says
                    && !row["reason"].as_str().unwrap().is_empty()
            });
            assert!(shown != excused, "{vendor}: {says}");
        }
    }
}

#[test]
fn the_page_of_faults_is_up_to_date() {
    let printed = String::from_utf8(output(&["faults", "--format", "markdown"]).stdout).unwrap();
    assert_eq!(
        printed,
        include_str!("../../FAULTS.md"),
        "conformance/FAULTS.md is stale; update it with \
         `cargo run -q -- faults --format markdown > conformance/FAULTS.md`"
    );
}

#[test]
fn every_list_can_be_read_by_a_program() {
    for arguments in
        [["checks", "--format", "json"], ["faults", "--format", "json"], ["matrix", "--format", "json"]]
    {
        let output = output(&arguments);
        let rows: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert!(rows.as_array().unwrap().len() > 10, "{arguments:?}");
    }
}

#[test]
fn a_document_of_ones_own_is_checked_and_printed_by_its_file_alone() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/contracts/acme.yaml");
    let checked = output(&["check", "--contract", file]);
    let (out, err) = texts(&checked);
    assert_eq!(checked.status.code(), Some(0), "{out}{err}");
    assert!(out.starts_with("Acme  PUT /tenants/{tenant}/check/{pin}  conformant"), "{out}");
    let (out, _) = texts(&output(&["matrix", "--contract", file]));
    assert!(out.starts_with("acme  PUT"), "{out}");
}

#[test]
fn timing_tells_every_kind_of_call_and_judges_none() {
    let output = output(&["timing", "exotel", "d7", "--samples", "100", "--format", "json", "--seed", "1"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let kinds = |index: usize| told[index]["classes"].as_array().unwrap().len();
    // D7 documents no limit, so that nothing of it can be locked.
    assert_eq!((kinds(0), kinds(1)), (4, 3));
    for class in told[0]["classes"].as_array().unwrap() {
        assert_eq!(class["samples"], 100);
        assert!(class["median_ns"].as_f64().unwrap() > 1_000.0, "{class}");
    }
}
