// Times the workloads of `kansu bench` in ncnn, on the CPU or through Vulkan, as a peer:
//
//     kansu bench -device cpu -beside ./ncnn_peer
//
// Each workload is one layer with random weights, float32 throughout. ncnn's own ways are kept: weights are
// transformed when the layer is made, blobs have the packed layout that a layer before would have left, outputs come
// from a pool, and activations and normalizations work in place (their values are drawn anew between questions).
//
//     -nchw      from NCHW to NCHW instead, the input kept, as kansu's functions work: conversions and copies count
//     -vulkan    on Vulkan's default device: many calls in one command buffer, and the wait for them
//     -nolocal   there without kernels that use workgroup memory
//     -threads N threads on the CPU; as OMP_NUM_THREADS says by default
//
// It answers the lines that package internal/bench describes.
#include <functional>
#include <map>

#include <cpu.h>
#include <layer.h>
#include <layer_type.h>
#include <mat.h>
#include <modelbin.h>
#include <paramdict.h>
#if NCNN_VULKAN
#include <command.h>
#include <gpu.h>
#include <pipelinecache.h>
#endif

#include "../peer.h"

using ncnn::Mat;

static bool vulkan = false, nolocal = false, nchw = false;
static ncnn::Option opt;

// Workload is a layer and how kansu's inputs become its weights and blobs.
struct Workload
{
    int type;
    std::map<int, int> ints;
    std::map<int, float> floats;
    std::vector<Tensor> in;
    std::function<std::vector<Mat>(const std::vector<Values>&)> weights;
    std::function<std::vector<Mat>(const std::vector<Values>&)> blobs;
    int calls;   // of the layer, one for each blob, where it takes no batch; 1 gives it all blobs
    bool packed; // the layer wants the packed layout
    const char* note; // on how it is timed, or null
};

static Mat mat1(const float* v, int w)
{
    Mat m(w);
    memcpy(m.data, v, sizeof(float) * w);
    return m;
}

static Mat mat2(const float* v, int w, int h)
{
    Mat m(w, h);
    memcpy(m.data, v, sizeof(float) * w * h);
    return m;
}

static Mat mat3(const float* v, int w, int h, int c)
{
    Mat m(w, h, c);
    for (int q = 0; q < c; q++)
        memcpy((float*)m.channel(q), v + (size_t)q * w * h, sizeof(float) * w * h);
    return m;
}

static Mat mat4(const float* v, int w, int h, int d, int c)
{
    Mat m(w, h, d, c);
    for (int q = 0; q < c; q++)
        memcpy((float*)m.channel(q), v + (size_t)q * w * h * d, sizeof(float) * w * h * d);
    return m;
}

// unpack appends a blob's values in NCHW's order.
static void unpack(const Mat& blob, Values& to)
{
    Mat m = blob;
    if (blob.elempack != 1)
        ncnn::convert_packing(blob, m, 1, opt);
    const size_t plane = (size_t)m.w * m.h * m.d;
    for (int q = 0; q < m.c; q++)
    {
        const float* p = m.dims < 3 ? (const float*)m.data : (const float*)m.channel(q);
        to.insert(to.end(), p, p + plane);
    }
}

static int elements(const Mat& m)
{
    return m.elempack * (m.dims == 1 ? m.w : m.dims == 2 ? m.h : m.c);
}

// repeat returns the values of channels once for each image of a batch, which ncnn sees as further channels.
static Mat repeat(const Values& v, int images)
{
    Mat m((int)v.size() * images);
    for (int i = 0; i < images; i++)
        memcpy((float*)m.data + i * v.size(), v.data(), sizeof(float) * v.size());
    return m;
}

static std::vector<Mat> all(const std::vector<Values>& in)
{
    std::vector<Mat> w;
    for (size_t i = 1; i < in.size(); i++)
        w.push_back(mat1(in[i].data(), (int)in[i].size()));
    return w;
}

static std::vector<Mat> none(const std::vector<Values>&)
{
    return std::vector<Mat>();
}

static const int images = 8, channels = 64, side = 112;

static std::vector<Mat> maps(const std::vector<Values>& in)
{
    return std::vector<Mat>(1, mat3(in[0].data(), side, side, images * channels));
}

static Workload gemm(int n)
{
    Workload w = Workload();
    w.type = ncnn::LayerType::Gemm;
    w.in = {{(size_t)n * n}, {(size_t)n * n}};
    w.weights = none;
    w.blobs = [n](const std::vector<Values>& in) {
        std::vector<Mat> b;
        b.push_back(mat2(in[0].data(), n, n));
        b.push_back(mat2(in[1].data(), n, n));
        return b;
    };
    w.calls = 1;
    w.packed = false;
    return w;
}

static Workload conv2d(int type, int c, int h, int out, int kernel, int stride, int pad, int group = 1)
{
    Workload w = Workload();
    w.type = type;
    const int size = c / group * out * kernel * kernel;
    w.ints = {{0, out}, {1, kernel}, {3, stride}, {4, pad}, {5, 1}, {6, size}};
    if (group > 1)
        w.ints[7] = group;
    w.in = {{(size_t)c * h * h}, {(size_t)size}, {(size_t)out}};
    w.weights = all;
    if (type == ncnn::LayerType::Deconvolution)
    {
        // (in, out, k, k) in kansu, (out, in, k, k) in ncnn
        w.weights = [=](const std::vector<Values>& in) {
            std::vector<Mat> v = all(in);
            const int k = kernel * kernel;
            for (int i = 0; i < c; i++)
                for (int o = 0; o < out; o++)
                    memcpy((float*)v[0].data + (o * c + i) * k, in[1].data() + (i * out + o) * k, sizeof(float) * k);
            return v;
        };
    }
    w.blobs = [=](const std::vector<Values>& in) { return std::vector<Mat>(1, mat3(in[0].data(), h, h, c)); };
    w.calls = 1;
    w.packed = true;
    return w;
}

static Workload norm(int type, int extra)
{
    Workload w = Workload();
    w.type = type;
    const size_t c = channels;
    const int total = images * channels;
    w.in = {{(size_t)total * side * side}, {c}, {c}};
    w.weights = [](const std::vector<Values>& in) {
        std::vector<Mat> v;
        v.push_back(repeat(in[1], images));
        v.push_back(repeat(in[2], images));
        return v;
    };
    if (type == ncnn::LayerType::BatchNorm)
    {
        w.ints = {{0, total}};
        w.floats = {{1, 1e-5f}};
        w.in = {{(size_t)total * side * side}, {c}, {c, 0.1f, 2}, {c}, {c}}; // x, mean, variance, scale, shift
        w.weights = [](const std::vector<Values>& in) {
            std::vector<Mat> v;
            for (int i : {3, 1, 2, 4})
                v.push_back(repeat(in[i], images));
            return v;
        };
    }
    else if (type == ncnn::LayerType::GroupNorm)
    {
        w.ints = {{0, extra * images}, {1, total}, {3, 1}};
        w.floats = {{2, 1e-5f}};
    }
    else
    {
        w.ints = {{0, total}, {2, 1}};
        w.floats = {{1, 1e-5f}};
    }
    w.blobs = maps;
    w.calls = 1;
    w.packed = false;
    w.note = "in place";
    return w;
}

static Workload pool(int kind, int kernel, int pad)
{
    Workload w = Workload();
    w.type = ncnn::LayerType::Pooling;
    w.ints = {{0, kind}, {1, kernel}, {2, 2}, {3, pad}, {5, 1}};
    w.in = {{(size_t)images * channels * side * side}};
    w.weights = none;
    w.blobs = maps;
    w.calls = 1;
    w.packed = true;
    return w;
}

static Workload activation(int type)
{
    Workload w = Workload();
    w.type = type;
    w.in = {{1 << 24}};
    w.weights = none;
    w.blobs = [](const std::vector<Values>& in) { return std::vector<Mat>(1, mat3(in[0].data(), 512, 512, 64)); };
    w.calls = 1;
    w.packed = false;
    w.note = "in place";
    return w;
}

static std::map<std::string, Workload> workloads()
{
    using namespace ncnn::LayerType;
    std::map<std::string, Workload> a;
    a["gemm512"] = gemm(512);
    a["gemm1024"] = gemm(1024);
    a["gemm2048"] = gemm(2048);
    a["conv3x3_64x56x56"] = conv2d(Convolution, 64, 56, 64, 3, 1, 1);
    a["conv3x3_256x14x14"] = conv2d(Convolution, 256, 14, 256, 3, 1, 1);
    a["conv1x1_256to64x56"] = conv2d(Convolution, 256, 56, 64, 1, 1, 0);
    a["conv7x7s2_3to64x224"] = conv2d(Convolution, 3, 224, 64, 7, 2, 3);
    a["dwconv3x3_128x56"] = conv2d(ConvolutionDepthWise, 128, 56, 128, 3, 1, 1, 128);
    a["convT4x4s2_128to64x32"] = conv2d(Deconvolution, 128, 32, 64, 4, 2, 1);
    a["maxpool3x3s2"] = pool(0, 3, 1);
    a["avgpool2x2s2"] = pool(1, 2, 0);
    a["relu_16M"] = activation(ReLU);
    a["gelu_16M"] = activation(GELU);
    a["mish_16M"] = activation(Mish);
    a["bn_eval"] = norm(BatchNorm, 0);
    a["groupnorm32"] = norm(GroupNorm, 32);
    a["instancenorm"] = norm(InstanceNorm, 0);

    Workload w = Workload();
    w.type = InnerProduct;
    w.ints = {{0, 1000}, {1, 1}, {2, 1024 * 1000}};
    w.in = {{64 * 1024}, {1024 * 1000}, {1000}};
    w.weights = all;
    w.blobs = [](const std::vector<Values>& in) { return std::vector<Mat>(1, mat2(in[0].data(), 1024, 64)); };
    w.calls = 1;
    w.packed = true;
    w.note = "";
    a["linear_64x1024x1000"] = w;

    w.type = Convolution1D;
    w.ints = {{0, 64}, {1, 9}, {4, 4}, {5, 1}, {6, 64 * 64 * 9}};
    w.in = {{8 * 64 * 4096}, {64 * 64 * 9}, {64}};
    w.blobs = [](const std::vector<Values>& in) {
        std::vector<Mat> b;
        for (int i = 0; i < 8; i++)
            b.push_back(mat2(in[0].data() + (size_t)i * 64 * 4096, 4096, 64));
        return b;
    };
    w.calls = 8;
    a["conv1d_k9_8x64x4096"] = w;

    w.type = Convolution3D;
    w.ints = {{0, 32}, {1, 3}, {4, 1}, {5, 1}, {6, 32 * 32 * 27}};
    w.in = {{32 * 16 * 32 * 32}, {32 * 32 * 27}, {32}};
    w.blobs = [](const std::vector<Values>& in) { return std::vector<Mat>(1, mat4(in[0].data(), 32, 32, 16, 32)); };
    w.calls = 1;
    w.packed = false;
    a["conv3d_32x16x32x32"] = w;

    w.type = LayerNorm;
    w.ints = {{0, 1024}, {2, 1}};
    w.floats = {{1, 1e-5f}};
    w.in = {{4096 * 1024}, {1024}, {1024}};
    w.blobs = [](const std::vector<Values>& in) { return std::vector<Mat>(1, mat2(in[0].data(), 1024, 4096)); };
    w.note = "in place";
    a["layernorm_4096x1024"] = w;

    for (const char* name : {"relu_16M", "bn_eval", "layernorm_4096x1024", "groupnorm32", "instancenorm"})
        a[std::string(name) + "_inplace"] = a[name]; // as kansu has it where its input is released
    return a;
}

// Set is a layer with its weights, and the blobs that it is called on.
struct Set
{
    ncnn::Layer* op;
    std::vector<Mat> plain, bottom; // plain: as drawn, in NCHW
#if NCNN_VULKAN
    std::vector<ncnn::VkMat> gbottom;
#endif
};

#if NCNN_VULKAN
static ncnn::VulkanDevice* device;
static ncnn::VkWeightAllocator* weightAllocator;
static ncnn::VkWeightStagingAllocator* weightStaging;
#endif

// pack returns a blob in the layout that the layer wants.
static Mat pack(const Workload& w, const ncnn::Layer* op, const Mat& m)
{
    Mat to = m;
    if (w.packed && op->support_packing)
        for (int p : {16, 8, 4})
            if (elements(m) % p == 0)
            {
                ncnn::convert_packing(m, to, p, opt);
                break;
            }
    return to;
}

// fill gives a set's blobs the values that were drawn.
static void fill(const Workload& w, Set& s)
{
    if (!vulkan)
    {
        s.bottom.clear();
        for (const Mat& m : s.plain)
        {
            s.bottom.push_back(pack(w, s.op, m));
            if (s.op->support_inplace && s.bottom.back().data == m.data)
                s.bottom.back() = m.clone();
        }
        return;
    }
#if NCNN_VULKAN
    s.gbottom.clear();
    ncnn::VkCompute cmd(device);
    for (const Mat& m : s.plain)
    {
        ncnn::VkMat g, p;
        cmd.record_upload(m, g, opt);
        device->convert_packing(g, p, s.op->support_vulkan_packing && elements(m) % 4 == 0 ? 4 : 1, cmd, opt);
        s.gbottom.push_back(p);
    }
    cmd.submit_and_wait();
#endif
}

static Set make(const Workload& w, const std::vector<Values>& in)
{
    Set s;
    s.op = vulkan ? ncnn::create_layer_vulkan(w.type) : ncnn::create_layer_cpu(w.type);
    if (!s.op)
        return s;
    ncnn::ParamDict pd;
    for (auto& p : w.ints)
        pd.set(p.first, p.second);
    for (auto& p : w.floats)
        pd.set(p.first, p.second);
#if NCNN_VULKAN
    if (vulkan)
        s.op->vkdev = device;
#endif
    s.op->load_param(pd);
    std::vector<Mat> weights = w.weights(in);
    if (!weights.empty())
        s.op->load_model(ncnn::ModelBinFromMatArray(weights.data()));
    s.plain = w.blobs(in);
    s.op->create_pipeline(opt);
#if NCNN_VULKAN
    if (vulkan)
    {
        if (!s.op->support_vulkan)
        {
            delete s.op;
            s.op = 0;
            return s;
        }
        ncnn::VkTransfer cmd(device);
        ncnn::Option o = opt;
        o.blob_vkallocator = o.workspace_vkallocator = weightAllocator;
        o.staging_vkallocator = weightStaging;
        s.op->upload_model(cmd, o);
        cmd.submit_and_wait();
    }
#endif
    fill(w, s);
    return s;
}

// Outputs go back to the pool before the next call, as they would in a network.
static std::vector<Mat> top;
#if NCNN_VULKAN
static std::vector<ncnn::VkMat> gtop;
#endif

// each calls f on the blob, or on one after the other.
template<typename M, typename F>
static void each(const Workload& w, const std::vector<M>& bottom, std::vector<M>& top, F f)
{
    top.clear();
    top.resize(w.calls);
    for (size_t i = 0; i < top.size(); i++)
        f(bottom[i], top[i]);
}

static void call(const Workload& w, Set& s)
{
    if (w.calls == 1 && s.bottom.size() > 1)
    {
        top.clear();
        top.resize(1);
        s.op->forward(s.bottom, top, opt);
        return;
    }
    if (!nchw)
    {
        if (s.op->support_inplace)
            s.op->forward_inplace(s.bottom[0], opt);
        else
            each(w, s.bottom, top, [&](const Mat& b, Mat& t) { s.op->forward(b, t, opt); });
        return;
    }
    each(w, s.plain, top, [&](const Mat& b, Mat& t) {
        if (s.op->support_inplace)
        {
            t = b.clone(opt.blob_allocator);
            s.op->forward_inplace(t, opt);
            return;
        }
        s.op->forward(pack(w, s.op, b), t, opt);
        if (t.elempack != 1)
        {
            Mat u = t;
            ncnn::convert_packing(u, t, 1, opt);
        }
    });
}

#if NCNN_VULKAN
static void record(const Workload& w, Set& s, ncnn::VkCompute& cmd)
{
    if (w.calls == 1 && s.gbottom.size() > 1)
    {
        gtop.clear();
        gtop.resize(1);
        s.op->forward(s.gbottom, gtop, cmd, opt);
    }
    else if (s.op->support_inplace)
        s.op->forward_inplace(s.gbottom[0], cmd, opt);
    else
        each(w, s.gbottom, gtop, [&](const ncnn::VkMat& b, ncnn::VkMat& t) { s.op->forward(b, t, cmd, opt); });
}
#endif

struct Ncnn : Peer
{
    std::map<std::string, Workload> all = workloads();
    const Workload* w = 0;
    std::vector<Set> sets;
    size_t turn = 0;
    int many = 1;

    const std::vector<Tensor>* known(const std::string& workload)
    {
        auto it = all.find(workload);
        return it == all.end() ? 0 : &it->second.in;
    }

    bool make(const std::string& workload, const std::vector<std::vector<Values>>& values)
    {
        release();
        w = &all[workload];
        for (const std::vector<Values>& in : values)
        {
            Set s = ::make(*w, in);
            if (!s.op)
                return false;
            sets.push_back(s);
        }
        calls((int)sets.size());
        many = vulkan ? std::max(1, std::min(1000, (int)(20e6 / elapsed(*this, 1)))) : 1;
        return true;
    }

    void fill()
    {
        for (Set& s : sets)
            if (s.op->support_inplace)
                ::fill(*w, s);
    }

    int batch() { return many; }

    void calls(int n)
    {
#if NCNN_VULKAN
        if (vulkan)
        {
            ncnn::VkCompute cmd(device);
            for (int i = 0; i < n; i++)
                record(*w, sets[turn++ % sets.size()], cmd);
            cmd.submit_and_wait();
            return;
        }
#endif
        for (int i = 0; i < n; i++)
            call(*w, sets[turn++ % sets.size()]);
    }

    std::vector<Values> outputs()
    {
        Set& s = sets[0];
        std::vector<Mat> out;
#if NCNN_VULKAN
        if (vulkan)
        {
            ncnn::VkCompute cmd(device);
            record(*w, s, cmd);
            std::vector<ncnn::VkMat>& from = s.op->support_inplace ? s.gbottom : gtop;
            out.resize(from.size());
            for (size_t i = 0; i < from.size(); i++)
                cmd.record_download(from[i], out[i], opt);
            cmd.submit_and_wait();
        }
        else
#endif
        {
            call(*w, s);
            out = s.op->support_inplace && !nchw ? s.bottom : top;
        }
        std::vector<Values> v(1);
        for (const Mat& m : out)
            unpack(m, v[0]);
        return v;
    }

    std::string note() { return w->note && !nchw ? w->note : ""; }

    void release()
    {
        top.clear();
#if NCNN_VULKAN
        gtop.clear();
#endif
        for (Set& s : sets)
        {
            s.bottom.clear();
#if NCNN_VULKAN
            s.gbottom.clear();
#endif
            s.op->destroy_pipeline(opt);
            delete s.op;
        }
        sets.clear();
    }
};

int main(int argc, char** argv)
{
    const int threads = threadsWanted(argc, argv);
    vulkan = has(argc, argv, "-vulkan");
    nolocal = has(argc, argv, "-nolocal");
    nchw = has(argc, argv, "-nchw");
    opt.num_threads = threads;
    opt.use_fp16_packed = opt.use_fp16_storage = opt.use_fp16_arithmetic = opt.use_fp16_uniform = false;
    opt.use_bf16_packed = opt.use_bf16_storage = opt.use_int8_inference = false;
    opt.use_shader_local_memory = !nolocal;
    static ncnn::PoolAllocator blobs, work;
    opt.blob_allocator = &blobs;
    opt.workspace_allocator = &work;
    std::string where = "CPU";
    if (vulkan)
    {
#if NCNN_VULKAN
        ncnn::create_gpu_instance();
        device = ncnn::get_gpu_device();
        if (!device)
            return fprintf(stderr, "no Vulkan device\n"), 1;
        where = device->info.device_name();
        weightAllocator = new ncnn::VkWeightAllocator(device);
        weightStaging = new ncnn::VkWeightStagingAllocator(device);
        opt.use_vulkan_compute = true;
        opt.use_subgroup_ops = device->info.support_subgroup_ops();
        opt.use_cooperative_matrix = false; // float16
        opt.blob_vkallocator = opt.workspace_vkallocator = device->acquire_blob_allocator();
        opt.staging_vkallocator = device->acquire_staging_allocator();
        opt.pipeline_cache = new ncnn::PipelineCache(device);
#else
        return fprintf(stderr, "built without Vulkan\n"), 1;
#endif
    }
    else
        opt.use_vulkan_compute = false;
    ncnn::set_flush_denormals(3);
    Ncnn peer;
    serve(peer, std::string("ncnn") + (vulkan ? " Vulkan" : "") + (nolocal ? " without local memory" : nchw ? " NCHW" : ""),
          where, threads);
    peer.release();
    return 0;
}
