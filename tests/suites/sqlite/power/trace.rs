//! What a process asked of its disk and what it said, in order, by a trace of its system
//! calls.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

/// A process's standard output.
const OUTPUT: &str = "1";

/// The program under `strace`, which writes to `file`.
///
/// Each line is flushed before the process goes on, so that whatever one thread tells
/// another, the calls that led to it are in the file before. The tracer is a grandchild:
/// whoever kills the child kills the program itself.
pub(crate) fn traced(program: &OsStr, file: &Path) -> Command {
    let mut command = Command::new("strace");
    command
        .args(["-D", "-f", "--seccomp-bpf", "-y", "-xx", "-s", "1000000"])
        .args([
            "-e",
            "trace=openat,write,pwrite64,ftruncate,fallocate,fsync,fdatasync,unlink",
        ])
        .args(["-e", "signal=none", "-o"])
        .arg(file)
        .arg(program);
    command
}

/// One step of a call. The kernel may have done its work anywhere between the two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A call has begun: its number, and what it asks.
    Begun(usize, Call),
    /// The call of this number has succeeded.
    Done(usize),
    /// Bytes left through the standard output.
    Said(Vec<u8>),
}

/// What was asked of the file or folder of this path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    /// To be made, if it is not there.
    Create(String),
    Write {
        path: String,
        at: usize,
        bytes: Vec<u8>,
    },
    Resize {
        path: String,
        length: usize,
    },
    Sync(String),
    Remove(String),
}

/// Reads a trace; of files outside `folder` nothing is told.
pub(crate) fn events(trace: &str, folder: &Path) -> Vec<Event> {
    let folder = folder.to_str().expect("its name is plain");
    let (mut events, mut under_way, mut calls) = (Vec::new(), HashMap::new(), 0);
    for line in trace.lines() {
        let Some((process, said)) = line.split_once(' ') else {
            continue;
        };
        let said = said.trim_start();
        let number = if said.starts_with("<... ") {
            let Some(number) = under_way.remove(process) else {
                continue;
            };
            number
        } else {
            let Some(event) = begun(said, folder, calls) else {
                continue;
            };
            events.push(event);
            calls += 1;
            calls - 1
        };
        // A call that another thread's interrupts is told in two lines.
        if said.ends_with("<unfinished ...>") {
            under_way.insert(process, number);
        } else if succeeded(said) {
            events.push(Event::Done(number));
        }
    }
    events
}

fn succeeded(said: &str) -> bool {
    said.rsplit_once(" = ")
        .is_some_and(|(_, result)| !result.starts_with(['-', '?']))
}

/// What a call begins, if it is about the folder or an acknowledgement.
fn begun(said: &str, folder: &str, number: usize) -> Option<Event> {
    let (name, arguments) = said.split_once('(')?;
    let words: Vec<_> = arguments.split(", ").collect();
    let is_path = matches!(name, "openat" | "unlink");
    let path = if is_path {
        quoted(words.iter().find(|word| word.starts_with('"'))?)
    } else {
        let (descriptor, rest) = words.first()?.split_once('<')?;
        let bytes = || words.get(1).map(|word| quoted(word));
        if descriptor == OUTPUT {
            return (name == "write").then(bytes).flatten().map(Event::Said);
        }
        unescaped(rest.split_once('>')?.0)
    };
    let path = String::from_utf8(path).ok()?;
    if !path.starts_with(folder) {
        return None;
    }
    let number_of = |word: usize| leading_number(words.get(word)?);
    let call = match name {
        "openat" if arguments.contains("O_CREAT") => Call::Create(path),
        "openat" => return None,
        "pwrite64" => Call::Write {
            bytes: quoted(words.get(1)?),
            at: number_of(3)?,
            path,
        },
        "ftruncate" => Call::Resize {
            length: number_of(1)?,
            path,
        },
        "fsync" | "fdatasync" => Call::Sync(path),
        "unlink" => Call::Remove(path),
        // One that the model does not know would be left out unseen.
        _ => panic!("{name} on {path}"),
    };
    Some(Event::Begun(number, call))
}

fn leading_number(word: &str) -> Option<usize> {
    let end = word.find(|c: char| !c.is_ascii_digit());
    word[..end.unwrap_or(word.len())].parse().ok()
}

/// The bytes within the quotation marks.
fn quoted(word: &str) -> Vec<u8> {
    let (_, rest) = word.split_once('"').expect("a string");
    let (inside, after) = rest.split_once('"').expect("a whole string");
    assert!(!after.starts_with("..."), "the trace leaves bytes out");
    unescaped(inside)
}

/// The bytes of `\x00\x01…`.
fn unescaped(text: &str) -> Vec<u8> {
    let byte = |hex: &str| u8::from_str_radix(hex, 16).expect("two digits");
    text.split("\\x").skip(1).map(byte).collect()
}

#[test]
fn calls_are_told_from_their_ends() {
    let hex = |text: &str| -> String {
        let byte = |byte| format!("\\x{byte:02x}");
        text.bytes().map(byte).collect()
    };
    let (folder, a, elsewhere) = (hex("/d"), hex("/d/a"), hex("/e/a"));
    let trace = format!(
        "7 openat(AT_FDCWD</d>, \"{a}\", O_RDWR|O_CREAT, 0600) = 3<{a}>\n\
         7 openat(AT_FDCWD</d>, \"{elsewhere}\", O_RDWR|O_CREAT, 0600) = 4<{elsewhere}>\n\
         7 pwrite64(3<{a}>, \"{}\", 2, 4096 <unfinished ...>\n\
         8 fsync(5<{folder}>) = -1 EIO (Input/output error)\n\
         8 write(1<pipe:[7]>, \"{}\", 2) = 2\n\
         7 <... pwrite64 resumed>) = 2\n\
         7 fdatasync(3<{a}>) = ?\n",
        hex("xy"),
        hex("ok"),
    );
    let path = || "/d/a".to_owned();
    let write = Call::Write {
        path: path(),
        at: 4096,
        bytes: b"xy".to_vec(),
    };
    assert_eq!(
        events(&trace, "/d".as_ref()),
        [
            Event::Begun(0, Call::Create(path())),
            Event::Done(0),
            Event::Begun(1, write),
            Event::Begun(2, Call::Sync("/d".to_owned())),
            Event::Said(b"ok".to_vec()),
            Event::Done(3),
            Event::Done(1),
            Event::Begun(4, Call::Sync(path())),
        ]
    );
}
