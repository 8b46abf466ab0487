//go:build cgo

// Errors, instance, adapters, device. See native_shim.h.

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "native_private.h"

char *kansu_copy_text(char const *text) {
	size_t n = text ? strlen(text) : 0;
	char *c = malloc(n + 1);
	if (c) {
		memcpy(c, text ? text : "", n);
		c[n] = 0;
	}
	return c;
}

// Keeps the first text that is put into slot.
static void keep_first(_Atomic(char *) *slot, char const *text) {
	char *none = NULL, *mine = kansu_copy_text(text);
	if (!atomic_compare_exchange_strong(slot, &none, mine))
		free(mine);
}

// ---- errors -----------------------------------------------------------------

static void on_scope_error(uint32_t type, char const *message, void *userdata) {
	kansu_caught *c = userdata;
	if (type == KW_ERROR_NONE || c->kind)
		return;
	c->kind = type == KW_ERROR_OUT_OF_MEMORY ? KANSU_NO_MEMORY : type == KW_ERROR_DEVICE_LOST ? KANSU_LOST : KANSU_REFUSED;
	c->text = kansu_copy_text(message);
}

static void on_uncaptured(uint32_t type, char const *message, void *userdata) {
	kansu_device *dev = userdata;
	if (type != KW_ERROR_NONE)
		keep_first(&dev->uncaptured, message);
}

static void on_lost(uint32_t reason, char const *message, void *userdata) {
	(void)reason;
	kansu_device *dev = userdata;
	keep_first(&dev->lost_text, message);
	atomic_store(&dev->lost, 1);
}

void kansu_scopes_open(kansu_device *dev) {
	wgpuDevicePushErrorScope(dev->device, KW_FILTER_VALIDATION);
	wgpuDevicePushErrorScope(dev->device, KW_FILTER_OUT_OF_MEMORY);
}

void kansu_scopes_close(kansu_device *dev, kansu_caught *c) {
	wgpuDevicePopErrorScope(dev->device, on_scope_error, c);
	wgpuDevicePopErrorScope(dev->device, on_scope_error, c);
}

int kansu_outcome(kansu_device *dev, int rc, kansu_caught *c, kansu_message *msg) {
	if (rc != KANSU_OK) {
		free(c->text);
		return rc;
	}
	if (c->kind) {
		if (msg)
			msg->text = c->text;
		else
			free(c->text);
		return c->kind;
	}
	return atomic_load(&dev->lost) ? KANSU_LOST : KANSU_OK;
}

int kansu_device_lost(kansu_device *dev, kansu_message *msg) {
	if (!atomic_load(&dev->lost))
		return 0;
	char *text = atomic_load(&dev->lost_text);
	msg->text = text ? kansu_copy_text(text) : NULL;
	return 1;
}

int kansu_uncaptured(kansu_device *dev, kansu_message *msg) {
	msg->text = atomic_exchange(&dev->uncaptured, NULL);
	return msg->text != NULL;
}

// ---- instance and adapters --------------------------------------------------

static void do_instance(void *p) {
	wgpuSetLogLevel(KW_LOG_OFF);
	// OpenGL stays out: it cannot run these shaders well, and merely looking for
	// it makes Mesa write to standard error.
	KWInstanceExtras extras = {
		.chain = {NULL, KW_INSTANCE_EXTRAS},
		.backends = KW_BACKEND_VULKAN | KW_BACKEND_METAL | KW_BACKEND_DX12,
	};
	KWInstanceDescriptor desc = {&extras.chain};
	*(void **)p = wgpuCreateInstance(&desc);
}

// Mesa's device-select layer asks the window system which GPU it shows its
// pictures on, and libwayland complains on standard error where there is none
// (XDG_RUNTIME_DIR). Adapters are ranked by kind here, so the layer is left out
// by its own switch, for the moment in which the Vulkan instance is made and
// unless the user gave it something to do.
static int leave_out_device_select(void) {
#ifdef __linux__
	return !getenv("NODEVICE_SELECT") && !getenv("MESA_VK_DEVICE_SELECT") && !getenv("DRI_PRIME") &&
		setenv("NODEVICE_SELECT", "1", 1) == 0;
#else
	return 0;
#endif
}

int kansu_instance(void **instance) {
	*instance = NULL;
	int set = leave_out_device_select();
	int rc = kansu_guard(do_instance, instance);
#ifdef __linux__
	if (set)
		unsetenv("NODEVICE_SELECT");
#endif
	(void)set;
	return rc ? rc : *instance ? KANSU_OK : KANSU_REFUSED;
}

typedef struct {
	void *instance;
	void **adapters;
	size_t count;
} adapters_args;

static void do_adapters(void *p) {
	adapters_args *a = p;
	a->count = wgpuInstanceEnumerateAdapters(a->instance, NULL, a->adapters);
}

int kansu_adapter_count(void *instance, size_t *count) {
	adapters_args a = {instance, NULL, 0};
	int rc = kansu_guard(do_adapters, &a);
	*count = a.count;
	return rc;
}

int kansu_adapters(void *instance, void **adapters) {
	adapters_args a = {instance, adapters, 0};
	return kansu_guard(do_adapters, &a);
}

static void put_text(char *to, size_t size, char const *text) {
	strncpy(to, text ? text : "", size - 1);
	to[size - 1] = 0;
}

typedef struct {
	void *adapter;
	kansu_adapter_info *info;
} describe_args;

static void do_describe(void *p) {
	describe_args *a = p;
	kansu_adapter_info *to = a->info;

	KWAdapterInfo info;
	memset(&info, 0, sizeof info);
	wgpuAdapterGetInfo(a->adapter, &info);
	put_text(to->vendor, sizeof to->vendor, info.vendor);
	put_text(to->name, sizeof to->name, info.device);
	put_text(to->driver, sizeof to->driver, info.description);
	to->type = info.adapterType;
	to->backend = info.backendType;
	to->vendor_id = info.vendorID;
	wgpuAdapterInfoFreeMembers(info);

	KWSupportedLimits limits;
	memset(&limits, 0, sizeof limits);
	wgpuAdapterGetLimits(a->adapter, &limits);
	KWLimits *l = &limits.limits;
	to->max_buffer = l->maxBufferSize;
	to->max_binding = l->maxStorageBufferBindingSize;
	to->max_uniform_binding = l->maxUniformBufferBindingSize;
	to->max_workgroup_storage = l->maxComputeWorkgroupStorageSize;
	to->max_invocations = l->maxComputeInvocationsPerWorkgroup;
	to->max_size_x = l->maxComputeWorkgroupSizeX;
	to->max_size_y = l->maxComputeWorkgroupSizeY;
	to->max_size_z = l->maxComputeWorkgroupSizeZ;
	to->max_groups = l->maxComputeWorkgroupsPerDimension;
	to->max_storage_buffers = l->maxStorageBuffersPerShaderStage;
	to->max_bindings = l->maxBindingsPerBindGroup;
	to->min_uniform_align = l->minUniformBufferOffsetAlignment;

	size_t const room = sizeof to->features / sizeof to->features[0];
	size_t n = wgpuAdapterEnumerateFeatures(a->adapter, NULL);
	uint32_t *features = calloc(n ? n : 1, sizeof *features);
	to->feature_count = 0;
	if (features) {
		wgpuAdapterEnumerateFeatures(a->adapter, features);
		to->feature_count = n < room ? n : room;
		memcpy(to->features, features, to->feature_count * sizeof *features);
		free(features);
	}
}

int kansu_adapter_describe(void *adapter, kansu_adapter_info *info) {
	describe_args a = {adapter, info};
	return kansu_guard(do_describe, &a);
}

static void do_adapter_release(void *p) { wgpuAdapterRelease(p); }

void kansu_adapter_release(void *adapter) { kansu_guard(do_adapter_release, adapter); }

// ---- device -----------------------------------------------------------------

typedef struct {
	void *adapter;
	int timestamps;
	kansu_device *dev;
	int ok;
	char *text;
} open_args;

static void on_device(uint32_t status, void *device, char const *message, void *userdata) {
	open_args *a = userdata;
	a->ok = status == KW_DEVICE_SUCCESS && device;
	if (a->ok)
		a->dev->device = device;
	else
		a->text = kansu_copy_text(message);
}

static void do_device_open(void *p) {
	open_args *a = p;
	// All that the adapter has: the defaults are far smaller. Push constants
	// belong to a feature that is not asked for.
	KWLimitsExtras extras;
	memset(&extras, 0, sizeof extras);
	extras.chain.sType = KW_SUPPORTED_LIMITS_EXTRAS;
	KWSupportedLimits supported;
	memset(&supported, 0, sizeof supported);
	supported.nextInChain = &extras.chain;
	wgpuAdapterGetLimits(a->adapter, &supported);

	extras.chain.next = NULL;
	extras.chain.sType = KW_REQUIRED_LIMITS_EXTRAS;
	extras.maxPushConstantSize = 0;
	KWRequiredLimits required = {&extras.chain, supported.limits};

	uint32_t const features[] = {KW_FEATURE_TIMESTAMP_QUERY};
	KWDeviceDescriptor desc;
	memset(&desc, 0, sizeof desc);
	desc.requiredFeatureCount = a->timestamps ? 1 : 0;
	desc.requiredFeatures = features;
	desc.requiredLimits = &required;
	// Without these two the library makes panics of such errors.
	desc.deviceLostCallback = on_lost;
	desc.deviceLostUserdata = a->dev;
	desc.uncapturedErrorCallbackInfo.callback = on_uncaptured;
	desc.uncapturedErrorCallbackInfo.userdata = a->dev;
	wgpuAdapterRequestDevice(a->adapter, &desc, on_device, a);
	if (a->ok)
		a->dev->queue = wgpuDeviceGetQueue(a->dev->device);
}

int kansu_device_open(void *adapter, int timestamps, kansu_device **dev, kansu_message *msg) {
	open_args a = {adapter, timestamps, calloc(1, sizeof(kansu_device)), 0, NULL};
	if (!a.dev)
		return KANSU_NO_MEMORY;
	int rc = kansu_guard(do_device_open, &a);
	if (rc == KANSU_OK && a.ok) {
		*dev = a.dev;
		return KANSU_OK;
	}
	msg->text = a.text;
	if (rc != KANSU_PANICKED) // else the library may still hold the callbacks' userdata
		free(a.dev);
	return rc ? rc : KANSU_REFUSED;
}

static void do_device_close(void *p) {
	kansu_device *dev = p;
	wgpuQueueRelease(dev->queue);
	wgpuDeviceRelease(dev->device);
}

void kansu_device_close(kansu_device *dev) {
	if (kansu_guard(do_device_close, dev) == KANSU_OK) {
		free(atomic_load(&dev->lost_text));
		free(atomic_load(&dev->uncaptured));
		free(dev);
	}
}

