//go:build cgo

// Buffers, layouts, kernels, bind groups, query sets. See native_shim.h.

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "native_private.h"

// ---- buffers ----------------------------------------------------------------

typedef struct {
	kansu_device *dev;
	void *buffer;
	uint64_t size, offset;
	uint32_t usage;
	void const *data;
	kansu_caught c;
} buffer_args;

static void do_buffer_new(void *p) {
	buffer_args *a = p;
	KWBufferDescriptor desc;
	memset(&desc, 0, sizeof desc);
	desc.usage = a->usage;
	desc.size = a->size;
	kansu_scopes_open(a->dev);
	a->buffer = wgpuDeviceCreateBuffer(a->dev->device, &desc);
	kansu_scopes_close(a->dev, &a->c);
	if (a->c.kind && a->buffer) {
		wgpuBufferRelease(a->buffer);
		a->buffer = NULL;
	}
}

int kansu_buffer_new(kansu_device *dev, uint64_t size, uint32_t usage, void **buffer, kansu_message *msg) {
	buffer_args a = {.dev = dev, .size = size, .usage = usage};
	int rc = kansu_outcome(dev, kansu_guard(do_buffer_new, &a), &a.c, msg);
	*buffer = a.buffer;
	return rc;
}

static void do_buffer_free(void *p) { wgpuBufferRelease(p); }

int kansu_buffer_free(kansu_device *dev, void *buffer) {
	return atomic_load(&dev->lost) ? KANSU_LOST : kansu_guard(do_buffer_free, buffer);
}

static void do_buffer_write(void *p) {
	buffer_args *a = p;
	kansu_scopes_open(a->dev);
	wgpuQueueWriteBuffer(a->dev->queue, a->buffer, a->offset, a->data, a->size);
	kansu_scopes_close(a->dev, &a->c);
}

int kansu_buffer_write(kansu_device *dev, void *buffer, uint64_t offset, void const *data, size_t size, kansu_message *msg) {
	buffer_args a = {.dev = dev, .buffer = buffer, .size = size, .offset = offset, .data = data};
	return kansu_outcome(dev, kansu_guard(do_buffer_write, &a), &a.c, msg);
}

// ---- layouts, kernels, bind groups ------------------------------------------

typedef struct {
	kansu_device *dev;
	uint32_t param_bytes;
	size_t count;
	unsigned char const *writes;
	void *group_layout, *pipeline_layout;
	KWBindGroupLayoutEntry *entries;
	kansu_caught c;
} layout_args;

static void do_layout_new(void *p) {
	layout_args *a = p;
	size_t n = 0;
	if (a->param_bytes) {
		KWBindGroupLayoutEntry *e = &a->entries[n++];
		e->binding = 0;
		e->visibility = KW_STAGE_COMPUTE;
		e->buffer.type = KW_BINDING_UNIFORM;
		e->buffer.hasDynamicOffset = 1;
		e->buffer.minBindingSize = a->param_bytes;
	}
	for (size_t i = 0; i < a->count; i++) {
		KWBindGroupLayoutEntry *e = &a->entries[n++];
		e->binding = (uint32_t)(i + 1);
		e->visibility = KW_STAGE_COMPUTE;
		e->buffer.type = a->writes[i] ? KW_BINDING_STORAGE : KW_BINDING_READ_ONLY_STORAGE;
	}
	KWBindGroupLayoutDescriptor group;
	memset(&group, 0, sizeof group);
	group.entryCount = n;
	group.entries = a->entries;
	kansu_scopes_open(a->dev);
	a->group_layout = wgpuDeviceCreateBindGroupLayout(a->dev->device, &group);
	KWPipelineLayoutDescriptor pipeline;
	memset(&pipeline, 0, sizeof pipeline);
	pipeline.bindGroupLayoutCount = 1;
	pipeline.bindGroupLayouts = &a->group_layout;
	a->pipeline_layout = wgpuDeviceCreatePipelineLayout(a->dev->device, &pipeline);
	kansu_scopes_close(a->dev, &a->c);
	if (a->c.kind) {
		wgpuPipelineLayoutRelease(a->pipeline_layout);
		wgpuBindGroupLayoutRelease(a->group_layout);
		a->pipeline_layout = a->group_layout = NULL;
	}
}

int kansu_layout_new(kansu_device *dev, uint32_t param_bytes, size_t count, unsigned char const *writes,
	void **group_layout, void **pipeline_layout, kansu_message *msg) {
	layout_args a = {.dev = dev, .param_bytes = param_bytes, .count = count, .writes = writes};
	a.entries = calloc(count + 1, sizeof *a.entries);
	if (!a.entries)
		return KANSU_NO_MEMORY;
	int rc = kansu_outcome(dev, kansu_guard(do_layout_new, &a), &a.c, msg);
	free(a.entries);
	*group_layout = a.group_layout;
	*pipeline_layout = a.pipeline_layout;
	return rc;
}

static void do_layout_free(void *p) {
	layout_args *a = p;
	wgpuPipelineLayoutRelease(a->pipeline_layout);
	wgpuBindGroupLayoutRelease(a->group_layout);
}

int kansu_layout_free(kansu_device *dev, void *group_layout, void *pipeline_layout) {
	layout_args a = {.group_layout = group_layout, .pipeline_layout = pipeline_layout};
	return atomic_load(&dev->lost) ? KANSU_LOST : kansu_guard(do_layout_free, &a);
}

typedef struct {
	kansu_device *dev;
	void *layout, *pipeline;
	char const *source, *entry;
	kansu_caught c;
} kernel_args;

static void do_kernel_new(void *p) {
	kernel_args *a = p;
	KWShaderModuleWGSLDescriptor wgsl = {{NULL, KW_SHADER_WGSL}, a->source};
	KWShaderModuleDescriptor desc;
	memset(&desc, 0, sizeof desc);
	desc.nextInChain = &wgsl.chain;
	kansu_scopes_open(a->dev);
	void *module = wgpuDeviceCreateShaderModule(a->dev->device, &desc);
	kansu_scopes_close(a->dev, &a->c);
	if (a->c.kind) {
		if (module)
			wgpuShaderModuleRelease(module);
		return;
	}
	KWComputePipelineDescriptor pipeline;
	memset(&pipeline, 0, sizeof pipeline);
	pipeline.layout = a->layout;
	pipeline.compute.module = module;
	pipeline.compute.entryPoint = a->entry;
	kansu_scopes_open(a->dev);
	a->pipeline = wgpuDeviceCreateComputePipeline(a->dev->device, &pipeline);
	kansu_scopes_close(a->dev, &a->c);
	wgpuShaderModuleRelease(module);
	if (a->c.kind && a->pipeline) {
		wgpuComputePipelineRelease(a->pipeline);
		a->pipeline = NULL;
	}
}

int kansu_kernel_new(kansu_device *dev, void *pipeline_layout, char const *source, char const *entry,
	void **pipeline, kansu_message *msg) {
	kernel_args a = {.dev = dev, .layout = pipeline_layout, .source = source, .entry = entry};
	int rc = kansu_outcome(dev, kansu_guard(do_kernel_new, &a), &a.c, msg);
	*pipeline = a.pipeline;
	return rc;
}

static void do_kernel_free(void *p) { wgpuComputePipelineRelease(p); }

int kansu_kernel_free(kansu_device *dev, void *pipeline) {
	return atomic_load(&dev->lost) ? KANSU_LOST : kansu_guard(do_kernel_free, pipeline);
}

typedef struct {
	kansu_device *dev;
	KWBindGroupDescriptor desc;
	void *group;
	kansu_caught c;
} group_args;

static void do_group_new(void *p) {
	group_args *a = p;
	kansu_scopes_open(a->dev);
	a->group = wgpuDeviceCreateBindGroup(a->dev->device, &a->desc);
	kansu_scopes_close(a->dev, &a->c);
	if (a->c.kind && a->group) {
		wgpuBindGroupRelease(a->group);
		a->group = NULL;
	}
}

int kansu_group_new(kansu_device *dev, void *group_layout, void *arena, uint32_t param_bytes, size_t count,
	void *const *buffers, uint64_t const *sizes, void **group, kansu_message *msg) {
	KWBindGroupEntry *entries = calloc(count + 1, sizeof *entries);
	if (!entries)
		return KANSU_NO_MEMORY;
	size_t n = 0;
	if (param_bytes) {
		entries[n].buffer = arena;
		entries[n++].size = param_bytes;
	}
	for (size_t i = 0; i < count; i++) {
		entries[n].binding = (uint32_t)(i + 1);
		entries[n].buffer = buffers[i];
		entries[n++].size = sizes[i];
	}
	group_args a;
	memset(&a, 0, sizeof a);
	a.dev = dev;
	a.desc.layout = group_layout;
	a.desc.entryCount = n;
	a.desc.entries = entries;
	int rc = kansu_outcome(dev, kansu_guard(do_group_new, &a), &a.c, msg);
	free(entries);
	*group = a.group;
	return rc;
}

static void do_group_free(void *p) { wgpuBindGroupRelease(p); }

int kansu_group_free(kansu_device *dev, void *group) {
	return atomic_load(&dev->lost) ? KANSU_LOST : kansu_guard(do_group_free, group);
}

typedef struct {
	kansu_device *dev;
	void *queries;
	kansu_caught c;
} queries_args;

static void do_queries_new(void *p) {
	queries_args *a = p;
	KWQuerySetDescriptor desc;
	memset(&desc, 0, sizeof desc);
	desc.type = KW_QUERY_TIMESTAMP;
	desc.count = 2;
	kansu_scopes_open(a->dev);
	a->queries = wgpuDeviceCreateQuerySet(a->dev->device, &desc);
	kansu_scopes_close(a->dev, &a->c);
}

int kansu_queries_new(kansu_device *dev, void **queries, kansu_message *msg) {
	queries_args a = {.dev = dev};
	int rc = kansu_outcome(dev, kansu_guard(do_queries_new, &a), &a.c, msg);
	*queries = a.queries;
	return rc;
}

static void do_queries_free(void *p) { wgpuQuerySetRelease(p); }

int kansu_queries_free(kansu_device *dev, void *queries) {
	return atomic_load(&dev->lost) ? KANSU_LOST : kansu_guard(do_queries_free, queries);
}
