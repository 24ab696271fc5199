//! Peak heap by an allocator that counts, peak stack by a painted stack.
//!
//! Whoever uses this makes [`Counting`] the global allocator.

use std::{
	alloc::{GlobalAlloc, Layout, System},
	cell::Cell,
	hint::black_box,
};

/// The allocator of the system, and how much it has given out on each thread.
pub struct Counting;

thread_local! {
	// Below zero for a thread that frees what another one has allocated.
	static NOW: Cell<isize> = const { Cell::new(0) };
	static PEAK: Cell<isize> = const { Cell::new(0) };
}

// Counts per thread, as a test harness allocates on threads of its own.
unsafe impl GlobalAlloc for Counting {
	unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
		let now = NOW.get() + layout.size() as isize;
		NOW.set(now);
		PEAK.set(PEAK.get().max(now));
		unsafe { System.alloc(layout) }
	}

	unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
		NOW.set(NOW.get() - layout.size() as isize);
		unsafe { System.dealloc(pointer, layout) }
	}
}

/// The most bytes that `work` had allocated at a time.
pub fn heap_of<T>(work: impl FnOnce() -> T) -> usize {
	let before = NOW.get();
	PEAK.set(before);
	black_box(work());
	(PEAK.get() - before) as usize
}

/// The stack of a thread on which [`stack_of`] may be called.
pub const STACK: usize = 1024 * 1024;
const PAINTED: usize = 512 * 1024;
const PAINT: u8 = 0xa5;

/// The most bytes of stack that `work` has used: what it has painted over below here.
#[inline(never)]
pub fn stack_of(work: impl FnOnce()) -> usize {
	let mark = 0u8;
	// Leaves room for the frames of this function and of those that paint.
	let top = (&raw const mark as usize) - 4096;
	// SAFETY: the thread was started with a stack of `STACK` bytes, of which little is used; what is painted lies
	// below every live frame.
	for address in top - PAINTED..top {
		unsafe { (address as *mut u8).write_volatile(PAINT) };
	}
	work();
	let untouched = (top - PAINTED..top)
		.take_while(|address| unsafe { (*address as *const u8).read_volatile() } == PAINT)
		.count();
	PAINTED - untouched + 4096
}
