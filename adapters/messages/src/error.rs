//! What can be wrong with a brand, a template or a rendering.

use std::path::PathBuf;

use thiserror::Error;

/// Why a text cannot be the brand in messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BrandError {
    /// Nothing, or nothing but spaces.
    #[error("the brand is empty; set the name that people know you by")]
    Empty,
    /// More than 32 characters; an emoji counts as two.
    #[error(
        "the brand has more than 32 characters; shorten it, or the code is cut off in previews"
    )]
    TooLong,
    /// A line break, a control or a character that turns the direction of text.
    #[error("the brand has a line break, a control or an invisible character; remove it")]
    Character,
    /// Something that a mail client turns into a link.
    #[error("the brand looks like an address or a link; write the plain name, without the domain")]
    Link,
}

/// Why the messages cannot be made: found at start, with file and line.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TemplateError {
    /// The brand cannot stand in a message.
    #[error(transparent)]
    Brand(#[from] BrandError),
    /// The directory or a file in it cannot be read.
    #[error("cannot read `{path}`: make it readable to the server, or name another directory")]
    Unreadable {
        /// The directory or file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A folder whose name is no locale.
    #[error("`{path}` is not named after a locale; call it for instance `en`, `nb` or `pt-BR`")]
    Locale {
        /// The folder.
        path: PathBuf,
    },
    /// A file that no message uses.
    #[error("`{path}` is not a template that is used; the names are {expected}")]
    UnknownFile {
        /// The file.
        path: PathBuf,
        /// The names that are used.
        expected: String,
    },
    /// A file above 64 KiB or not in UTF-8.
    #[error("`{path}` is larger than 64 KiB or not UTF-8 text; save it as a short UTF-8 file")]
    NotText {
        /// The file.
        path: PathBuf,
    },
    /// A locale that has some of a channel's parts and lacks others.
    #[error("locale `{locale}` has no `{file}`, which its other files need; add it")]
    Incomplete {
        /// The locale.
        locale: String,
        /// The file that is missing.
        file: &'static str,
    },
    /// A syntax error.
    #[error("`{file}` line {line}: {problem}; correct the template")]
    Syntax {
        /// The file.
        file: String,
        /// The line, counted from 1.
        line: usize,
        /// What the template engine found.
        problem: String,
    },
    /// A name that no template knows.
    #[error(
        "`{file}` uses `{name}`, which is unknown; a template knows brand, code, minutes and lang"
    )]
    UnknownName {
        /// The file.
        file: String,
        /// The unknown name.
        name: String,
    },
    /// A template that compiles and cannot be rendered.
    #[error("`{file}` line {line} cannot be rendered: {problem}; correct the template")]
    Rendering {
        /// The file.
        file: String,
        /// The line, counted from 1; 0 where the whole file is meant.
        line: usize,
        /// What went wrong.
        problem: String,
    },
}

/// A message could not be rendered. It says nothing about why, since the reason could
/// quote the code; all templates were rendered once at start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the message could not be rendered")]
#[non_exhaustive]
pub struct RenderError;
