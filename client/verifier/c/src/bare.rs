//! What a target without an operating system lacks, from the C library of the firmware.

use core::{
	alloc::{GlobalAlloc, Layout},
	ffi::c_void,
	panic::PanicInfo,
	ptr,
};

unsafe extern "C" {
	fn malloc(len: usize) -> *mut c_void;
	fn free(pointer: *mut c_void);
	safe fn abort() -> !;
}

struct FromC;

/// The alignment that C guarantees for `malloc` on every target: that of `double`, 8 bytes.
const ALIGNMENT: usize = 8;

// SAFETY: `malloc` and `free` keep the contract of an allocator up to this alignment; more is refused.
unsafe impl GlobalAlloc for FromC {
	unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
		if layout.align() > ALIGNMENT {
			return ptr::null_mut();
		}
		// SAFETY: any length may be asked for.
		unsafe { malloc(layout.size()) }.cast()
	}

	unsafe fn dealloc(&self, pointer: *mut u8, _: Layout) {
		// SAFETY: it came from `malloc`.
		unsafe { free(pointer.cast()) }
	}
}

#[global_allocator]
static ALLOCATOR: FromC = FromC;

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
	abort()
}
