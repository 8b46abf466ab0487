//go:build cgo

// The C half of the native driver. Everything that calls the WebGPU library
// is here, for three reasons: callbacks write to C memory, so that Go's
// garbage collector never meets them; every call runs under guard(), so that
// a panic of the Rust library becomes an error where that can be done; and a
// whole submission is encoded in one crossing from Go to C.

#ifndef KANSU_NATIVE_SHIM_H
#define KANSU_NATIVE_SHIM_H

#include <stddef.h>
#include <stdint.h>

// What a call returns.
enum {
	KANSU_OK = 0,
	KANSU_REFUSED = 1,   // the library refused: validation, or anything not named below
	KANSU_NO_MEMORY = 2, // out of device memory
	KANSU_LOST = 3,      // the device is lost
	KANSU_PANICKED = 4,  // the library panicked and the panic was caught
	KANSU_TAINTED = 5,   // this thread caught a panic before: call from another one
	KANSU_PENDING = 6,   // not done within the time given
};

// A message of the library, to be freed by the caller. NULL: none.
typedef struct {
	char *text;
} kansu_message;

typedef struct {
	char name[256], vendor[256], driver[256];
	uint32_t type, backend, vendor_id;
	uint64_t max_buffer, max_binding, max_uniform_binding;
	uint32_t max_workgroup_storage, max_invocations;
	uint32_t max_size_x, max_size_y, max_size_z, max_groups;
	uint32_t max_storage_buffers, max_bindings, min_uniform_align;
	size_t feature_count;
	uint32_t features[128];
} kansu_adapter_info;

// A device and its queue. completed counts finished submissions: a callback
// of the library raises it, kansu_wait polls for it.
typedef struct kansu_device kansu_device;

typedef struct {
	void *pipeline, *group;
	uint32_t offset;      // dynamic offset of the parameters in the arena
	uint32_t has_params;
	uint32_t x, y, z, pad;
} kansu_dispatch;

typedef struct {
	void *from;
	uint64_t from_offset;
	void *to;
	uint64_t to_offset, size;
} kansu_copy;

typedef struct {
	uint64_t seq;           // number of this submission, counted from 1
	void *arena;            // receives the parameters before the work
	size_t param_bytes;
	size_t dispatch_count;
	size_t copy_count;      // copies come after the dispatches
	void *queries;          // a timestamp query set, or NULL
	uint32_t begin_query;   // write timestamp 0 before the dispatches
	uint32_t end_query;     // write timestamp 1 after them and resolve both into resolve
	void *resolve;
} kansu_submission;

int kansu_instance(void **instance);
int kansu_adapter_count(void *instance, size_t *count);
int kansu_adapters(void *instance, void **adapters);
int kansu_adapter_describe(void *adapter, kansu_adapter_info *info);
void kansu_adapter_release(void *adapter);

int kansu_device_open(void *adapter, int timestamps, kansu_device **dev, kansu_message *msg);
void kansu_device_close(kansu_device *dev); // only when nothing is in flight
int kansu_device_lost(kansu_device *dev, kansu_message *msg);
int kansu_uncaptured(kansu_device *dev, kansu_message *msg); // takes the recorded error, if any

int kansu_buffer_new(kansu_device *dev, uint64_t size, uint32_t usage, void **buffer, kansu_message *msg);
int kansu_buffer_free(kansu_device *dev, void *buffer);
int kansu_buffer_write(kansu_device *dev, void *buffer, uint64_t offset, void const *data, size_t size, kansu_message *msg);

// A bind-group layout with an optional uniform block at binding 0 and the
// storage buffers behind it, and the pipeline layout of that group alone.
int kansu_layout_new(kansu_device *dev, uint32_t param_bytes, size_t count, unsigned char const *writes,
	void **group_layout, void **pipeline_layout, kansu_message *msg);
int kansu_layout_free(kansu_device *dev, void *group_layout, void *pipeline_layout);

int kansu_kernel_new(kansu_device *dev, void *pipeline_layout, char const *source, char const *entry,
	void **pipeline, kansu_message *msg);
int kansu_kernel_free(kansu_device *dev, void *pipeline);

int kansu_group_new(kansu_device *dev, void *group_layout, void *arena, uint32_t param_bytes, size_t count,
	void *const *buffers, uint64_t const *sizes, void **group, kansu_message *msg);
int kansu_group_free(kansu_device *dev, void *group);

int kansu_queries_new(kansu_device *dev, void **queries, kansu_message *msg);
int kansu_queries_free(kansu_device *dev, void *queries);

int kansu_submit(kansu_device *dev, kansu_submission const *s, void const *params,
	kansu_dispatch const *dispatches, kansu_copy const *copies, kansu_message *msg);

// Waits until submission seq is complete, at most budget nanoseconds. waited
// says how long the caller waited for it already: the pauses between polls
// grow with the total, so that a long wait costs no CPU and a short one no
// latency. It never uses the library's own blocking wait: that one keeps other
// threads from submitting, and takes unfinished work for finished after 5 s.
int kansu_wait(kansu_device *dev, uint64_t seq, uint64_t waited, uint64_t budget);

// Maps the first size bytes of a buffer whose last submission is complete,
// copies used bytes to dst and unmaps it.
int kansu_read(kansu_device *dev, void *buffer, size_t size, void *dst, size_t used, kansu_message *msg);

// For the tests of the guard: submits a copy from a buffer that was destroyed
// in between, on which the library panics.
int kansu_provoke_panic(kansu_device *dev, kansu_message *msg);

// 1 where panics of the library are caught.
int kansu_guarded(void);

#endif
