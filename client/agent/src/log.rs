//! How the log is written: lines for people, or one JSON object per line for programs.
//!
//! What is logged are events with fields; neither form knows more than the other. No secret is ever a field.

use crate::run::clock;
use serde_json::{Map, Value, json};
use std::fmt;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tracing::{
	Event, Subscriber,
	field::{Field, Visit},
};
use tracing_subscriber::{
	fmt::{FmtContext, FormatEvent, FormatFields, format::Writer},
	registry::LookupSpan,
};

/// One JSON object per event, with `time`, `level`, `target`, `message` and `fields`.
#[derive(Clone, Copy, Debug, Default)]
pub struct JsonLines;

impl<S, N> FormatEvent<S, N> for JsonLines
where
	S: Subscriber + for<'a> LookupSpan<'a>,
	N: for<'a> FormatFields<'a> + 'static,
{
	fn format_event(
		&self,
		_: &FmtContext<'_, S, N>,
		mut writer: Writer<'_>,
		event: &Event<'_>,
	) -> fmt::Result {
		let mut fields = Fields::default();
		event.record(&mut fields);
		let Fields(mut fields) = fields;
		let message = fields.remove("message").unwrap_or_default();
		// Events of the older kind of log bring where they are from as fields.
		let target =
			fields.remove("log.target").unwrap_or_else(|| event.metadata().target().into());
		fields.retain(|name, _| !name.starts_with("log."));
		let line = json!({
			"time": now(),
			"level": event.metadata().level().as_str(),
			"target": target,
			"message": message,
			"fields": fields,
		});
		writeln!(writer, "{line}")
	}
}

fn now() -> String {
	OffsetDateTime::from_unix_timestamp_nanos(i128::from(clock()) * 1_000_000)
		.ok()
		.and_then(|at| at.format(&Rfc3339).ok())
		.unwrap_or_default()
}

#[derive(Default)]
struct Fields(Map<String, Value>);

impl Fields {
	fn set(&mut self, field: &Field, value: impl Into<Value>) {
		self.0.insert(field.name().into(), value.into());
	}
}

impl Visit for Fields {
	fn record_i64(&mut self, field: &Field, value: i64) {
		self.set(field, value);
	}

	fn record_u64(&mut self, field: &Field, value: u64) {
		self.set(field, value);
	}

	fn record_bool(&mut self, field: &Field, value: bool) {
		self.set(field, value);
	}

	fn record_str(&mut self, field: &Field, value: &str) {
		self.set(field, value);
	}

	fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
		self.set(field, format!("{value:?}"));
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use std::{
		io,
		sync::{Arc, Mutex},
	};

	#[derive(Clone, Default)]
	struct Heard(Arc<Mutex<Vec<u8>>>);

	impl io::Write for Heard {
		fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
			self.0.lock().unwrap().extend_from_slice(bytes);
			Ok(bytes.len())
		}

		fn flush(&mut self) -> io::Result<()> {
			Ok(())
		}
	}

	#[test]
	fn an_event_is_a_line_of_json_with_its_fields() {
		let heard = Heard::default();
		let writer = heard.clone();
		let subscriber = tracing_subscriber::fmt()
			.event_format(JsonLines)
			.with_writer(move || writer.clone())
			.finish();
		tracing::subscriber::with_default(subscriber, || {
			tracing::warn!(sequence = 7, closed = true, reason = "a \"word\"", "not\ntaken");
			tracing::info!(device = %"drone-7", "following");
		});
		let text = String::from_utf8(heard.0.lock().unwrap().clone()).unwrap();
		let lines: Vec<Value> =
			text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
		assert_eq!(lines.len(), 2, "{text}");
		assert_eq!(
			(&lines[0]["level"], &lines[0]["message"]),
			(&json!("WARN"), &json!("not\ntaken"))
		);
		let fields = json!({ "sequence": 7, "closed": true, "reason": "a \"word\"" });
		assert_eq!(lines[0]["fields"], fields);
		assert_eq!(lines[1]["fields"]["device"], "drone-7");
		assert!(lines[1]["target"].as_str().unwrap().contains("log"), "{text}");
		assert!(lines[1]["time"].as_str().unwrap().ends_with('Z'), "{text}");
	}
}
