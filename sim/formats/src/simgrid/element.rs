//! A text as elements with attributes and lines.

use std::borrow::Cow;

use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

use super::error::{Fault, SimGridError};

/// Most elements inside each other: more than zones may nest.
const MAX_DEPTH: usize = 128;

/// The begin of an element.
#[derive(Debug)]
pub(super) struct Element<'a> {
    pub(super) name: String,
    pub(super) line: u32,
    attributes: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

impl Element<'_> {
    /// An attribute; an empty one counts as absent, as `SimGrid` has it.
    pub(super) fn get(&self, attribute: &str) -> Option<&str> {
        let mut pairs = self.attributes.iter();
        let (_, value) = pairs.find(|(name, _)| name == attribute)?;
        (!value.is_empty()).then_some(&**value)
    }

    /// An attribute that must stand there, even if it is empty.
    pub(super) fn need(&self, attribute: &'static str) -> Result<&str, Fault> {
        let mut pairs = self.attributes.iter();
        let found = pairs.find(|(name, _)| name == attribute);
        found
            .map(|(_, value)| &**value)
            .ok_or_else(|| Fault::Missing {
                element: self.name.clone(),
                attribute,
            })
    }

    /// The names of all attributes.
    pub(super) fn attributes(&self) -> impl Iterator<Item = &str> {
        self.attributes.iter().map(|(name, _)| &**name)
    }
}

/// What a reader comes to.
#[derive(Debug)]
pub(super) enum Step<'a> {
    /// An element begins.
    Begin(Element<'a>),
    /// The element of that name, begun last, ends.
    End(u32),
}

/// Elements of a text in order.
#[derive(Debug)]
pub(super) struct Elements<'a> {
    text: &'a str,
    reader: Reader<&'a [u8]>,
    /// The line of that byte.
    line: u32,
    counted: usize,
    open: Vec<String>,
    /// Whether the element that began last has ended already.
    empty: bool,
}

impl<'a> Elements<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            text,
            reader: Reader::from_str(text),
            line: 1,
            counted: 0,
            open: Vec::new(),
            empty: false,
        }
    }

    /// The line that the reader is on.
    fn here(&mut self) -> u32 {
        let position = usize::try_from(self.reader.buffer_position()).unwrap_or(usize::MAX);
        let position = position.min(self.text.len());
        let read = &self.text.as_bytes()[self.counted.min(position)..position];
        let lines = read.split(|&byte| byte == b'\n').count() - 1;
        self.line = self
            .line
            .saturating_add(u32::try_from(lines).unwrap_or(u32::MAX));
        self.counted = self.counted.max(position);
        self.line
    }

    /// The next element that begins or ends; `None` at the end of the text.
    pub(super) fn next(&mut self) -> Result<Option<Step<'a>>, SimGridError> {
        if std::mem::take(&mut self.empty) {
            self.open.pop();
            return Ok(Some(Step::End(self.line)));
        }
        loop {
            let line = self.here();
            let failed = |fault| SimGridError { line, fault };
            let event = match self.reader.read_event() {
                Ok(event) => event,
                Err(error) => {
                    let line = self.here();
                    let fault = self.unread(&error);
                    return Err(SimGridError { line, fault });
                }
            };
            match event {
                Event::Start(start) => return self.begin(&start, line).map(Some),
                Event::Empty(start) => {
                    let step = self.begin(&start, line)?;
                    self.empty = true;
                    return Ok(Some(step));
                }
                Event::End(_) => {
                    self.open.pop();
                    return Ok(Some(Step::End(line)));
                }
                Event::DocType(text) if text.contains('[') => return Err(failed(Fault::Entities)),
                Event::GeneralRef(_) => return Err(failed(Fault::Entities)),
                Event::Eof => return self.end().map(|()| None),
                _ => {}
            }
        }
    }

    /// What a reader's error means: one of syntax at the end of the text is a lack of more.
    fn unread(&self, error: &quick_xml::Error) -> Fault {
        match (self.open.last(), error) {
            (Some(element), quick_xml::Error::Syntax(_)) => Fault::Truncated {
                element: element.clone(),
            },
            _ => Fault::Xml(error.to_string().chars().take(200).collect()),
        }
    }

    fn end(&mut self) -> Result<(), SimGridError> {
        let line = self.here();
        match self.open.last() {
            None => Ok(()),
            Some(element) => Err(SimGridError {
                line,
                fault: Fault::Truncated {
                    element: element.clone(),
                },
            }),
        }
    }

    fn begin(&mut self, start: &BytesStart<'a>, line: u32) -> Result<Step<'a>, SimGridError> {
        let failed = |fault| SimGridError { line, fault };
        let xml = |error: &dyn std::fmt::Display| failed(Fault::Xml(error.to_string()));
        let name: String = start.name().as_ref().chars().take(60).collect();
        self.open.push(name.clone());
        if MAX_DEPTH < self.open.len() {
            return Err(failed(Fault::TooDeep { limit: MAX_DEPTH }));
        }
        let mut attributes = Vec::new();
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|error| xml(&error))?;
            let key = attribute.key.as_ref().to_owned();
            let value = attribute.normalized_value(XmlVersion::Explicit1_0);
            let value = value.map_err(|error| xml(&error))?.into_owned();
            attributes.push((Cow::Owned(key), Cow::Owned(value)));
        }
        Ok(Step::Begin(Element {
            name,
            line,
            attributes,
        }))
    }
}
