//go:build cgo

#ifndef KANSU_NATIVE_GUARD_H
#define KANSU_NATIVE_GUARD_H

enum {
	KANSU_OK = 0,
	KANSU_PANICKED = 1, // the library panicked in the call
	KANSU_TAINTED = 2,  // not called: this thread caught a panic before
};

// Runs fn(arg) and survives a panic of the library in it, where that can be
// done.
int kansu_guard(void (*fn)(void *), void *arg);

// 1 where panics are caught, 0 where they end the process.
int kansu_guarded(void);

#endif
