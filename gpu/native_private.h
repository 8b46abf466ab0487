//go:build cgo

// What the C files of the native driver share.

#ifndef KANSU_NATIVE_PRIVATE_H
#define KANSU_NATIVE_PRIVATE_H

#include <stdatomic.h>
#include <stdint.h>

#include "native_api.h"
#include "native_shim.h"

struct kansu_device {
	void *device, *queue;
	_Atomic uint64_t completed;  // submissions up to this one are complete
	atomic_int lost;
	atomic_int polling;          // one thread at a time polls
	_Atomic(char *) lost_text;
	_Atomic(char *) uncaptured;  // first error that no scope caught
};

// What the error scopes around a call caught.
typedef struct {
	int kind; // KANSU_OK: nothing
	char *text;
} kansu_caught;

// Runs fn(arg). KANSU_OK, or KANSU_PANICKED when the library panicked in it,
// or KANSU_TAINTED, without a call, on a thread where that happened before.
int kansu_guard(void (*fn)(void *), void *arg);

// Error scopes are a stack of the device: open, call and close them while no
// other thread does (the Go side holds the device's lock).
void kansu_scopes_open(kansu_device *dev);
void kansu_scopes_close(kansu_device *dev, kansu_caught *c);

// The result of a guarded call with error scopes; hands the text on to msg.
int kansu_outcome(kansu_device *dev, int rc, kansu_caught *c, kansu_message *msg);

char *kansu_copy_text(char const *text);

#endif
