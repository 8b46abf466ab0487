//go:build cgo

// kansu_guard: run a function and survive a panic of the Rust library in it.
//
// wgpu-native reports most mistakes through error scopes. A few it treats as
// fatal, and one of them no check on our side can prevent: a device that is
// found lost while polling or submitting. Then it panics; the panic unwinds the
// C stack by the common ABI, finds no handler and aborts the process. This is
// that handler: a frame whose personality routine accepts every exception and
// resumes behind the call.
//
// It needs a library built before Rust 1.81 (later ones abort at the edge of
// every extern "C" function) and an unwinder of the Itanium ABI, which is
// linux/amd64 of the libraries that the binding ships. Elsewhere kansu_guard is
// a plain call, and such a panic ends the process.

#include "native_guard.h"

#if defined(__linux__) && defined(__x86_64__)

#include <stdint.h>
#include <unwind.h>

extern char kansu_guard_landing[] __attribute__((visibility("hidden")));

__attribute__((visibility("hidden"))) _Unwind_Reason_Code kansu_guard_personality(
	int version, _Unwind_Action actions, _Unwind_Exception_Class kind,
	struct _Unwind_Exception *exception, struct _Unwind_Context *context) {
	(void)version, (void)kind, (void)exception;
	if (actions & _UA_FORCE_UNWIND) // the thread is being cancelled, which is no panic
		return _URC_CONTINUE_UNWIND;
	if (actions & _UA_SEARCH_PHASE)
		return _URC_HANDLER_FOUND;
	if (actions & _UA_HANDLER_FRAME) {
		_Unwind_SetIP(context, (uintptr_t)kansu_guard_landing);
		return _URC_INSTALL_CONTEXT;
	}
	return _URC_CONTINUE_UNWIND;
}

// int kansu_guard_call(void (*fn)(void *), void *arg): 0, or 1 after a panic.
__asm__(
	".text\n"
	".p2align 4\n"
	".globl kansu_guard_call\n"
	".hidden kansu_guard_call\n"
	".type kansu_guard_call, @function\n"
	"kansu_guard_call:\n"
	"	.cfi_startproc\n"
	"	.cfi_personality 0x1b, kansu_guard_personality\n" // pc-relative, 4 bytes
	"	pushq %rbp\n"
	"	.cfi_def_cfa_offset 16\n"
	"	.cfi_offset %rbp, -16\n"
	"	movq %rsp, %rbp\n"
	"	.cfi_def_cfa_register %rbp\n"
	"	movq %rdi, %rax\n"
	"	movq %rsi, %rdi\n"
	"	call *%rax\n"
	"	xorl %eax, %eax\n"
	"	jmp 1f\n"
	".globl kansu_guard_landing\n"
	".hidden kansu_guard_landing\n"
	"kansu_guard_landing:\n"
	"	movl $1, %eax\n"
	"1:	popq %rbp\n"
	"	.cfi_def_cfa %rsp, 8\n"
	"	ret\n"
	"	.cfi_endproc\n"
	".size kansu_guard_call, .-kansu_guard_call\n");

int kansu_guard_call(void (*fn)(void *), void *arg);

int kansu_guarded(void) { return 1; }

#else

static int kansu_guard_call(void (*fn)(void *), void *arg) {
	fn(arg);
	return 0;
}

int kansu_guarded(void) { return 0; }

#endif

// A thread that caught a panic is in Rust's eyes still panicking: the library
// skips the clean-up of what it drops there, and a second panic on it aborts.
static _Thread_local int tainted;

int kansu_guard(void (*fn)(void *), void *arg) {
	if (tainted)
		return KANSU_TAINTED;
	if (kansu_guard_call(fn, arg)) {
		tainted = 1;
		return KANSU_PANICKED;
	}
	return KANSU_OK;
}
