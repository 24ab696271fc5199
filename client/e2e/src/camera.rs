//! A camera before a terminal.

/// The upper and the lower half of a character of the drawing: whether the terminal lights it up.
fn halves(drawn: char) -> [bool; 2] {
	match drawn {
		'█' => [true; 2],
		'▀' => [true, false],
		'▄' => [false, true],
		_ => [false; 2],
	}
}

/// What a camera reads off a terminal that shows these lines in light colour on dark ground.
pub fn scan(printed: &str) -> String {
	/// Pixels of a module, in both directions.
	const SCALE: usize = 4;
	let is_drawn = |line: &&str| line.chars().any(|c| "█▀▄".contains(c));
	let rows: Vec<Vec<bool>> = printed
		.lines()
		.filter(is_drawn)
		.flat_map(|line| [0, 1].map(|half| line.chars().map(|c| halves(c)[half]).collect()))
		.collect();
	let width = rows.iter().map(Vec::len).max().expect("there is a drawing");
	let is_dark = |x: usize, y: usize| !rows[y / SCALE].get(x / SCALE).copied().unwrap_or(false);
	let (width, height) = (width * SCALE, rows.len() * SCALE);
	let mut image = rqrr::PreparedImage::prepare_from_bitmap(width, height, is_dark);
	let found = image.detect_grids();
	let [code] = &found[..] else { panic!("{} codes in\n{printed}", found.len()) };
	code.decode().expect("it can be read").1
}
