// Times the workloads of `kansu bench` in ONNX Runtime through its C API, as a peer:
//
//     kansu bench -device cpu -beside ./onnxruntime_peer
//
// Each workload is a model of one node (bn_stats has a few), float32 throughout, with weights as initializers, which
// ONNX Runtime packs when it loads them. Inputs and outputs are bound to memory that was set aside before.
//
//     -threads N threads; as OMP_NUM_THREADS says by default
//     -webgpu    on the WebGPU provider, where the library has it: inputs and outputs stay on the device, many calls and
//                the wait for them are timed at once
#include <map>

#include <onnxruntime_c_api.h>

#include "../peer.h"

static const OrtApi* api;

static void must(OrtStatus* s)
{
    if (!s)
        return;
    fprintf(stderr, "ONNX Runtime: %s\n", api->GetErrorMessage(s));
    exit(1);
}

// Proto writes the wire format of protocol buffers.
struct Proto
{
    std::string bytes;

    void varint(uint64_t v)
    {
        for (; v >= 128; v >>= 7)
            bytes += (char)(v | 128);
        bytes += (char)v;
    }
    Proto& integer(int field, int64_t v)
    {
        varint(field << 3);
        varint((uint64_t)v);
        return *this;
    }
    Proto& text(int field, const std::string& v)
    {
        varint(field << 3 | 2);
        varint(v.size());
        bytes += v;
        return *this;
    }
    Proto& real(int field, float v)
    {
        varint(field << 3 | 5);
        bytes.append((const char*)&v, 4);
        return *this;
    }
};

typedef std::vector<int64_t> Shape;

static size_t count(const Shape& s)
{
    size_t n = 1;
    for (int64_t d : s)
        n *= (size_t)d;
    return n;
}

static std::string attribute(const std::string& name, int64_t v)
{
    return Proto().text(1, name).integer(3, v).integer(20, 2).bytes;
}

static std::string attribute(const std::string& name, float v)
{
    return Proto().text(1, name).real(2, v).integer(20, 1).bytes;
}

static std::string attribute(const std::string& name, const Shape& v)
{
    Proto p;
    p.text(1, name);
    for (int64_t i : v)
        p.integer(8, i);
    return p.integer(20, 7).bytes;
}

static std::string node(const std::string& op, const std::vector<std::string>& in, const std::vector<std::string>& out,
                        const std::vector<std::string>& attributes = {})
{
    Proto p;
    for (const std::string& i : in)
        p.text(1, i);
    for (const std::string& o : out)
        p.text(2, o);
    p.text(4, op);
    for (const std::string& a : attributes)
        p.text(5, a);
    return p.bytes;
}

static std::string constant(const std::string& name, const Shape& shape, int type, const void* data, size_t bytes)
{
    Proto p;
    for (int64_t d : shape)
        p.integer(1, d);
    return p.integer(2, type).text(8, name).text(9, std::string((const char*)data, bytes)).bytes;
}

static std::string value(const std::string& name, const Shape& shape)
{
    Proto dims;
    for (int64_t d : shape)
        dims.text(1, Proto().integer(1, d).bytes);
    return Proto().text(1, name).text(2, Proto().text(1, Proto().integer(1, 1).text(2, dims.bytes).bytes).bytes).bytes;
}

struct Input
{
    std::string name;
    Shape shape;
    bool weight; // known when the model is made
    float lo, hi;
};

struct Output
{
    std::string name;
    Shape shape;
};

struct Workload
{
    std::vector<std::string> nodes;
    std::vector<Input> in; // in kansu's order
    std::vector<Output> out;
    std::vector<std::string> constants;
    std::vector<Tensor> tensors;
};

static const Shape maps = {8, 64, 112, 112};

static Workload one(const std::string& op, const std::vector<Input>& in, const Shape& out,
                    const std::vector<std::string>& attributes = {}, std::vector<std::string> order = {})
{
    Workload w;
    if (order.empty())
        for (const Input& i : in)
            order.push_back(i.name);
    w.nodes = {node(op, order, {"y"}, attributes)};
    w.in = in;
    w.out = {{"y", out}};
    return w;
}

static Workload gemm(int64_t n)
{
    return one("MatMul", {{"a", {n, n}}, {"b", {n, n}}}, {n, n});
}

static Workload conv(const std::string& op, const Shape& x, const Shape& weight, const Shape& y, int64_t stride, int64_t pad,
                     int64_t group = 1)
{
    const size_t d = x.size() - 2;
    return one(op, {{"x", x}, {"w", weight, true}, {"b", {y[1]}, true}}, y,
               {attribute("strides", Shape(d, stride)), attribute("pads", Shape(2 * d, pad)), attribute("group", group)});
}

static Workload pool(const std::string& op, int64_t kernel, int64_t pad)
{
    return one(op, {{"x", maps}}, {8, 64, 56, 56},
               {attribute("kernel_shape", Shape(2, kernel)), attribute("strides", Shape(2, 2)), attribute("pads", Shape(4, pad))});
}

static Workload norm(const std::string& op, const Shape& x, int64_t c, const std::vector<std::string>& attributes)
{
    return one(op, {{"x", x}, {"scale", {c}, true}, {"shift", {c}, true}}, x, attributes);
}

static std::map<std::string, Workload> workloads()
{
    std::map<std::string, Workload> all;
    all["gemm512"] = gemm(512);
    all["gemm1024"] = gemm(1024);
    all["gemm2048"] = gemm(2048);
    all["linear_64x1024x1000"] = one("Gemm", {{"x", {64, 1024}}, {"w", {1000, 1024}, true}, {"b", {1000}, true}}, {64, 1000},
                                     {attribute("transB", (int64_t)1)});
    all["conv3x3_64x56x56"] = conv("Conv", {1, 64, 56, 56}, {64, 64, 3, 3}, {1, 64, 56, 56}, 1, 1);
    all["conv3x3_256x14x14"] = conv("Conv", {1, 256, 14, 14}, {256, 256, 3, 3}, {1, 256, 14, 14}, 1, 1);
    all["conv1x1_256to64x56"] = conv("Conv", {1, 256, 56, 56}, {64, 256, 1, 1}, {1, 64, 56, 56}, 1, 0);
    all["conv7x7s2_3to64x224"] = conv("Conv", {1, 3, 224, 224}, {64, 3, 7, 7}, {1, 64, 112, 112}, 2, 3);
    all["dwconv3x3_128x56"] = conv("Conv", {1, 128, 56, 56}, {128, 1, 3, 3}, {1, 128, 56, 56}, 1, 1, 128);
    all["conv1d_k9_8x64x4096"] = conv("Conv", {8, 64, 4096}, {64, 64, 9}, {8, 64, 4096}, 1, 4);
    all["conv3d_32x16x32x32"] = conv("Conv", {1, 32, 16, 32, 32}, {32, 32, 3, 3, 3}, {1, 32, 16, 32, 32}, 1, 1);
    all["convT4x4s2_128to64x32"] = conv("ConvTranspose", {1, 128, 32, 32}, {128, 64, 4, 4}, {1, 64, 64, 64}, 2, 1);
    all["maxpool3x3s2"] = pool("MaxPool", 3, 1);
    all["avgpool2x2s2"] = pool("AveragePool", 2, 0);
    for (const char* op : {"Relu", "Gelu", "Mish"})
    {
        const Shape s = {1 << 24};
        std::string name = std::string(op) + "_16M";
        name[0] = (char)(name[0] + 'a' - 'A');
        all[name] = one(op, {{"x", s}}, s);
    }
    const Shape c = {64};
    all["bn_eval"] = one("BatchNormalization",
                         {{"x", maps}, {"mean", c, true}, {"var", c, true, 0.1f, 2}, {"scale", c, true}, {"shift", c, true}}, maps,
                         {attribute("epsilon", 1e-5f)}, {"x", "scale", "shift", "mean", "var"});
    Workload w;
    w.nodes = {node("BatchNormalization", {"x", "scale", "shift", "mean", "var"}, {"y", "running_mean", "running_var"},
                    {attribute("epsilon", 1e-5f), attribute("training_mode", (int64_t)1)})};
    w.in = {{"x", maps}, {"scale", c}, {"shift", c}, {"mean", c}, {"var", c, false, 0.1f, 2}};
    w.out = {{"y", maps}, {"running_mean", c}, {"running_var", c}};
    all["bn_train"] = w;
    // The variance as the mean of squares less the square of the mean: the quickest way there is.
    const int64_t axes[] = {0, 2, 3};
    const float n = 8 * 112 * 112;
    w = Workload();
    w.nodes = {node("ReduceMean", {"x", "axes"}, {"mean"}, {attribute("keepdims", (int64_t)0)}),
               node("ReduceSumSquare", {"x", "axes"}, {"sum"}, {attribute("keepdims", (int64_t)0)}),
               node("Div", {"sum", "n"}, {"squares"}), node("Mul", {"mean", "mean"}, {"square"}),
               node("Sub", {"squares", "square"}, {"var"})};
    w.constants = {constant("axes", {3}, 7, axes, sizeof axes), constant("n", {}, 1, &n, sizeof n)};
    w.in = {{"x", maps}};
    w.out = {{"mean", c}, {"var", c}};
    all["bn_stats"] = w;
    all["layernorm_4096x1024"] = norm("LayerNormalization", {4096, 1024}, 1024, {attribute("epsilon", 1e-5f)});
    all["groupnorm32"] = norm("GroupNormalization", maps, 64, {attribute("epsilon", 1e-5f), attribute("num_groups", (int64_t)32)});
    all["instancenorm"] = norm("InstanceNormalization", maps, 64, {attribute("epsilon", 1e-5f)});
    for (auto& e : all)
        for (const Input& i : e.second.in)
            e.second.tensors.push_back({count(i.shape), i.lo, i.hi});
    return all;
}

static std::string model(const Workload& w, const std::vector<Values>& values)
{
    Proto graph;
    for (const std::string& n : w.nodes)
        graph.text(1, n);
    graph.text(2, "g");
    for (const std::string& c : w.constants)
        graph.text(5, c);
    for (size_t i = 0; i < w.in.size(); i++)
        if (w.in[i].weight)
            graph.text(5, constant(w.in[i].name, w.in[i].shape, 1, values[i].data(), 4 * values[i].size()));
        else
            graph.text(11, value(w.in[i].name, w.in[i].shape));
    for (const Output& o : w.out)
        graph.text(12, value(o.name, o.shape));
    return Proto().integer(1, 10).text(7, graph.bytes).text(8, Proto().text(1, "").integer(2, 21).bytes).bytes;
}

struct Set
{
    OrtSession* session;
    OrtIoBinding* binding;
    std::vector<OrtValue*> values;
};

static float* aligned(size_t n)
{
    void* p = 0;
    if (posix_memalign(&p, 64, 4 * n))
        abort();
    memset(p, 0, 4 * n);
    return (float*)p;
}

struct Onnx : Peer
{
    std::map<std::string, Workload> all = workloads();
    const Workload* w = 0;
    OrtEnv* env;
    OrtMemoryInfo* cpu;
    OrtMemoryInfo* gpu = 0;
    OrtSessionOptions* options;
    std::vector<Set> sets;
    std::vector<OrtSession*> uploads;
    std::vector<float*> memory, out;
    Set last = {}; // see wait
    size_t turn = 0;
    int many = 1;

    Onnx(int threads, bool webgpu)
    {
        // One pool for all sessions: workers look for work for a while after a call, and those of a session for each set
        // of inputs would take the cores from the next.
        OrtThreadingOptions* pool;
        must(api->CreateThreadingOptions(&pool));
        must(api->SetGlobalIntraOpNumThreads(pool, threads));
        must(api->SetGlobalInterOpNumThreads(pool, 1));
        must(api->CreateEnvWithGlobalThreadPools(ORT_LOGGING_LEVEL_ERROR, "peer", pool, &env));
        must(api->CreateCpuMemoryInfo(OrtDeviceAllocator, OrtMemTypeDefault, &cpu));
        must(api->CreateSessionOptions(&options));
        must(api->DisablePerSessionThreads(options));
        must(api->SetSessionExecutionMode(options, ORT_SEQUENTIAL));
        must(api->SetSessionGraphOptimizationLevel(options, ORT_ENABLE_ALL));
        if (webgpu)
        {
            must(api->SessionOptionsAppendExecutionProvider(options, "WebGPU", 0, 0, 0));
            must(api->CreateMemoryInfo("WebGPU_Buffer", OrtDeviceAllocator, 0, OrtMemTypeDefault, &gpu));
        }
    }

    const std::vector<Tensor>* known(const std::string& workload)
    {
        auto it = all.find(workload);
        return it == all.end() ? 0 : &it->second.tensors;
    }

    OrtValue* tensor(float* data, const Shape& shape)
    {
        OrtValue* v;
        must(api->CreateTensorWithDataAsOrtValue(cpu, data, 4 * count(shape), shape.data(), shape.size(),
                                                 ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, &v));
        return v;
    }

    OrtSession* load(const std::string& model)
    {
        OrtSession* s = 0;
        if (OrtStatus* bad = api->CreateSessionFromArray(env, model.data(), model.size(), options, &s))
        {
            fprintf(stderr, "%s\n", api->GetErrorMessage(bad));
            api->ReleaseStatus(bad);
        }
        return s;
    }

    // upload returns a copy of a tensor on the device: what a product with 1 leaves there.
    OrtValue* upload(OrtValue* from, const Shape& shape)
    {
        const float one = 1;
        Workload w;
        w.nodes = {node("Mul", {"x", "one"}, {"y"})};
        w.in = {{"x", shape}};
        w.out = {{"y", shape}};
        w.constants = {constant("one", {}, 1, &one, sizeof one)};
        must(api->SetSessionGraphOptimizationLevel(options, ORT_DISABLE_ALL));
        OrtSession* s = load(model(w, {{}}));
        must(api->SetSessionGraphOptimizationLevel(options, ORT_ENABLE_ALL));
        OrtIoBinding* b;
        must(api->CreateIoBinding(s, &b));
        must(api->BindInput(b, "x", from));
        must(api->BindOutputToDevice(b, "y", gpu));
        must(api->RunWithBinding(s, 0, b));
        OrtAllocator* allocator;
        must(api->GetAllocatorWithDefaultOptions(&allocator));
        OrtValue** all;
        size_t n;
        must(api->GetBoundOutputValues(b, allocator, &all, &n));
        OrtValue* to = all[0];
        must(api->AllocatorFree(allocator, all));
        api->ReleaseIoBinding(b);
        uploads.push_back(s);
        return to;
    }

    bool make(const std::string& workload, const std::vector<std::vector<Values>>& values)
    {
        release();
        w = &all[workload];
        for (const Output& o : w->out)
        {
            out.push_back(aligned(count(o.shape)));
            memory.push_back(out.back());
        }
        for (const std::vector<Values>& in : values)
        {
            Set s;
            if (!(s.session = load(model(*w, in))))
                return false;
            must(api->CreateIoBinding(s.session, &s.binding));
            for (size_t i = 0; i < w->in.size(); i++)
            {
                if (w->in[i].weight)
                    continue;
                float* p = aligned(in[i].size());
                memory.push_back(p);
                memcpy(p, in[i].data(), 4 * in[i].size());
                s.values.push_back(tensor(p, w->in[i].shape));
                if (gpu)
                    s.values.push_back(upload(s.values.back(), w->in[i].shape));
                must(api->BindInput(s.binding, w->in[i].name.c_str(), s.values.back()));
            }
            for (size_t i = 0; i < w->out.size(); i++)
            {
                if (gpu)
                {
                    must(api->BindOutputToDevice(s.binding, w->out[i].name.c_str(), gpu));
                    continue;
                }
                s.values.push_back(tensor(out[i], w->out[i].shape));
                must(api->BindOutput(s.binding, w->out[i].name.c_str(), s.values.back()));
            }
            sets.push_back(s);
        }
        if (gpu)
        {
            calls((int)sets.size());
            many = std::max(1, std::min(1000, (int)(20e6 / elapsed(*this, 1))));
        }
        return true;
    }

    void calls(int n)
    {
        for (int i = 0; i < n; i++)
            must(api->RunWithBinding(sets[turn % sets.size()].session, 0, sets[turn % sets.size()].binding)), turn++;
        if (gpu)
            wait();
    }

    // wait runs a model of one element, whose result comes back after all that was queued before.
    void wait()
    {
        if (!last.session)
        {
            Workload one;
            one.nodes = {node("Relu", {"x"}, {"y"})};
            one.in = {{"x", {1}}};
            one.out = {{"y", {1}}};
            last.session = load(model(one, {{}}));
            must(api->CreateIoBinding(last.session, &last.binding));
            must(api->BindInput(last.binding, "x", tensor(aligned(1), {1})));
            must(api->BindOutput(last.binding, "y", tensor(aligned(1), {1})));
        }
        must(api->RunWithBinding(last.session, 0, last.binding));
    }

    int batch() { return many; }

    std::vector<Values> outputs()
    {
        std::vector<Values> v;
        if (gpu)
            for (size_t i = 0; i < out.size(); i++)
                must(api->BindOutput(sets[0].binding, w->out[i].name.c_str(), tensor(out[i], w->out[i].shape)));
        must(api->RunWithBinding(sets[0].session, 0, sets[0].binding));
        const size_t n = out.size() == 3 ? 1 : out.size(); // of training, kansu returns other statistics after the first
        for (size_t i = 0; i < n; i++)
            v.push_back(Values(out[i], out[i] + count(w->out[i].shape)));
        if (gpu)
            for (const Output& o : w->out)
                must(api->BindOutputToDevice(sets[0].binding, o.name.c_str(), gpu));
        return v;
    }

    void release()
    {
        if (gpu) // sessions share the device's memory, and do not all survive the first one that goes
        {
            sets.clear();
            uploads.clear();
        }
        for (Set& s : sets)
        {
            api->ReleaseIoBinding(s.binding);
            for (OrtValue* v : s.values)
                api->ReleaseValue(v);
            api->ReleaseSession(s.session);
        }
        for (OrtSession* s : uploads)
            api->ReleaseSession(s);
        uploads.clear();
        for (float* p : memory)
            if (!gpu)
                free(p);
        sets.clear();
        memory.clear();
        out.clear();
    }
};

int main(int argc, char** argv)
{
    const int threads = threadsWanted(argc, argv);
    const bool webgpu = has(argc, argv, "-webgpu");
    api = OrtGetApiBase()->GetApi(ORT_API_VERSION);
    if (!api)
        return fprintf(stderr, "the library is older than the header\n"), 1;
    Onnx peer(threads, webgpu);
    serve(peer, std::string("ONNX Runtime ") + OrtGetApiBase()->GetVersionString() + (webgpu ? " WebGPU" : ""),
          webgpu ? "WebGPU" : "CPU", threads);
    peer.release();
    return 0;
}
