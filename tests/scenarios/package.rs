//! What is installed with the server, and the README, know its options: each of them, and no other.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::{env, fs};

use parlor_server::{Given, NoOptions, Options};
use parlor_tests::needs::{self, Installed};
use parlor_tests::{Launch, Scratch, Server, program_named};

/// Names of options, without hyphens.
type Names = BTreeSet<String>;

/// Options that no file of options has.
const NOT_IN_FILE: &[&str] = &["config", "export", "since", "format", "help", "version"];

fn file(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../server/package").join(name).display().to_string()
}

fn text(name: &str) -> String {
    fs::read_to_string(file(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The options of the program, and those of them that take a value.
fn options() -> [Names; 2] {
    let help = Launch::new(&["--help"]).without_defaults().run().stdout;
    let (usage, list) = help.split_once("Options:").expect("it lists them");
    let lines = list.lines().filter(|line| line.starts_with("  -"));
    let all: Names = lines.flat_map(long_names).collect();
    assert!(all.len() > 30 && all.contains("bind") && all.contains("config"), "{all:?}");
    let with_value = usage.split('[').filter(|part| part.contains('<')).flat_map(long_names);
    [all.clone(), with_value.collect()]
}

/// The names in a text that stand there with two hyphens.
fn long_names(text: &str) -> Vec<String> {
    let pieces = text.split("--").skip(1);
    let name = |piece: &str| -> String {
        piece.chars().take_while(|c| c.is_ascii_lowercase() || *c == '-').collect()
    };
    pieces.map(name).filter(|name| name.starts_with(|c: char| c.is_ascii_lowercase())).collect()
}

fn run(program: &str, args: &[&str]) -> String {
    let ran = Command::new(program).args(args).env("LC_ALL", "C.UTF-8").env("MANWIDTH", "100").output();
    let ran = ran.unwrap_or_else(|error| panic!("{program}: {error}"));
    assert!(ran.status.success() && ran.stderr.is_empty(), "{}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8_lossy(&ran.stdout).into_owned()
}

#[test]
fn the_manual_has_each_option_and_each_command_of_the_console() {
    let [all, _] = options();
    let manual = text("parlor-server.1");
    let entries = manual.lines().filter_map(|line| line.strip_prefix(".It "));
    let (mut found, mut commands) = (Names::new(), Names::new());
    for entry in entries {
        if entry.starts_with("Fl ") {
            let long = entry.split_whitespace().find_map(|word| word.strip_prefix('-'));
            found.extend(long.map(str::to_owned));
        }
        let command = entry.strip_prefix("Ic /").and_then(|rest| rest.split(' ').next());
        commands.extend(command.map(str::to_owned));
    }
    assert_eq!(found, all);
    let mut server = Server::start(&[]);
    server.console("/help");
    server.wait_stdout("/stop *");
    let help = server.stdout().all();
    let help = help.iter().filter_map(|line| line.strip_prefix('/')?.split(' ').next());
    let help: Names = help.map(str::to_owned).chain(["help".to_owned()]).collect();
    assert_eq!(commands, help);
    let mentioned = manual.lines().filter(|line| line.contains("Fl -"));
    let mentioned = mentioned.flat_map(|line| line.split("Fl -").skip(1)).filter_map(|rest| {
        rest.split(|c: char| !c.is_ascii_lowercase() && c != '-').next().map(str::to_owned)
    });
    // `-keep` stands for all that begin so.
    assert_eq!(mentioned.collect::<Names>().difference(&all).next(), None);
}

const MAN: Installed = ("man", "man-db");

#[test]
fn the_manual_is_rendered_without_a_warning() {
    if needs::have(&[MAN, ("groff", "groff-base")]) {
        let shown = run("man", &["--warnings", "-E", "UTF-8", "-l", &file("parlor-server.1")]);
        assert!(shown.contains("--max-clients-per-ip") && shown.contains("EXIT STATUS"), "{shown}");
    }
}

#[test]
fn the_readme_has_each_option() {
    let [all, _] = options();
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let readme = fs::read_to_string(readme).expect("the project has one");
    let table = readme.split("## Options of the server").nth(1).and_then(|rest| rest.split("\n## ").next());
    let table = table.expect("it has a section of them");
    let found: Names = long_names(table).into_iter().collect();
    assert_eq!(found.symmetric_difference(&all).next(), None);
}

/// The file with one line and nothing else.
fn given(scratch: &Scratch, lines: &str) -> Result<Given, NoOptions> {
    let file = scratch.write("server.conf", lines);
    Given::read("server", &["--config", &file, "--data", "d"])
}

#[test]
fn the_example_of_a_file_shows_each_option_with_its_default() {
    let [all, _] = options();
    let example = text("server.conf");
    let scratch = Scratch::new();
    let (mut found, mut defaults) = (Names::new(), String::new());
    for paragraph in example.split("\n\n") {
        for line in paragraph.lines() {
            let Some(line) = line.strip_prefix('#') else { panic!("{line:?} is no comment") };
            if line.is_empty() || line.starts_with(' ') {
                continue;
            }
            let name = line.split(' ').next().unwrap_or_default();
            assert!(found.insert(name.to_owned()), "{name} twice");
            if !paragraph.contains("No default") {
                defaults += &format!("{line}\n");
            }
            match given(&scratch, line) {
                // Of no use without another one.
                Err(NoOptions::Wrong(why)) if why.starts_with("With the options in ") => {}
                given => drop(given.unwrap_or_else(|none| panic!("{line}: {none}"))),
            }
        }
    }
    let expected = all.iter().filter(|name| !NOT_IN_FILE.contains(&name.as_str())).cloned();
    assert_eq!(found, expected.collect());
    let shown = |options: Options| format!("{:?}", options.config().expect("a configuration"));
    let bare = Options::parse("server", &["--data", "d"]).expect("nothing is wrong");
    assert!(defaults.lines().count() > 10, "{defaults}");
    assert_eq!(shown(given(&scratch, &defaults).expect("all of them together").options), shown(bare));
}

#[test]
fn the_completions_have_each_option() {
    let [all, _] = options();
    let bash: Names =
        long_names(&text("completions/parlor-server.bash").replace("-- ", "")).into_iter().collect();
    assert_eq!(bash, all);
    let zsh: Names = long_names(&text("completions/_parlor-server")).into_iter().collect();
    assert_eq!(zsh, all);
    let fish = text("completions/parlor-server.fish");
    let fish = fish.lines().filter_map(|line| line.split(" -l ").nth(1)?.split(' ').next());
    assert_eq!(fish.map(str::to_owned).collect::<Names>(), all);
}

#[test]
fn bash_completes_options_and_what_they_take() {
    if !needs::have(&[("bash", "bash")]) {
        return;
    }
    let [all, with_value] = options();
    let complete = |before: &str, word: &str| -> Vec<String> {
        // Outside of a completion there is nothing to be told.
        let script = "compopt() { :; }; . \"$0\"; _parlor_server parlor-server \"$2\" \"$1\"; \
                      printf '%s\\n' \"${COMPREPLY[@]}\"";
        let said = run("bash", &["-c", script, &file("completions/parlor-server.bash"), before, word]);
        said.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
    };
    let offered = complete("parlor-server", "--");
    assert_eq!(offered.iter().flat_map(|word| long_names(word)).collect::<Names>(), all);
    assert_eq!(complete("parlor-server", "--max-clients-"), ["--max-clients-per-ip"]);
    assert_eq!(complete("--tls", "o"), ["on", "only", "off"]);
    for name in &all {
        let offers_options = complete(&format!("--{name}"), "").iter().any(|word| word.starts_with("--"));
        assert_eq!(offers_options, !with_value.contains(name), "behind --{name}");
    }
}

#[test]
fn fish_completes_options_and_what_they_take() {
    if !needs::have(&[("fish", "fish")]) {
        return;
    }
    let [all, _] = options();
    let complete = |line: &str| -> Vec<String> {
        let source = format!("source '{}'; complete -C '{line}'", file("completions/parlor-server.fish"));
        let said = run("fish", &["--no-config", "-c", &source]);
        said.lines().filter_map(|line| line.split('\t').next()).map(str::to_owned).collect()
    };
    let offered = complete("parlor-server --");
    assert_eq!(offered.iter().flat_map(|word| long_names(word)).collect::<Names>(), all);
    assert_eq!(complete("parlor-server --accounts o"), ["off", "open"]);
}

#[test]
fn zsh_is_given_each_option() {
    if !needs::have(&[("zsh", "zsh")]) {
        return;
    }
    let [all, with_value] = options();
    let script = "_arguments() { print -rl -- \"$@\" }; . \"$0\"";
    let specs = run("zsh", &["-fc", script, &file("completions/_parlor-server")]);
    let mut found = Names::new();
    for spec in specs.lines().filter(|line| line.contains('[')) {
        // Behind those that exclude each other stands the one that it is about.
        let (option, rest) = spec.split_once('[').expect("it has a text");
        let option = option.rsplit([')', '*']).next().unwrap_or(option);
        let Some(name) = option.strip_prefix("--") else { continue };
        assert_eq!(rest.contains("]:"), with_value.contains(name), "{spec}");
        found.insert(name.to_owned());
    }
    assert_eq!(found, all);
}

#[test]
fn the_manual_of_the_window_has_each_option() {
    let client = program_named("client");
    let help = Launch::new(&["--help"]).without_defaults().program(&client.to_string_lossy()).run().stdout;
    let all: Names = help.lines().filter(|line| line.starts_with("  -")).flat_map(long_names).collect();
    assert!(all.contains("config") && all.contains("help"), "{help}");
    let manual = text("../../client/package/parlor.1");
    let entries = manual.lines().filter_map(|line| line.strip_prefix(".It Fl "));
    let found = entries.filter_map(|entry| entry.split_whitespace().find_map(|word| word.strip_prefix('-')));
    assert_eq!(found.map(str::to_owned).collect::<Names>(), all);
    if needs::have(&[MAN, ("groff", "groff-base")]) {
        let shown = run("man", &["--warnings", "-E", "UTF-8", "-l", &file("../../client/package/parlor.1")]);
        assert!(shown.contains("--tray") && shown.contains("EXIT STATUS"), "{shown}");
    }
}

#[test]
fn the_packages_say_which_version_they_are_of() {
    let version = env!("CARGO_PKG_VERSION");
    let changelog = text("changelog");
    let first = changelog.lines().next().unwrap_or_default();
    assert!(first.starts_with(&format!("parlor ({version}-")), "{first}");
    let metainfo = text("../../client/package/org.parlor.Parlor.metainfo.xml");
    let newest = metainfo.lines().find(|line| line.contains("<release ")).unwrap_or_default();
    assert!(newest.contains(&format!("version=\"{version}\"")), "{newest}");
}

#[test]
fn the_service_is_held_in() {
    if needs::have(&[("systemd-analyze", "systemd")]) {
        let unit = file("parlor-server.service");
        let said =
            run("systemd-analyze", &["security", "--offline=yes", "--threshold=20", "--no-pager", &unit]);
        assert!(said.contains("Overall exposure level"), "{said}");
    }
}

#[test]
fn the_desktop_understands_what_it_is_told_of_the_window() {
    if needs::have(&[("desktop-file-validate", "desktop-file-utils"), ("appstreamcli", "appstream")]) {
        let folder = "../../client/package/org.parlor.Parlor";
        assert_eq!(run("desktop-file-validate", &[&file(&format!("{folder}.desktop"))]), "");
        let said = run("appstreamcli", &["validate", "--no-net", &file(&format!("{folder}.metainfo.xml"))]);
        assert!(said.contains("Validation was successful"), "{said}");
    }
}
