// What the peers in C++ have in common: the lines of `kansu bench -beside`, which package internal/bench describes, and
// random values.
#pragma once
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <string>
#include <vector>

typedef std::vector<float> Values;

// Tensor is one input in kansu's order, and what may be drawn for it.
struct Tensor
{
    size_t count;
    float lo, hi; // evenly between them; normally where they are equal
};

inline std::vector<Values> draw(const std::vector<Tensor>& tensors, unsigned seed)
{
    std::vector<Values> in;
    std::mt19937 r(seed);
    std::normal_distribution<float> normal;
    for (const Tensor& t : tensors)
    {
        std::uniform_real_distribution<float> even(t.lo, t.hi > t.lo ? t.hi : t.lo + 1);
        const size_t fresh = 1048573; // drawing takes longer than copying: so many values repeat
        Values v(t.count);
        for (size_t i = 0; i < v.size(); i++)
            v[i] = i >= fresh ? v[i - fresh] : t.hi > t.lo ? even(r) : normal(r);
        in.push_back(v);
    }
    return in;
}

inline bool writeValues(const std::string& path, const Values& v)
{
    FILE* f = fopen(path.c_str(), "wb");
    bool ok = f && fwrite(v.data(), sizeof(float), v.size(), f) == v.size();
    if (f)
        ok = fclose(f) == 0 && ok;
    return ok;
}

// Peer is a library that times workloads.
struct Peer
{
    virtual ~Peer() {}
    virtual const std::vector<Tensor>* known(const std::string& workload) = 0; // its inputs, or null
    // make gets a workload ready to be called on several sets of inputs in turn, in place of the one before; false
    // where the library cannot do it.
    virtual bool make(const std::string& workload, const std::vector<std::vector<Values>>& sets) = 0;
    virtual void fill() {} // gives inputs that calls overwrite their values again
    virtual void calls(int n) = 0; // calls on one set after the other, and waits
    virtual int batch() { return 1; } // calls to time at once
    virtual std::vector<Values> outputs() = 0; // of a call on the first set
    virtual std::string note() { return ""; }
};

// field returns what stands behind a key of a JSON object of one line: enough for questions.
inline std::string field(const std::string& line, const char* key)
{
    size_t at = line.find(std::string("\"") + key + "\":");
    if (at == std::string::npos)
        return "";
    at = line.find_first_not_of(' ', at + strlen(key) + 3);
    if (line[at] == '"')
        return line.substr(at + 1, line.find('"', at + 1) - at - 1);
    return line.substr(at, line.find_first_of(",}", at) - at);
}

// elapsed returns the nanoseconds of each of n calls.
inline double elapsed(Peer& p, int n)
{
    auto start = std::chrono::steady_clock::now();
    p.calls(n);
    return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count() / n;
}

// serve answers questions until there are no more.
inline void serve(Peer& p, const std::string& name, const std::string& device, int threads)
{
    printf("{\"peer\": \"%s\", \"device\": \"%s\", \"threads\": %d}\n", name.c_str(), device.c_str(), threads);
    fflush(stdout);
    std::string have;
    std::vector<Values> first;
    bool ready = false;
    char* text = 0;
    size_t room = 0;
    while (getline(&text, &room, stdin) > 0)
    {
        const std::string line = text, workload = field(line, "workload"), dir = field(line, "save");
        printf("{\"workload\": \"%s\"", workload.c_str());
        if (have != workload)
        {
            ready = false;
            have = workload;
            if (const std::vector<Tensor>* tensors = p.known(workload))
            {
                const int n = std::max(1, atoi(field(line, "sets").c_str()));
                std::vector<std::vector<Values>> sets;
                for (int i = 0; i < n; i++)
                    sets.push_back(draw(*tensors, i + 1));
                first = sets[0];
                if ((ready = p.make(workload, sets)))
                    p.calls(n);
            }
        }
        if (ready)
        {
            p.fill();
            if (!dir.empty())
            {
                bool ok = true;
                for (size_t i = 0; i < first.size(); i++)
                    ok = ok && writeValues(dir + "/in" + std::to_string(i), first[i]);
                const std::vector<Values> out = p.outputs();
                for (size_t i = 0; i < out.size(); i++)
                    ok = ok && writeValues(dir + "/out" + std::to_string(i), out[i]);
                printf(", \"saved\": %s", ok ? "true" : "false");
                p.fill();
            }
            const double seconds = atof(field(line, "seconds").c_str());
            const size_t reps = std::max(1, atoi(field(line, "reps").c_str()));
            const int n = p.batch();
            std::vector<double> ns;
            p.calls(n); // threads wake up
            for (double spent = 0; spent < seconds * 1e9 || ns.size() < reps; spent += ns.back() * n)
                ns.push_back(elapsed(p, n));
            printf(", \"note\": \"%s\", \"ns\": [", p.note().c_str());
            for (size_t i = 0; i < ns.size(); i++)
                printf("%s%.0f", i ? ", " : "", ns[i]);
            printf("]");
        }
        printf("}\n");
        fflush(stdout);
    }
    free(text);
}

// threadsWanted returns what -threads or OMP_NUM_THREADS asks for, 1 otherwise.
inline int threadsWanted(int argc, char** argv)
{
    const char* env = getenv("OMP_NUM_THREADS");
    int n = env ? atoi(env) : 1;
    for (int i = 1; i + 1 < argc; i++)
        if (!strcmp(argv[i], "-threads"))
            n = atoi(argv[i + 1]);
    return std::max(1, n);
}

// has says whether a flag was given.
inline bool has(int argc, char** argv, const char* flag)
{
    for (int i = 1; i < argc; i++)
        if (!strcmp(argv[i], flag))
            return true;
    return false;
}
