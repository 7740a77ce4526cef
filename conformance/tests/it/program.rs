//! The program itself, as a shell runs it: exit statuses, error messages of one line, and which output goes where.

use otp_test_support::contracts as all_contracts;
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
fn the_sandbox_conforms_for_every_vendor() {
    let output = output(&["check", "--seed", "42"]);
    let (out, err) = texts(&output);
    assert_eq!(output.status.code(), Some(0), "{out}{err}");
    for contract in all_contracts() {
        let line = out.lines().find(|line| line.starts_with(&contract.name)).unwrap();
        assert!(line.ends_with("  conformant"), "{line}");
    }
    assert!(out.lines().last().unwrap().starts_with("conformant: "));
    assert!(out.lines().nth_back(1).unwrap().ends_with("seed 42"));
    assert!(!out.contains('\u{1b}'), "no colour without a terminal");
    assert!(err.starts_with("checking "), "{err}");
}

#[test]
fn a_fault_exits_1_and_names_the_check() {
    let output = output(&["check", "exotel", "--fault", "no-expiry", "--seed", "1"]);
    let (out, _) = texts(&output);
    assert_eq!(output.status.code(), Some(1));
    assert!(out.contains("\nFAIL exotel/matrix/expired: "), "{out}");
    assert!(
        out.contains("  source    Exotel ExoVerify API reference, \"Verify OTP\": Error Codes\n"),
        "{out}"
    );
    assert!(out.contains("control: makes session 1 older by 61 s"), "{out}");
    assert!(out.contains("POST /v2/accounts/"), "{out}");
    assert!(out.lines().last().unwrap().starts_with("nonconformant: "));
}

#[test]
fn every_error_is_one_line_with_the_right_exit_status() {
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
        (&["check", "--target", "127.0.0.1:1"], 2, "--target: `127.0.0.1:1` has no scheme; write http://"),
        (
            &["check", "--target", "http://u:p@127.0.0.1:1"],
            2,
            "--target: `http://…@127.0.0.1:1` contains credentials",
        ),
        (&["check", "--control", "http://127.0.0.1:1"], 2, "--control: needs a --target"),
        (&["check", "--only", "zeckta/nothing/*"], 3, "no check is selected: "),
        (&["check", "--skip", "*"], 3, "no check is selected: "),
        (&["check", "--shard", "3/2"], 2, "--shard: `3/2` does not have the form I/N"),
        (
            &["check", "--target", "http://127.0.0.1:1", "--wait", "soon"],
            2,
            "--wait: `soon` is not a duration",
        ),
        (&["check", "--jobs", "0"], 2, "invalid value '0'"),
        (&["check", "zeckta", "--only", "matrix/expird"], 3, "close to `matrix/expird` are matrix/expired"),
        (&["explain", "matrix/nothing"], 2, "no check `matrix/nothing`; `otp-conformance checks` lists"),
        (&["explain", "zeckta/matrix/nothing"], 2, "explain: there is no check `zeckta/matrix/nothing`"),
        (&["check", "--only", "["], 2, "--only: `[` is not a valid pattern: "),
        (&["check", "--fault", "gremlin"], 2, "--fault: there is no fault `gremlin`"),
        (&["check", "--prefer", "d7/nothing"], 2, "no contract that is served has a cell `d7/nothing`"),
        (&["check", "--config", &config], 2, "config.toml: line 1, column 8: invalid type: string"),
        (&["check", "--config", &option], 2, "option.toml: line 1, column 1: unknown field `sead`"),
        (&["check", "--config", &option], 2, "; did you mean `seed`?"),
        (&["check", "--config", "/no/such/file"], 2, "/no/such/file: No such file"),
        (&["check", "--contract", &contract], 2, "contract.yaml:1:1: expected a member `x-otp-vendor`"),
        (&["check", "--report", "paper=x"], 2, "--report: `paper=x` does not have the form json=PATH"),
        (&["check", "d7", "--report", &unwritable], 3, "cannot write "),
        (&["serve", "--listen", "nowhere"], 2, "cannot listen on nowhere: "),
        (&["serve", "--listen", "0.0.0.0:0"], 2, "--listen: 0.0.0.0:"),
        (
            &["serve", "--listen", "127.0.0.1:0", "--control-listen", "0.0.0.0:0"],
            2,
            "--control-listen: 0.0.0.0:",
        ),
        (&["serve", "--control-token", ""], 2, "--control-token: it is empty"),
        (
            &["serve", "--control-token", "a\nb"],
            2,
            "--control-token: it is empty, or a header field cannot carry it",
        ),
        (&["check", "--no-such-option"], 2, "unexpected argument"),
    ];
    for (arguments, status, message) in cases {
        let output = output(arguments);
        let (_, err) = texts(&output);
        assert_eq!(output.status.code(), Some(*status), "{arguments:?}: {err}");
        let line = err.lines().find(|line| line.starts_with("error: ")).unwrap_or_default();
        assert!(line.contains(message), "{arguments:?}: {err}");
        assert!(!err.contains("panicked"), "{arguments:?}: {err}");
    }
}

#[test]
fn a_server_in_another_process_is_checked() {
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
fn a_vendor_that_the_server_does_not_serve_cannot_be_judged() {
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
    assert!(out.contains(", seed 9\n"), "{out}");
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
        out.lines().nth_back(1).unwrap().rsplit(' ').next().unwrap().to_owned()
    };
    assert_eq!(seed_of(&mut program(&[])), "1");
    assert_eq!(seed_of(program(&[]).env("OTP_CONFORMANCE_SEED", "2")), "2");
    let mut both = program(&[]);
    both.env("OTP_CONFORMANCE_SEED", "2").args(["check", "--seed", "3", "--config"]).arg(&config);
    let (out, _) = texts(&both.output().unwrap());
    assert!(out.contains(", seed 3\n"), "{out}");
    assert!(out.contains("checks: 1 passed, 0 failed"), "{out}");
}

#[test]
fn every_option_works_on_the_command_line_in_the_environment_and_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report.json");
    let config = folder.path().join("config.toml");
    let base = format!("vendors = \"d7\"\nonly = \"d7/matrix/*\"\nreport = \"json={}\"\n", report.display());
    let outcome = |command: &mut Command| {
        let status = command.arg("check").arg("--config").arg(&config).output().unwrap().status.code();
        let text = std::fs::read_to_string(&report).unwrap();
        let report: serde_json::Value = serde_json::from_str(&text).unwrap();
        let checks = report["vendors"][0]["checks"].as_array().unwrap().clone();
        let given = checks.iter().any(|check| check["given"] == serde_json::json!(["wrong_code_200"]));
        let exchanges: Vec<_> =
            checks.iter().map(|check| check["finding"]["exchanges"].to_string()).collect();
        (status, given, exchanges.concat().contains("$CODE_1"))
    };
    std::fs::write(&config, &base).unwrap();
    assert_eq!(outcome(&mut program(&[])), (Some(0), false, false));
    // `reuse` fails the run, `wrong_code_200` shows among the given cells, and `reveal` shows the codes of the finding.
    std::fs::write(&config, format!("{base}fault = \"reuse\"\nprefer = [\"d7/wrong_code_200\"]\n")).unwrap();
    assert_eq!(outcome(&mut program(&[])), (Some(1), true, true));
    assert_eq!(outcome(program(&[]).env("OTP_CONFORMANCE_REVEAL", "yes")), (Some(1), true, false));
    std::fs::write(&config, format!("{base}reveal = true\n")).unwrap();
    let mut environment = program(&[]);
    environment.env("OTP_CONFORMANCE_FAULT", "reuse").env("OTP_CONFORMANCE_PREFER", "d7/wrong_code_200");
    assert_eq!(outcome(&mut environment), (Some(1), true, false));
    // The environment takes precedence over the file, also to switch something off.
    environment = program(&[]);
    environment.env("OTP_CONFORMANCE_FAULT", "reuse").env("OTP_CONFORMANCE_REVEAL", "off");
    assert_eq!(outcome(&mut environment), (Some(1), false, true));
}

#[test]
fn a_switch_understands_the_usual_words_and_an_empty_variable_counts_as_unset() {
    let lines = |name: &str, value: &str| {
        let mut command = program(&["check", "d7", "--only", "d7/matrix/approved", "--seed", "7"]);
        let output = command.env(name, value).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{name}={value}: {}", texts(&output).1);
        texts(&output).0.lines().count()
    };
    for on in ["1", "true", "yes", "on", "TRUE"] {
        assert_eq!(lines("OTP_CONFORMANCE_QUIET", on), 1, "{on}");
    }
    for off in ["0", "false", "no", "off", ""] {
        assert!(lines("OTP_CONFORMANCE_QUIET", off) > 1, "{off}");
    }
    for empty in ["STRICT", "SEED", "TARGET", "ONLY", "SKIP", "SHARD", "JOBS", "CONFIG", "CONTROL_TOKEN"] {
        assert!(lines(&format!("OTP_CONFORMANCE_{empty}"), "") > 1, "{empty}");
    }
    let nonsense = program(&["check", "d7"]).env("OTP_CONFORMANCE_STRICT", "perhaps").output().unwrap();
    assert_eq!(nonsense.status.code(), Some(2));
}

#[test]
fn an_unknown_variable_is_a_warning() {
    let output = program(&["faults"]).env("OTP_CONFORMANCE_TRAGET", "x").output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(texts(&output).1, "warning: no option is called OTP_CONFORMANCE_TRAGET\n");
}

#[test]
fn a_fault_and_a_target_exclude_each_other_wherever_they_are_set() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config.toml");
    std::fs::write(&config, "target = \"http://127.0.0.1:1\"\n").unwrap();
    let config = config.display().to_string();
    for arguments in [["--fault", "reuse"], ["--prefer", "d7/wrong_code_200"]] {
        let output = program(&["check", "--config", &config]).args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        let message = format!("{}: applies to the embedded sandbox, not to a --target", arguments[0]);
        assert!(texts(&output).1.contains(&message), "{}", texts(&output).1);
    }
}

#[test]
fn a_former_check_id_still_selects_and_explains_its_check() {
    let output = output(&["check", "--only", "zeckta/limit/alike", "--seed", "7"]);
    let (out, err) = texts(&output);
    assert_eq!(output.status.code(), Some(0), "{out}{err}");
    assert!(out.contains("limit 1"), "{out}");
    assert!(err.contains("note: `zeckta/limit/alike` is now called `zeckta/limit/uniform-refusal`"), "{err}");
    let output = program(&["explain", "d7/request/pieces"]).output().unwrap();
    let (out, err) = texts(&output);
    assert!(out.starts_with("d7/request/fragmented-body\n"), "{out}");
    assert!(err.contains("is now called `d7/request/fragmented-body`"), "{err}");
}

#[test]
fn a_report_is_written_to_the_requested_path() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.json");
    let output = output(&["check", "kaleyra", "--report", &format!("json={}", path.display())]);
    assert_eq!(output.status.code(), Some(0));
    let report: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert_eq!(report["schema"], "otp-conformance/report/2");
    assert_eq!(report["verdict"], "conformant");
    assert_eq!(report["vendors"][0]["vendor"], "kaleyra");
}

#[test]
fn codes_are_shown_only_on_request() {
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
        let explanation = output_of(&["explain", id]);
        let is_check = check["area"] != "untestable";
        assert_eq!(explanation.starts_with(&format!("{id}\n  asserts   ")), is_check, "{explanation}");
        assert_eq!(explanation.contains("\n  no check  "), !is_check, "{explanation}");
        assert!(explanation.contains("\n  source    "), "{explanation}");
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
fn every_sentence_of_a_document_is_tested_or_says_why_it_cannot_be() {
    let printed = output(&["checks", "--format", "json"]).stdout;
    let rows: serde_json::Value = serde_json::from_slice(&printed).unwrap();
    let rows = rows.as_array().unwrap();
    for contract in all_contracts() {
        let vendor = &contract.vendor;
        let own = rows.iter().filter(|row| row["id"].as_str().unwrap().starts_with(&format!("{vendor}/")));
        let own: Vec<_> = own.collect();
        assert!(contract.statements.len() >= 8, "{vendor}");
        for statement in &contract.statements {
            let sentence = statement.text.as_str();
            let tested = own.iter().any(|row| {
                row["statements"].as_array().is_some_and(|shown| shown.contains(&sentence.into()))
            });
            let untestable = own.iter().any(|row| {
                row["area"] == "untestable"
                    && row["statement"] == sentence
                    && !row["reason"].as_str().unwrap().is_empty()
            });
            assert!(tested != untestable, "{vendor}: {sentence}");
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
fn a_custom_document_is_checked_and_printed_from_its_file_alone() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/contracts/acme.yaml");
    let checked = output(&["check", "--contract", file]);
    let (out, err) = texts(&checked);
    assert_eq!(checked.status.code(), Some(0), "{out}{err}");
    assert!(out.starts_with("Acme  conformant\n  PUT /tenants/{tenant}/check/{pin}\n"), "{out}");
    let (out, _) = texts(&output(&["matrix", "--contract", file]));
    assert!(out.starts_with("acme  verify  PUT"), "{out}");
}

#[test]
fn lint_reports_every_problem_of_every_file_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let acme = include_str!("../contracts/acme.yaml");
    let path = folder.path().join("mine.yaml");
    let text =
        acme.replacen("outcome: approved", "outcome: yes", 1).replacen("outcome: expired", "outcome: no", 1);
    std::fs::write(&path, text).unwrap();
    let mine = path.display().to_string();
    let clean = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/contracts/twilio.yaml");

    let linted = output(&["lint", clean, &mine, "/no/such.yaml"]);
    let (out, err) = texts(&linted);
    assert_eq!(linted.status.code(), Some(2), "{out}{err}");
    let lines: Vec<_> = out.lines().collect();
    assert_eq!(lines.len(), 4, "{out}");
    assert_eq!(lines[0], format!("{clean}: no problems"));
    for line in &lines[1..3] {
        let place = line.strip_prefix(&format!("{mine}:")).unwrap_or_else(|| panic!("{line}"));
        assert!(place.contains("/x-otp/outcome: expected one of `approved`"), "{line}");
        assert!(place.split(':').take(2).all(|number| number.parse::<u32>().is_ok()), "{line}");
    }
    assert!(lines[3].starts_with("/no/such.yaml: cannot be read: "), "{out}");
    assert_eq!(err, "3 problems\n");

    let rows: serde_json::Value =
        serde_json::from_slice(&output(&["lint", "--format", "json", &mine]).stdout).unwrap();
    assert_eq!(rows.as_array().unwrap().len(), 2);
    assert!(rows[0]["line"].as_u64() > Some(1) && rows[0]["column"].as_u64() > Some(1), "{rows}");
    assert!(rows[0]["pointer"].as_str().unwrap().ends_with("/x-otp/outcome"), "{rows}");
    assert_eq!(output(&["lint", clean]).status.code(), Some(0));
}

#[test]
fn an_id_as_reports_print_it_selects_and_explains_a_check() {
    let checked = output(&["check", "zeckta", "d7", "--only", "matrix/expired", "--seed", "1"]);
    let (out, err) = texts(&checked);
    assert_eq!(checked.status.code(), Some(0), "{out}{err}");
    assert!(out.contains("\n2 of ") && out.contains(" checks: 2 passed, "), "{out}");
    let (out, _) = texts(&output(&["explain", "matrix/expired"]));
    let explained = out.lines().filter(|line| line.ends_with("/matrix/expired")).count();
    assert_eq!(explained, 5, "{out}");
    assert!(!out.contains("may find"));
    let (out, _) = texts(&output(&["explain", "matrix/expired", "--verbose"]));
    assert_eq!(out.lines().filter(|line| line.starts_with("  may find  ")).count(), 5, "{out}");
}

#[test]
fn the_schema_of_contracts_is_printed_for_editors() {
    let (out, _) = texts(&output(&["lint", "--schema"]));
    let schema: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert!(schema["$defs"]["verify"].is_object());
}

#[test]
fn a_skeleton_becomes_a_contract_that_is_checked() {
    let folder = tempfile::tempdir().unwrap();
    let plain = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/contracts/plain.yaml");
    let made = output(&["init", "contract", plain, "--verify", "POST /verify/{challenge_id}"]);
    let (out, err) = texts(&made);
    assert_eq!(made.status.code(), Some(0), "{err}");
    assert!(err.contains("note: replace each TODO"), "{err}");
    let path = folder.path().join("mine.yaml");
    std::fs::write(&path, &out).unwrap();
    let path = path.display().to_string();
    let (problems, _) = texts(&output(&["lint", &path]));
    assert!(!problems.is_empty() && problems.lines().all(|line| line.ends_with("found TODO")), "{problems}");
    std::fs::write(&path, out.replace("TODO", "Guide")).unwrap();
    assert_eq!(output(&["lint", &path]).status.code(), Some(0));
    let checked = output(&["check", "--contract", &path, "--seed", "1"]);
    assert_eq!(checked.status.code(), Some(0), "{:?}", texts(&checked));

    let refused = output(&["init", "contract", plain, "--verify", "POST /nowhere"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(texts(&refused).1.contains("expected the operation `POST /nowhere`"), "{:?}", texts(&refused));
}

#[test]
fn timing_reports_every_kind_of_call_without_a_verdict() {
    let output = output(&["timing", "exotel", "d7", "--samples", "100", "--format", "json", "--seed", "1"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let kinds = |index: usize| report[index]["classes"].as_array().unwrap().len();
    // D7 documents no limit, so none of its sessions can be locked.
    assert_eq!((kinds(0), kinds(1)), (4, 3));
    for class in report[0]["classes"].as_array().unwrap() {
        assert_eq!(class["samples"], 100);
        assert!(class["median_ns"].as_f64().unwrap() > 1_000.0, "{class}");
    }
}

#[test]
fn colours_are_written_where_they_are_wanted() {
    let has_colours = |arguments: &[&str]| {
        let mut all = vec!["check", "d7", "--only", "matrix/approved", "--seed", "1"];
        all.extend(arguments);
        let (out, err) = texts(&output(&all));
        assert!(
            out.ends_with("conformant\u{1b}[0m: no check fails the run\n") || !out.contains('\u{1b}'),
            "{out}{err}"
        );
        out.contains('\u{1b}')
    };
    assert!(has_colours(&["--color", "always"]));
    assert!(!has_colours(&["--color", "never"]));
    assert!(!has_colours(&["--color", "auto"]), "the output is no terminal");
}
